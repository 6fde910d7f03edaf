"""The neutral graph that every rendering starts from, and what they share in reading it."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace

# Definitions cannot nest this deep; below it, other callers' graphs are drawn flat.
MAX_NESTING = 32


@dataclass(frozen=True)
class Node:
    """A step.

    Attributes:
        name: what edges call it; unique in its graph.
        kind: the step kind, written below the name.
        label: what is written instead of the name, if anything.
        branch_of: the Condition in whose branch the step stands, if it stands in one.
        branch: which branch: ``then`` or ``else``.
        state: how the step fared in a run, if the graph shows one.
    """

    name: str
    kind: str
    label: str = ""
    branch_of: str = ""
    branch: str = ""
    state: str = ""

    @property
    def caption(self) -> str:
        """The second line: the kind, and the state where there is one."""
        return f"{self.kind} · {self.state}" if self.state else self.kind


@dataclass(frozen=True)
class Edge:
    """``target`` needs ``source``: ``kind`` is ``data``, ``order`` (depends_on) or ``branch``."""

    source: str
    target: str
    label: str = ""
    kind: str = "data"


@dataclass(frozen=True)
class Graph:
    """A pipeline's steps, in the order of the file, and what connects them."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Group:
    """A branch of a Condition: the names of the steps that stand directly in it."""

    condition: str
    branch: str
    members: tuple[str, ...]


def tidy(graph: Graph) -> Graph:
    """Return a graph that can be drawn, whatever came in.

    The first node of a name wins; an edge to nothing, to itself or written twice goes. A branch of
    no Condition in the graph, of one inside that same branch, or nested too deep is no branch. A
    step in a branch that needs no other step of its branch gets the edge from its Condition.
    """
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        nodes.setdefault(node.name, node)
    nodes = {name: _rooted(node, nodes) for name, node in nodes.items()}
    edges: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        if edge.source in nodes and edge.target in nodes and edge.source != edge.target:
            edges.setdefault((edge.source, edge.target), edge)
    entered = {
        edge.target
        for edge in edges.values()
        if edge.kind == "branch" or _place(nodes[edge.source]) == _place(nodes[edge.target])
    }
    for node in nodes.values():
        if node.branch_of and node.name not in entered:
            edge = Edge(node.branch_of, node.name, node.branch, "branch")
            edges[edge.source, edge.target] = edge
    return replace(graph, nodes=tuple(nodes.values()), edges=tuple(edges.values()))


def _rooted(node: Node, nodes: dict[str, Node]) -> Node:
    seen = {node.name}
    above = node.branch_of
    while above:
        if above in seen or above not in nodes or len(seen) > MAX_NESTING:
            return replace(node, branch_of="", branch="")
        seen.add(above)
        above = nodes[above].branch_of
    return node


def _place(node: Node) -> tuple[str, str]:
    return (node.branch_of, node.branch)


def groups(graph: Graph) -> list[Group]:
    """Return the branches of a tidy graph, in the order in which they are first used."""
    members: dict[tuple[str, str], list[str]] = {}
    for node in graph.nodes:
        if node.branch_of:
            members.setdefault((node.branch_of, node.branch), []).append(node.name)
    return [
        Group(condition, branch, tuple(names)) for (condition, branch), names in members.items()
    ]


def topological(names: list[str], edges: list[tuple[str, str]]) -> list[str]:
    """Return the names in an order that edges point along, close to the given order.

    Where edges run in a circle, the circle is broken at the name that was given first.
    """
    waiting = dict.fromkeys(names, 0)
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        waiting[target] += 1
        after[source].append(target)
    place = {name: number for number, name in enumerate(names)}
    ready = [place[name] for name in names if not waiting[name]]
    order: list[str] = []
    done: set[str] = set()
    rest = iter(names)
    heapq.heapify(ready)
    while len(order) < len(names):
        name = (
            names[heapq.heappop(ready)] if ready else next(one for one in rest if one not in done)
        )
        if name in done:
            continue
        done.add(name)
        order.append(name)
        for target in after[name]:
            waiting[target] -= 1
            if not waiting[target] and target not in done:
                heapq.heappush(ready, place[target])
    return order


def forward_edges(graph: Graph) -> list[Edge]:
    """Return a tidy graph's edges less those that would close a circle."""
    names = [node.name for node in graph.nodes]
    order = topological(names, [(edge.source, edge.target) for edge in graph.edges])
    place = {name: number for number, name in enumerate(order)}
    return [edge for edge in graph.edges if place[edge.source] < place[edge.target]]


def reduce_edges(graph: Graph) -> Graph:
    """Return the graph without edges that follow from others (transitive reduction).

    If ``evaluate`` needs ``train`` and ``train`` needs ``prepare``, then that ``evaluate`` needs
    ``prepare`` too changes nothing about what may run when.
    """
    names = [node.name for node in graph.nodes]
    kept = forward_edges(graph)
    order = topological(names, [(edge.source, edge.target) for edge in kept])
    bit = {name: 1 << number for number, name in enumerate(order)}
    place = {name: number for number, name in enumerate(order)}
    after: dict[str, list[str]] = {name: [] for name in names}
    for edge in kept:
        after[edge.source].append(edge.target)
    reach: dict[str, int] = {}
    needed: set[tuple[str, str]] = set()
    for name in reversed(order):
        covered = 0
        for target in sorted(after[name], key=place.__getitem__):
            if not covered & bit[target]:
                needed.add((name, target))
                covered |= reach[target]
        reach[name] = covered | bit[name]
    return replace(
        graph, edges=tuple(edge for edge in kept if (edge.source, edge.target) in needed)
    )


def identifiers(names: list[str], prefix: str) -> Callable[[str], str]:
    """Return a function from a name to an identifier of ASCII letters, digits and ``_``.

    An identifier depends on its own name alone as long as no other name looks the same, so that
    adding a step to a definition leaves the rest of its picture's source unchanged.
    """

    def plain(name: str) -> str:
        return prefix + "".join(
            char if char.isascii() and char.isalnum() else "_" for char in name[:60]
        )

    count: dict[str, int] = {}
    for name in names:
        count[plain(name)] = count.get(plain(name), 0) + 1

    def identify(name: str) -> str:
        base = plain(name)
        if count.get(base, 0) <= 1 and base.strip("_") != prefix.strip("_"):
            return base
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{base}_{digest[:10]}"

    return identify


def visible(text: str) -> str:
    """Return the text in one line, control and other unprintable characters made visible."""
    return "".join(char if char.isprintable() else _picture(char) for char in text)


def _picture(char: str) -> str:
    if char in "\n\r\t\u2028\u2029\x85":
        return " "
    return chr(0x2400 + ord(char)) if ord(char) < 0x20 else "\ufffd"
