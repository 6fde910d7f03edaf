"""A definition's JSON as a graph that shows how each step fared."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.definition import Definition
from pipelines.definition.graph import dependencies
from pipelines.draw.graph import Edge, Graph, Node


def graph_of_run(title: str, definition: Definition, states: Mapping[str, str]) -> Graph:
    """Return the graph of a definition.

    Args:
        title: the pipeline's name.
        definition: what ran.
        states: a word for each step, such as ``Succeeded in 2.1 s``; the rest was not reached.
    """
    nodes, edges = [], []
    waits = dependencies(definition)
    for step in definition.steps:
        branch = "" if step.branch is None else ("then" if step.branch.taken_when else "else")
        nodes.append(
            Node(
                step.name,
                step.type,
                branch_of=step.branch.condition if step.branch else "",
                branch=branch,
                state=states.get(step.name, "not run"),
            )
        )
        explicit = {edge.step for edge in step.depends_on}
        for edge in waits[step.name]:
            label = edge.trigger.lower() if edge.trigger != "Completed" else ""
            kind = "order" if edge.step in explicit else "data"
            edges.append(Edge(edge.step, step.name, label, kind))
    return Graph(title, tuple(nodes), tuple(edges))
