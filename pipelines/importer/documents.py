"""JSON documents that stand as text in a definition, with values of the execution in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.importer.words import flatten
from steps._expressions import Join, is_expression

_MARK = "\ufdd0{}\ufdd0"
_MAX_DOCUMENT = 100_000


def document_of(value: Any) -> Any:
    """Return the data whose JSON a text is; None where it is no JSON.

    Args:
        value: a text, or a join of texts and expressions. An expression in quotes is a text, one
            without is a value.
    """
    if isinstance(value, str):
        parts: list[Any] = [value]
    elif isinstance(value, Join):
        parts = flatten(value)
    else:
        return None
    expressions: list[Any] = []
    written = ""
    for part in parts:
        if is_expression(part):
            inside = written.count('"') - written.count('\\"')
            mark = _MARK.format(len(expressions))
            written += mark if inside % 2 else f'"{mark}"'
            expressions.append(part)
        elif "\ufdd0" in part:
            return None
        else:
            written += part
    if len(written) > _MAX_DOCUMENT:
        return None
    try:
        return _restored(json.loads(written), expressions)
    except (ValueError, RecursionError):
        return None


def _restored(value: Any, expressions: list[Any]) -> Any:
    if isinstance(value, Mapping):
        return {name: _restored(item, expressions) for name, item in value.items()}
    if isinstance(value, list):
        return [_restored(item, expressions) for item in value]
    if not isinstance(value, str) or "\ufdd0" not in value:
        return value
    pieces = value.split("\ufdd0")
    parts = [expressions[int(p)] if n % 2 else p for n, p in enumerate(pieces)]
    parts = [part for part in parts if part != ""]
    return parts[0] if len(parts) == 1 else Join(tuple(parts))
