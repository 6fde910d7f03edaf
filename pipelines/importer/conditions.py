"""From the conditions of a Condition step to the text of ``if``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.definition.conditions import in_members, not_member, or_parts
from pipelines.importer.lifting import Lifter
from pipelines.importer.words import NoWords, Words, escape_templates, flatten
from pipelines.language.condition import MAX_DEPTH
from steps._expressions import Join, JsonGet, is_expression

_SIGNS = {
    "Equals": "==",
    "NotEquals": "!=",
    "LessThan": "<",
    "LessThanOrEqualTo": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqualTo": ">=",
    "In": "in",
    "NotIn": "not-in",
}
_OPPOSITE = {"Equals": "NotEquals", "In": "NotIn", "NotEquals": "Equals", "NotIn": "In"}


def condition_parts(conditions: Any, lifter: Lifter, words: Words) -> list[str]:
    """Return the boolean expressions that must all hold for a list of conditions.

    Raises:
        NoWords: the language can't say it, or the list is malformed.
    """
    if not isinstance(conditions, list) or not conditions:
        raise NoWords("the step has no conditions")
    many = len(conditions) > 1
    return [_written(item, lifter, words, inner=many, depth=0) for item in conditions]


def _written(value: Any, lifter: Lifter, words: Words, *, inner: bool, depth: int) -> str:
    if depth > MAX_DEPTH or not isinstance(value, Mapping):
        raise NoWords("a condition is malformed")
    kind = value.get("Type")
    if kind == "Not":
        within = value.get(not_member(value))
        opposite = _OPPOSITE.get(str(within.get("Type"))) if isinstance(within, Mapping) else None
        if opposite is not None and isinstance(within, Mapping):
            return _written({**within, "Type": opposite}, lifter, words, inner=inner, depth=depth)
        text = _written(within, lifter, words, inner=False, depth=depth + 1)
        return f"not ({text})"
    if kind == "Or":
        parts = or_parts(value)
        if not isinstance(parts, list) or not parts:
            raise NoWords("an `Or` without conditions")
        written = [
            _written(part, lifter, words, inner=len(parts) > 1, depth=depth + 1) for part in parts
        ]
        return f"({' or '.join(written)})" if inner and len(parts) > 1 else " or ".join(written)
    if not isinstance(kind, str) or kind not in _SIGNS:
        raise NoWords(f"there is no comparison `{kind}`")
    if kind in ("In", "NotIn"):
        query, values = in_members(value)
        items = value.get(values)
        if not isinstance(items, list) or not items:
            raise NoWords(f"`{kind}` without values")
        listed = ", ".join(_operand(item, lifter, words) for item in items)
        return f"{_operand(value.get(query), lifter, words)} {_SIGNS[kind]} [{listed}]"
    if "LeftValue" not in value or "RightValue" not in value:
        raise NoWords(f"`{kind}` needs two values")
    left, right = value["LeftValue"], value["RightValue"]
    if right is True and kind in ("Equals", "NotEquals"):
        lifted = lifter.lift(left)
        if isinstance(lifted, JsonGet) or getattr(lifted, "type", "") == "boolean":
            return ("not " if kind == "NotEquals" else "") + words.reference(lifted)
    left, right = (_operand(side, lifter, words) for side in (left, right))
    return f"{left} {_SIGNS[kind]} {right}"


def _operand(value: Any, lifter: Lifter, words: Words) -> str:
    lifted = lifter.lift(value)
    if isinstance(lifted, Join):
        parts = flatten(lifted)
        if len(parts) == 1:
            lifted = parts[0]
        else:
            return _quoted(str(words.write(lifted)))
    if is_expression(lifted):
        return words.reference(lifted)
    if isinstance(lifted, bool):
        return "true" if lifted else "false"
    if isinstance(lifted, (int, float)):
        return json.dumps(lifted)
    if isinstance(lifted, str):
        return _quoted(escape_templates(lifted.replace("${", "$${")))
    raise NoWords("a condition compares something that is no value")


def _quoted(text: str) -> str:
    for quote in ('"', "'"):
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise NoWords("a condition's text holds both kinds of quotes")
