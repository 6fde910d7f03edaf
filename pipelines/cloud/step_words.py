"""Parts of a step as the language writes them: conditions, caches, retries, dependencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.cloud.wording import clipped, reference, shown
from pipelines.definition.conditions import in_members, not_member

_SIGNS = {
    "Equals": "==",
    "NotEquals": "!=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
}


def kind_words(api_type: str) -> str:
    """Return what the language calls an API type of step."""
    return {"Model": "CreateModel"}.get(api_type, api_type)


def condition_words(value: Any) -> str:
    """Return a Condition's conditions as one expression; what is malformed as it stands."""
    if not isinstance(value, list):
        return "" if value is None else shown(value)
    return clipped(" and ".join(_condition(item, inside=len(value) > 1) for item in value))


def _condition(value: Any, *, inside: bool) -> str:
    if not isinstance(value, Mapping):
        return shown(value)
    kind = str(value.get("Type", ""))
    if kind in _SIGNS:
        left, right = _operand(value.get("LeftValue")), _operand(value.get("RightValue"))
        return f"{left} {_SIGNS[kind]} {right}"
    if kind in ("In", "NotIn"):
        query, values = in_members(value)
        word = "in" if kind == "In" else "not in"
        return f"{_operand(value.get(query))} {word} {_operand(value.get(values))}"
    if kind == "Not":
        return f"not ({_condition(value.get(not_member(value)), inside=False)})"
    if kind == "Or" and isinstance(value.get("Conditions"), list):
        text = " or ".join(_condition(item, inside=True) for item in value["Conditions"])
        return f"({text})" if inside else text
    return shown(value)


def _operand(value: Any) -> str:
    """Return an operand: references stand bare in a condition, texts in quotes."""
    text = reference(value)
    if text is not None and text.startswith("${") and text.endswith("}") and text.count("${") == 1:
        return text[2:-1]
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, list):
        return "[" + ", ".join(_operand(item) for item in value) + "]"
    return shown(value)


def settings_words(member: str) -> Callable[[Any], str]:
    """Return what puts a member of a step into words: CacheConfig, RetryPolicies, DependsOn."""
    return {"CacheConfig": _cache, "DependsOn": _depends}.get(member, _plain)


def _plain(value: Any) -> str:
    return "none" if value in (None, []) else shown(value)


def _cache(value: Any) -> str:
    if not isinstance(value, Mapping) or not value.get("Enabled"):
        return "off"
    return str(value.get("ExpireAfter", "on"))


def _depends(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return "none"
    parts = []
    for item in value:
        if isinstance(item, Mapping):
            parts.append(f"{item.get('Step')} ({str(item.get('Trigger', '')).lower()})")
        else:
            parts.append(str(item))
    return clipped(", ".join(parts))
