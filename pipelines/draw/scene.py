"""What svg and text lay out: boxes in boxes, the branches of a Condition being boxes of steps."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.draw.graph import Edge, Graph, Node, forward_edges, groups, reduce_edges, tidy


@dataclass(frozen=True)
class Level:
    """The boxes that stand side by side in one place: a pipeline, or one branch.

    Attributes:
        nodes: its steps, by name.
        branches: its branches: the box's name → the branch's own name and what stands in it.
        edges: which of these boxes lead to which; the kind is that of the edge drawn.
        notes: for a step, the steps it needs from outside its branch that no line shows.
    """

    nodes: dict[str, Node]
    branches: dict[str, tuple[str, Level]]
    edges: dict[tuple[str, str], str]
    notes: dict[str, list[str]]


def compose(graph: Graph, *, reduced: bool = True) -> Level:
    """Return the graph as boxes in boxes.

    A line ends at the outermost box that both its ends do not share. A Condition leads to its
    branches; a step in a branch that needs one from outside gets a note.

    Args:
        graph: the graph, tidy or not.
        reduced: leave out edges that follow from others.
    """
    graph = tidy(graph)
    edges = reduce_edges(graph).edges if reduced else tuple(forward_edges(graph))
    box_of = {group: f"{group.condition}\0{group.branch}" for group in groups(graph)}
    home = {member: box for group, box in box_of.items() for member in group.members}
    above = {box: home.get(group.condition, "") for group, box in box_of.items()}
    place = {node.name: home.get(node.name, "") for node in graph.nodes}
    place.update(above)
    levels = {box: Level({}, {}, {}, {}) for box in ["", *above]}
    for node in graph.nodes:
        levels[place[node.name]].nodes[node.name] = node
    for group, box in box_of.items():
        levels[place[box]].branches[box] = (group.branch, levels[box])
        levels[place[box]].edges[group.condition, box] = "branch"
    for edge in edges:
        _connect(edge, place, levels)
    for level in levels.values():
        _straighten(level)
    return levels[""]


def _connect(edge: Edge, place: dict[str, str], levels: dict[str, Level]) -> None:
    if edge.kind == "branch":
        return
    sources, targets = _ancestry(edge.source, place), _ancestry(edge.target, place)
    where = next(one for one in targets if one[0] in {home for home, _ in sources})
    source = next(box for home, box in sources if home == where[0])
    target = where[1]
    if target != edge.target and not target.startswith(f"{edge.source}\0"):
        notes = levels[place[edge.target]].notes.setdefault(edge.target, [])
        notes.append(edge.source)
    if source != target:
        levels[where[0]].edges.setdefault((source, target), edge.kind)


def _ancestry(name: str, place: dict[str, str]) -> list[tuple[str, str]]:
    """Return, from the inside out, each level around ``name`` and the box on it that holds it."""
    found = []
    while True:
        home = place[name]
        found.append((home, name))
        if not home:
            return found
        name = home


def _straighten(level: Level) -> None:
    """Drop what closes a circle: boxes can form one where their steps do not."""
    nodes = tuple(Node(name, "") for name in [*level.nodes, *level.branches])
    edges = tuple(Edge(source, target) for source, target in level.edges)
    kept = {(edge.source, edge.target) for edge in forward_edges(Graph("", nodes, edges))}
    for pair in [pair for pair in level.edges if pair not in kept]:
        del level.edges[pair]
