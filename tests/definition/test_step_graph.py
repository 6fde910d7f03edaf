"""The order of steps: what selections stand on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition import read_definition
from pipelines.definition.step_graph import StepGraph
from pipelines.errors import UsageError


def graph_of(edges: dict[str, list[str]]) -> StepGraph:
    """Return the graph of steps that depend on others, by hand."""
    steps = [
        {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "x"}, "DependsOn": before}
        for name, before in edges.items()
    ]
    return StepGraph(read_definition({"Version": "2020-12-01", "Steps": steps}))


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, list[str]], set[str]]:
    """Steps that depend on earlier ones, and some of them chosen."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    edges = {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        for index, name in enumerate(names)
    }
    return edges, draw(st.sets(st.sampled_from(names)))


def paths(edges: dict[str, list[str]], end: str) -> list[list[str]]:
    """Return every path that leads to a step, written out."""
    found = [[end]]
    for before in edges[end]:
        found += [[*path, end] for path in paths(edges, before)]
    return found


@given(cases())
def test_between_are_the_inner_steps_of_all_paths(
    case: tuple[dict[str, list[str]], set[str]],
) -> None:
    edges, chosen = case
    graph = graph_of(edges)
    wanted = {
        inner
        for end in chosen
        for path in paths(edges, end)
        if path[0] in chosen
        for inner in path[1:-1]
    }
    assert graph.between(chosen) == wanted - chosen
    # What begins somewhere and goes to the end leaves no gap.
    assert graph.between(graph.after(chosen)) == set()


def test_names_are_checked() -> None:
    graph = graph_of({"split": [], "train": ["split"]})
    with pytest.raises(UsageError, match="no step `trian`; did you mean `train`"):
        graph.check("trian")
