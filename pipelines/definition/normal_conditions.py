"""The normal form of conditions: clauses that must all hold, each of comparisons of which one must.

Every way of negating becomes one, an expression stands left of a constant, order means nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.definition.conditions import in_members, not_member, or_parts
from pipelines.definition.normal_values import is_expression, sort_key

MAX_CLAUSES = 512
"""Beyond this many clauses conditions are compared as they are written."""

_OPPOSITE = {
    "LessThan": "GreaterThanOrEqualTo",
    "GreaterThanOrEqualTo": "LessThan",
    "GreaterThan": "LessThanOrEqualTo",
    "LessThanOrEqualTo": "GreaterThan",
    "Equals": "NotEquals",
    "NotEquals": "Equals",
    "In": "NotIn",
    "NotIn": "In",
}
_MIRRORED = {
    "LessThan": "GreaterThan",
    "GreaterThan": "LessThan",
    "LessThanOrEqualTo": "GreaterThanOrEqualTo",
    "GreaterThanOrEqualTo": "LessThanOrEqualTo",
    "Equals": "Equals",
    "NotEquals": "NotEquals",
}

_Clause = tuple[Any, ...]


class _NotNormal(Exception):
    """The conditions have no normal form: malformed, or too many clauses."""


def normal_conditions(value: Any, normal: Callable[[Any], Any]) -> Any:
    """Return a list of conditions in normal form; one that has none comes back as it is.

    Args:
        value: the ``Conditions`` of a Condition step.
        normal: gives the normal form of a value.
    """
    if not isinstance(value, list):
        return normal(value)
    try:
        clauses = _all_of([_clauses(item, normal, negated=False) for item in value])
    except _NotNormal:
        return normal(value)
    found = {sort_key(clause): [*clause] for clause in clauses}
    return [found[key] for key in sorted(found)]


def _clauses(value: Any, normal: Callable[[Any], Any], *, negated: bool) -> list[_Clause]:
    if not isinstance(value, Mapping):
        raise _NotNormal
    kind = value.get("Type")
    if kind == "Not":
        return _clauses(value.get(not_member(value)), normal, negated=not negated)
    if kind == "Or":
        parts = or_parts(value)
        if not isinstance(parts, list):
            raise _NotNormal
        found = [_clauses(part, normal, negated=negated) for part in parts]
        return _all_of(found) if negated else _one_of(found)
    if kind not in _OPPOSITE:
        raise _NotNormal
    assert isinstance(kind, str)
    return [(_comparison(value, _OPPOSITE[kind] if negated else kind, normal),)]


def _comparison(value: Mapping[str, Any], kind: str, normal: Callable[[Any], Any]) -> Any:
    if kind in ("In", "NotIn"):
        query, values = in_members(value)
        items = value.get(values)
        if not isinstance(items, list):
            raise _NotNormal
        unique = {sort_key(item): item for item in map(normal, items)}
        rest = [unique[key] for key in sorted(unique)]
        return {"Type": kind, "QueryValue": normal(value.get(query)), "Values": rest}
    left, right = normal(value.get("LeftValue")), normal(value.get("RightValue"))
    pair = is_expression(left), is_expression(right)
    swap = pair == (False, True) or (all(pair) and sort_key(left) > sort_key(right))
    if swap:
        left, right, kind = right, left, _MIRRORED[kind]
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def _all_of(parts: list[list[_Clause]]) -> list[_Clause]:
    found = [clause for part in parts for clause in part]
    if len(found) > MAX_CLAUSES:
        raise _NotNormal
    return found


def _one_of(parts: list[list[_Clause]]) -> list[_Clause]:
    product: list[_Clause] = [()]
    for part in parts:
        if len(product) * len(part) > MAX_CLAUSES:
            raise _NotNormal
        product = [_joined((*left, *right)) for left in product for right in part]
    return product


def _joined(clause: _Clause) -> _Clause:
    unique = {sort_key(item): item for item in clause}
    return tuple(unique[key] for key in sorted(unique))
