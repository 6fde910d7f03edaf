"""A graph of any size as a tree in characters.

A step stands below the step that everything leading to it passes through (its dominator), so a
long chain is a straight line and steps in parallel are twigs; where that is not the one step it
needs, a note names what it needs.
"""

from __future__ import annotations

from pipelines.draw.canvas import columns, shorten
from pipelines.draw.graph import Graph, Node, reduce_edges, tidy, topological, visible

_LONGEST = 40


def draw_tree(graph: Graph, width: int) -> list[str]:
    """Return the rows of the tree; notes are cut to ``width`` columns."""
    graph = reduce_edges(tidy(graph))
    nodes = {node.name: node for node in graph.nodes}
    before: dict[str, list[str]] = {name: [] for name in nodes}
    for edge in graph.edges:
        before[edge.target].append(edge.source)
    parent = _dominators(nodes, before)
    below: dict[str | None, list[str]] = {}
    for name in parent:
        below.setdefault(parent[name], []).append(name)
    rows: list[str] = []
    deepest = max(20, width // 2)

    # A stack of what is still to be written: (step, prefix of its row, prefix of rows below it).
    stack: list[tuple[str, str, str]] = []

    def push(names: list[str], prefix: str) -> None:
        if len(names) == 1 and not nodes[names[0]].branch_of:
            stack.append((names[0], prefix, prefix))
            return
        for number, name in reversed(list(enumerate(names))):
            last = number == len(names) - 1
            tail = prefix + ("   " if last else "│  ")
            # Beyond half the width, twigs stop moving to the right.
            own = prefix + ("└─ " if last else "├─ ")
            stack.append((name, own, tail if len(tail) < deepest else prefix))

    stack.extend((name, "", "") for name in reversed(below.get(None, [])))
    while stack:
        name, own, prefix = stack.pop()
        if own == prefix and rows:
            rows.append(f"{prefix}│".rstrip() if parent[name] is not None else "")
        rows.append(own + _label(nodes[name], before[name], parent[name], width - columns(own)))
        push(below.get(name, []), prefix)
    return rows


def _dominators(nodes: dict[str, Node], before: dict[str, list[str]]) -> dict[str, str | None]:
    """Return each step's dominator, None for a step with none, in topological order."""
    edges = [(source, target) for target, sources in before.items() for source in sources]
    parent: dict[str, str | None] = {}
    depth: dict[str | None, int] = {None: 0}
    for name in topological(list(nodes), edges):
        sources = [one for one in before[name] if one in parent]
        home = nodes[name].branch_of
        if home in parent:
            # A step in a branch stands below its Condition, whatever else it needs.
            inside = [one for one in sources if _is_below(one, home, parent)]
            sources = inside or [home]
        common: str | None = sources[0] if sources else None
        for source in sources[1:]:
            common = _meet(common, source, parent, depth)
        parent[name] = common
        depth[name] = depth[common] + 1
    return parent


def _is_below(name: str | None, above: str, parent: dict[str, str | None]) -> bool:
    while name is not None and name != above:
        name = parent[name]
    return name == above


def _meet(
    one: str | None, other: str | None, parent: dict[str, str | None], depth: dict[str | None, int]
) -> str | None:
    while one != other:
        if depth[one] >= depth[other] and one is not None:
            one = parent[one]
        elif other is not None:
            other = parent[other]
    return one


def _label(node: Node, before: list[str], parent: str | None, width: int) -> str:
    name = shorten(visible(node.label or node.name), _LONGEST)
    branch = f"{visible(node.branch)}: " if node.branch_of == parent and node.branch else ""
    label = f"{branch}{name}  {shorten(visible(node.caption), _LONGEST)}"
    if before and before != [parent]:
        note = "  ← " + ", ".join(visible(one) for one in before)
        label += shorten(note, max(8, width - columns(label)))
    return label.rstrip()
