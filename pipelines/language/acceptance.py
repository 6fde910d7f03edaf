"""A quick yes: data that certainly fit a schema, without the validator's library.

Importing :mod:`jsonschema` takes longer than everything else that a valid definition needs. So the
common case is answered here, by the keywords that the schema uses; whatever is not certainly valid
goes to the library, which alone says what is wrong. A test holds that a yes here is one there.
A text that is none of the API's words (``x-choice``) gets no yes, though the library takes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pipelines.language.schema import at_pointer

_IGNORED = frozenset({"description", "examples", "title", "default", "$schema", "definitions"})


def accepts(value: Any, schema: Any, root: Mapping[str, Any]) -> bool:
    """Return whether ``value`` certainly fits; False means only that it may not.

    Args:
        schema: a schema of the keywords below; any other keyword makes the answer False.
        root: the whole schema, for what ``$ref`` names.
    """
    if "$ref" in schema:
        return accepts(value, at_pointer(root, schema["$ref"]), root)
    for keyword, rule in schema.items():
        if keyword in _IGNORED:
            continue
        judge = _KEYWORDS.get(keyword)
        if judge is None and keyword.startswith("x-"):
            continue
        if judge is None or not judge(value, rule, schema, root):
            return False
    return True


def _has_type(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_has_type(value, each) for each in wanted)
    if isinstance(value, bool):
        return bool(wanted == "boolean")
    if isinstance(value, float) and wanted == "integer":
        return value.is_integer()
    python: dict[str, Any] = {
        "string": str, "integer": int, "number": (int, float), "object": dict, "array": list,
        "null": type(None),
    }  # fmt: skip
    return wanted in python and isinstance(value, python[wanted])


def _members(value: Any, schema: Any, root: Mapping[str, Any]) -> bool:
    """Judge a map's members by properties, patternProperties and additionalProperties."""
    if not isinstance(value, dict):
        return True
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, member in value.items():
        matching = [rule for pattern, rule in patterns.items() if _compiled(pattern).search(name)]
        if name in known:
            matching.append(known[name])
        if not matching:
            rest = schema.get("additionalProperties", True)
            if rest is False:
                return False
            matching = [rest] if isinstance(rest, dict) else []
        if not all(accepts(member, rule, root) for rule in matching):
            return False
    return True


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


Judge = Callable[[Any, Any, Any, Mapping[str, Any]], bool]
_KEYWORDS: dict[str, Judge] = {
    "type": lambda v, r, _s, _d: _has_type(v, r),
    "const": lambda v, r, _s, _d: type(v) is type(r) and v == r,
    "enum": lambda v, r, _s, _d: any(type(v) is type(each) and v == each for each in r),
    "properties": lambda v, _r, s, d: _members(v, s, d),
    "patternProperties": lambda v, _r, s, d: _members(v, s, d),
    "additionalProperties": lambda v, _r, s, d: _members(v, s, d),
    "required": lambda v, r, _s, _d: not isinstance(v, dict) or all(n in v for n in r),
    "propertyNames": lambda v, r, _s, d: (
        not isinstance(v, dict) or all(accepts(n, r, d) for n in v)
    ),
    "items": lambda v, r, _s, d: not isinstance(v, list) or all(accepts(i, r, d) for i in v),
    "anyOf": lambda v, r, _s, d: any(accepts(v, each, d) for each in r),
    "minimum": lambda v, r, _s, _d: not _is_number(v) or v >= r,
    "maximum": lambda v, r, _s, _d: not _is_number(v) or v <= r,
    "minItems": lambda v, r, _s, _d: not isinstance(v, list) or len(v) >= r,
    "maxItems": lambda v, r, _s, _d: not isinstance(v, list) or len(v) <= r,
    "minProperties": lambda v, r, _s, _d: not isinstance(v, dict) or len(v) >= r,
    "maxProperties": lambda v, r, _s, _d: not isinstance(v, dict) or len(v) <= r,
    "maxLength": lambda v, r, _s, _d: not isinstance(v, str) or len(v) <= r,
    "minLength": lambda v, r, _s, _d: not isinstance(v, str) or len(v) >= r,
    "pattern": lambda v, r, _s, _d: not isinstance(v, str) or _compiled(r).search(v) is not None,
    "x-choice": lambda v, r, _s, _d: not isinstance(v, str) or v in r or "${" in v,
}
