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
    words = {"CacheConfig": _cache, "DependsOn": _depends, "RetryPolicies": _retries}
    return words[member]


def _retries(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return "none"
    # One policy that the language writes is two here: the service's reasons and the jobs' apart.
    policies: dict[str, list[str]] = {}
    for item in value:
        if not isinstance(item, Mapping) or not isinstance(item.get("ExceptionType"), list):
            return shown(value)
        rest = {**_RETRY_DEFAULTS, **{k: v for k, v in item.items() if k != "ExceptionType"}}
        reasons = policies.setdefault(", ".join(_retry_facts(rest)), [])
        reasons += [_retry_reason(str(each)) for each in item["ExceptionType"]]
    told = [
        "{" + ", ".join([f"on: [{', '.join(reasons)}]", *([facts] if facts else [])]) + "}"
        for facts, reasons in policies.items()
    ]
    return clipped(told[0] if len(told) == 1 else f"[{', '.join(told)}]")


_RETRY_DEFAULTS = {"IntervalSeconds": 1, "BackoffRate": 2}
_RETRY_WORDS = (
    ("MaxAttempts", "attempts", ""),
    ("IntervalSeconds", "interval", "s"),
    ("BackoffRate", "backoff", ""),
    ("ExpireAfterMin", "expire", "m"),
)


def _retry_facts(policy: Mapping[str, Any]) -> list[str]:
    """Return what a retry policy says beyond its reasons and the defaults."""
    return [
        f"{word}: {policy[member]:g}{unit}"
        if isinstance(policy[member], (int, float))
        else f"{word}: {shown(policy[member])}"
        for member, word, unit in _RETRY_WORDS
        if member in policy and policy[member] != _RETRY_DEFAULTS.get(member)
    ]


def _retry_reason(api_type: str) -> str:
    """Return ``capacity`` for ``SageMaker.CAPACITY_ERROR``."""
    return api_type.rpartition(".")[2].lower().removesuffix("_error")


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
