"""JSON written as text, with values of the execution in it; standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from steps._expressions import Join, is_expression


def json_text(value: Any) -> Any:
    """Return a value's JSON as text; with expressions in it, as a join.

    An expression is put in as it is, so a text gets quotes around it. The SDK puts them around
    numbers too, and says that the service then sees a text.
    """
    parts: list[Any] = []
    for part in _parts(value):
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return parts[0] if len(parts) == 1 else Join(tuple(parts))


def _parts(value: Any) -> Iterator[Any]:
    if is_expression(value):
        quote = "" if value.type in ("integer", "float", "boolean") else '"'
        yield from (quote, value, quote)
    elif isinstance(value, Mapping):
        for index, (name, part) in enumerate(value.items()):
            yield f"{', ' if index else '{'}{json.dumps(name)}: "
            yield from _parts(part)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield ", " if index else "["
            yield from _parts(part)
        yield "]" if value else "[]"
    else:
        yield json.dumps(value)
