"""Definitions as neutral graphs, ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.draw.graph import Edge, Graph, Node
from pipelines.language.resolve import steps_needed
from pipelines.language.spec import PipelineSpec, StepSpec
from steps._expressions import expressions_in


def graph_of(spec: PipelineSpec) -> Graph:
    """Return the graph of a specification: a node per step, an edge per reference or order."""
    names = [step.name for step in spec.walk()]
    edges = [edge for step in spec.walk() for edge in _edges(step, names)]
    return Graph(spec.name, tuple(_node(step) for step in spec.walk()), tuple(edges))


def _node(step: StepSpec) -> Node:
    condition, branch = step.branch[-1] if step.branch else ("", "")
    return Node(step.name, step.kind.name, branch_of=condition, branch=branch)


def _edges(step: StepSpec, names: list[str]) -> Iterator[Edge]:
    parts = [dict(step.step.fields), [(c.left, c.right) for k in step.clauses for c in k]]
    data = {getattr(expression, "step", None) for expression in expressions_in(parts)}
    order = {dependency.step: dependency.when for dependency in step.depends_on}
    needed = steps_needed(step)
    for name in names:
        if name in data:
            yield Edge(name, step.name, order.get(name, ""))
        elif name in needed:
            yield Edge(name, step.name, order.get(name, ""), "order")
    if step.branch:
        condition, branch = step.branch[-1]
        yield Edge(condition, step.name, branch, "branch")
