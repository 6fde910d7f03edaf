"""Drawing: a neutral graph and its renderings. Standard library only."""

from __future__ import annotations

from pipelines.draw.dot import dot
from pipelines.draw.graph import Edge, Graph, Node, reduce_edges
from pipelines.draw.mermaid import mermaid
from pipelines.draw.svg import svg
from pipelines.draw.text import text

__all__ = ["Edge", "Graph", "Node", "dot", "mermaid", "reduce_edges", "svg", "text"]
