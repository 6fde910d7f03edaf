"""What the searches propose."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.local.tuning.early import Halving, MedianStop
from pipelines.local.tuning.search import make_search
from pipelines.local.tuning.spaces import Choice, SpaceError, Span, as_hyperparameter, read_space

ENDS = st.tuples(st.floats(0.001, 0.9), st.floats(0.001, 0.9)).map(sorted)


def span(kind: str, least: Any, greatest: Any, scale: str = "Auto") -> dict[str, Any]:
    item = {"Name": "x", "MinValue": str(least), "MaxValue": str(greatest), "ScalingType": scale}
    return {f"{kind}ParameterRanges": [item]}


@settings(max_examples=60, deadline=None)
@given(
    ENDS,
    st.sampled_from(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]),
    st.sampled_from(["Random", "Bayesian", "Hyperband"]),
    st.integers(0, 99),
)
def test_proposals_lie_within_their_range(
    ends: list[float], scale: str, strategy: str, seed: int
) -> None:
    search = make_search(strategy, read_space(span("Continuous", *ends, scale)), seed)
    for _ in range(3):
        point = search.propose()
        assert point is not None
        value = point["x"]
        assert isinstance(value, float)
        assert ends[0] <= value <= ends[1]
        assert float(as_hyperparameter(value)) == value
        search.learn(point, -abs(value))


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_equal_seeds_search_equally(strategy: str) -> None:
    space = (Span("n", 1, 1000, True, "Logarithmic"), Choice("kind", ("a", "b", "c")))

    def walk(seed: int) -> list[Any]:
        search = make_search(strategy, space, seed)
        seen = []
        for _ in range(12):
            point = search.propose()
            assert point is not None
            assert isinstance(point["n"], int)
            search.learn(point, float(point["n"]))
            seen.append(point)
        return seen

    assert walk(3) == walk(3)
    assert walk(3) != walk(4)


def test_a_grid_gives_every_combination_once() -> None:
    space = read_space(
        {
            "CategoricalParameterRanges": [
                {"Name": "a", "Values": ["1", "2"]},
                {"Name": "b", "Values": ["x", "y", "z"]},
            ]
        }
    )
    search = make_search("Grid", space, 0)
    seen = [search.propose() for _ in range(6)]
    assert seen[:2] == [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}]
    assert len({tuple(point.items()) for point in seen if point}) == 6
    assert search.propose() is None


def test_a_random_search_does_not_repeat_itself_while_there_is_more() -> None:
    search = make_search("Random", (Span("n", 1, 6, True, "Linear"),), 1)
    assert sorted(point["n"] for _ in range(6) if (point := search.propose())) == [1, 2, 3, 4, 5, 6]
    assert search.propose() is not None


def test_a_logarithmic_range_is_searched_by_magnitude() -> None:
    search = make_search("Random", read_space(span("Continuous", 1e-6, 1.0, "Logarithmic")), 5)
    drawn = [point["x"] for _ in range(300) if (point := search.propose())]
    small = sum(math.log10(float(value)) < -3 for value in drawn)
    assert 110 < small < 190


def test_a_bayesian_search_learns_where_the_best_is() -> None:
    space = (Span("x", 0.0, 1.0, False, "Linear"), Span("y", 0.0, 1.0, False, "Linear"))

    def best(strategy: str) -> float:
        found = []
        for seed in range(3):
            search = make_search(strategy, space, seed)
            scores = []
            for _ in range(40):
                point = search.propose()
                assert point is not None
                score = -abs(float(point["x"]) - 0.7) - abs(float(point["y"]) - 0.2)
                search.learn(point, score)
                scores.append(score)
            found.append(max(scores))
        return sum(found)

    assert best("Bayesian") > best("Random")


def test_a_bayesian_search_takes_in_what_was_found_before() -> None:
    space = (Span("x", 0.0, 1.0, False, "Linear"), Choice("kind", ("a", "b")))
    search = make_search("Bayesian", space, 1)
    for step in range(30):
        x = step / 30
        search.learn({"x": x, "kind": "a"}, -abs(x - 0.9))
    search.learn({"x": 0.5, "kind": "gone"}, 100.0)
    drawn = [float(point["x"]) for _ in range(10) if (point := search.propose())]
    assert sum(value > 0.6 for value in drawn) >= 7


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({}, "no hyperparameter"),
        (span("Integer", 1, 2.5), "not two integers"),
        (span("Integer", "many", 2), "not two numbers"),
        (span("Continuous", 2, 1), "is empty"),
        (span("Continuous", "nan", 1), "is empty"),
        (span("Continuous", 0, 1, "Logarithmic"), "not above 0"),
        (span("Continuous", 0, 1, "ReverseLogarithmic"), "0 <= x < 1"),
        ({"CategoricalParameterRanges": [{"Name": "x", "Values": []}]}, "no values"),
    ],
)
def test_ranges_that_cannot_be_searched(ranges: dict[str, Any], words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        read_space(ranges)


def test_the_median_rule_compares_with_jobs_that_ended() -> None:
    rule = MedianStop()
    for job, scores in enumerate([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]):
        assert all(rule.goes_on(job, score) for score in scores) or job == 0
        rule.ended(job)
    assert rule.goes_on(7, 3.0)
    assert not rule.goes_on(8, 2.9)
    assert rule.goes_on(9, 9.0)
    assert rule.goes_on(9, 0.0), "its best report counts, not its last"


def test_halving_keeps_the_best_third_at_each_rung() -> None:
    rule = Halving()
    went_on = [rule.goes_on(job, float(job)) for job in (5, 4, 3, 2, 1, 6)]
    assert went_on == [True, False, False, False, False, True]
    assert rule.goes_on(6, 0.0), "two reports make no rung"
    assert Halving(most=1).goes_on(1, -1.0)
