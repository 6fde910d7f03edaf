"""Evaluating a Condition step's conditions, their references resolved."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelines.definition.conditions import in_members, not_member, or_parts
from pipelines.definition.expressions import describe

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


class ConditionError(Exception):
    """A comparison that has no answer, such as text with a number."""


def evaluate_all(conditions: Sequence[Mapping[str, Any]]) -> bool:
    """Evaluate a list of conditions: true where all of them are.

    All are evaluated, so that one without an answer is an error whatever the others say.

    Raises:
        ConditionError: a comparison has no answer.
    """
    outcomes = [evaluate(condition) for condition in conditions]
    return all(outcomes)


def evaluate(condition: Mapping[str, Any]) -> bool:
    """Evaluate one condition of a form that ``read_definition`` accepts, references resolved.

    Raises:
        ConditionError: a comparison has no answer.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not evaluate(condition[not_member(condition)])
    if kind == "Or":
        outcomes = [evaluate(item) for item in _list(or_parts(condition))]
        return any(outcomes)
    if kind in ("In", "NotIn"):
        query, values = in_members(condition)
        matches = [_equal(condition[query], item) for item in condition[values]]
        return any(matches) if kind == "In" else not any(matches)
    left, right = condition["LeftValue"], condition["RightValue"]
    if kind in _ORDER:
        return _ordered(kind, left, right)
    return _equal(left, right) if kind == "Equals" else not _equal(left, right)


def _list(value: object) -> list[Mapping[str, Any]]:
    return value if isinstance(value, list) else []


def _equal(left: object, right: object) -> bool:
    if _family(left) != _family(right):
        raise ConditionError(_mixed(left, right))
    return left == right


def _ordered(kind: str, left: object, right: object) -> bool:
    """Compare by size. [U] That text may be ordered, and how, is not documented: by code point."""
    family = _family(left)
    if family != _family(right):
        raise ConditionError(_mixed(left, right))
    if family == "boolean":
        raise ConditionError(f"{kind} does not compare booleans")
    return _ORDER[kind](left, right)


def _family(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "text"
    raise ConditionError(f"{describe(value)} cannot be compared")


def _mixed(left: object, right: object) -> str:
    """[U] What the service does with mixed types is not documented; a guess would pick a branch."""
    return (
        f"{_show(left)} cannot be compared with {_show(right)}: "
        f"one is {describe(left)}, the other {describe(right)}"
    )


def _show(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "…"
