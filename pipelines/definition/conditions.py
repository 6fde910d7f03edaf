"""The form of a Condition step's conditions."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.definition.expressions import describe
from pipelines.definition.problems import Problems, nearest

COMPARISONS = (
    "Equals",
    "NotEquals",
    "GreaterThan",
    "GreaterThanOrEqualTo",
    "LessThan",
    "LessThanOrEqualTo",
)
TYPES = (*COMPARISONS, "In", "NotIn", "Not", "Or")


def in_members(condition: Mapping[str, object]) -> tuple[str, str]:
    """Return the names of an ``In`` condition's two members.

    The SDK writes ``QueryValue`` and ``Values``; AWS's published schema has ``Value`` and ``In``.
    """
    return ("Value", "In") if "Value" in condition else ("QueryValue", "Values")


def not_member(condition: Mapping[str, object]) -> str:
    """Return the name of a ``Not`` condition's member: older SDKs wrote ``Expression``."""
    return "Expression" if "Expression" in condition else "Condition"


def or_parts(condition: Mapping[str, object]) -> object:
    """Return the conditions of an ``Or``.

    The SDK and AWS's published schema have them as ``Conditions``; definitions written by hand
    have them below ``Arguments``, as a Condition step has its own.
    """
    inner = condition.get("Arguments")
    if "Conditions" not in condition and isinstance(inner, Mapping):
        return inner.get("Conditions")
    return condition.get("Conditions")


def check_conditions(value: object, pointer: str, problems: Problems) -> None:
    """Check a list of conditions; what is wrong goes into ``problems``."""
    if not isinstance(value, list) or not value:
        problems.add(pointer, "must be a list of at least one condition")
        return
    for index, item in enumerate(value):
        _check(item, f"{pointer}/{index}", problems)


def _check(value: object, pointer: str, problems: Problems) -> None:
    if not isinstance(value, Mapping):
        problems.add(pointer, f"a condition must be an object, not {describe(value)}")
        return
    kind = value.get("Type")
    if not isinstance(kind, str) or kind not in TYPES:
        hint = nearest(kind, TYPES) if isinstance(kind, str) else ""
        problems.add(f"{pointer}/Type", f"must be one of {', '.join(TYPES)}{hint}")
    elif kind in COMPARISONS:
        for member in ("LeftValue", "RightValue"):
            _check_operand(value, member, pointer, problems)
    elif kind in ("In", "NotIn"):
        query, values = in_members(value)
        _check_operand(value, query, pointer, problems)
        for index, item in enumerate(problems.sequence(value.get(values), f"{pointer}/{values}")):
            _check_value(item, f"{pointer}/{values}/{index}", problems)
    elif kind == "Not":
        member = not_member(value)
        _check(value.get(member), f"{pointer}/{member}", problems)
    else:
        check_conditions(or_parts(value), f"{pointer}/Conditions", problems)


def _check_operand(
    value: Mapping[str, object], member: str, pointer: str, problems: Problems
) -> None:
    if member not in value:
        problems.add(pointer, f"lacks `{member}`")
    else:
        _check_value(value[member], f"{pointer}/{member}", problems)


def _check_value(value: object, pointer: str, problems: Problems) -> None:
    expression = isinstance(value, Mapping) and len(value) == 1
    if not expression and not isinstance(value, (str, int, float)):
        problems.add(pointer, f"must be a value or an expression, not {describe(value)}")
