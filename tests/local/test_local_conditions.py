from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.conditions import ConditionError, evaluate, evaluate_all


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (compare("Equals", "a", "a"), True),
        (compare("Equals", 1, 1.0), True),
        (compare("Equals", True, False), False),
        (compare("NotEquals", 1, 2), True),
        (compare("GreaterThan", 2, 1.5), True),
        (compare("GreaterThanOrEqualTo", 2, 2), True),
        (compare("LessThan", 2, 2), False),
        (compare("LessThanOrEqualTo", 2, 2), True),
        (compare("LessThan", "2026-01-01", "2026-02-01"), True),
        ({"Type": "In", "QueryValue": "b", "Values": ["a", "b"]}, True),
        ({"Type": "In", "Value": 3, "In": [1, 2]}, False),
        ({"Type": "NotIn", "Value": 3, "In": [1, 2]}, True),
        ({"Type": "Not", "Condition": compare("Equals", 1, 1)}, False),
        ({"Type": "Not", "Expression": compare("Equals", 1, 2)}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2)]}, False),
    ],
)
def test_each_kind(condition: dict[str, Any], outcome: bool) -> None:
    assert evaluate(condition) is outcome


def test_a_list_is_an_and() -> None:
    yes, no = compare("Equals", 1, 1), compare("Equals", 1, 2)
    assert evaluate_all([yes, yes]) is True
    assert evaluate_all([yes, no]) is False


@pytest.mark.parametrize(
    "condition",
    [
        compare("Equals", "1", 1),
        compare("Equals", True, 1),
        compare("GreaterThan", "0.9", 0.5),
        compare("GreaterThan", True, False),
        compare("Equals", None, None),
        compare("Equals", [1], [1]),
        {"Type": "In", "QueryValue": "1", "Values": ["1", 1]},
        # The answer is not guessed from the part that has one.
        {"Type": "Or", "Conditions": [compare("Equals", 1, 1), compare("Equals", 1, "a")]},
    ],
)
def test_types_that_do_not_go_together_have_no_answer(condition: dict[str, Any]) -> None:
    with pytest.raises(ConditionError, match="compare"):
        evaluate(condition)


_VALUES = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3))


def answer(condition: dict[str, Any]) -> bool | None:
    try:
        return evaluate(condition)
    except ConditionError:
        return None


_OPPOSITES = [
    ("Equals", "NotEquals"),
    ("LessThan", "GreaterThanOrEqualTo"),
    ("GreaterThan", "LessThanOrEqualTo"),
]


@given(_VALUES, _VALUES, st.sampled_from(_OPPOSITES))
def test_not_is_the_opposite_or_both_have_no_answer(
    left: Any, right: Any, kinds: tuple[str, str]
) -> None:
    negated = answer({"Type": "Not", "Condition": compare(kinds[0], left, right)})
    assert negated == answer(compare(kinds[1], left, right))
