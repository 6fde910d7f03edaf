"""Drawing for terminals: boxes where they fit, a tree where they do not."""

from __future__ import annotations

from pipelines.draw.boxes import TooTangled, draw_boxes
from pipelines.draw.graph import Graph
from pipelines.draw.scene import compose
from pipelines.draw.tree import draw_tree

_MOST_BOXES = 60


def text(graph: Graph, *, width: int = 80, reduced: bool = True) -> str:
    """Return the graph in box-drawing characters, without trailing spaces.

    Args:
        graph: the graph; names may hold anything.
        width: the columns there are. A graph that does not fit as boxes becomes a tree, which can
            only exceed them by its names.
        reduced: leave out edges that follow from others.
    """
    if not graph.nodes:
        return "(no steps)\n"
    if len(graph.nodes) <= _MOST_BOXES:
        try:
            lines = draw_boxes(compose(graph, reduced=reduced), width)
        except TooTangled:
            pass
        else:
            return _sheet(lines)
    return _sheet(draw_tree(graph, width))


def _sheet(lines: list[str]) -> str:
    """Return the lines as one text; a name's own blanks must not end a line either."""
    return "".join(f"{line.rstrip()}\n" for line in lines)
