"""From the definition JSON's expressions to the language's own: ``Get`` and its like, read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.definition.expressions import GET, JOIN, JSON_GET
from pipelines.definition.references import EXECUTION_VARIABLES, PathSyntaxError, parse_path
from steps._expressions import (
    ExecutionRef,
    ExprType,
    Join,
    JsonGet,
    LoopRef,
    ParameterRef,
    PropertyRef,
    is_expression,
)

_TYPES: Mapping[str, ExprType] = {
    "String": "string",
    "Integer": "integer",
    "Float": "float",
    "Boolean": "boolean",
}
_SEGMENT = re.compile(r"\.?([^.\[\]'\"]+)|\[([0-9]{1,9})\]|\[(['\"])(.*?)\3\]")


@dataclass(frozen=True)
class Lifter:
    """Reads the values of a definition.

    Args:
        parameters: the types of the pipeline's parameters, by name.
        steps: the types of its steps, by name.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)

    def lift(self, value: Any) -> Any:
        """Return a value with the language's expressions in it.

        What looks like an expression and has no counterpart in the language stays a map.
        """
        if isinstance(value, Mapping):
            said = {name: member for name, member in value.items() if member is not None}
            found = self._expression(said)
            if found is not None:
                return found
            return {str(name): self.lift(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.lift(item) for item in value]
        return value

    def _expression(self, value: Mapping[str, Any]) -> Any:
        if len(value) != 1:
            return None
        ((name, body),) = value.items()
        if name == GET and isinstance(body, str):
            return self._get(body)
        if name == JOIN and isinstance(body, Mapping) and set(body) <= {"On", "Values"}:
            on, values = body.get("On", ""), body.get("Values")
            if isinstance(on, str) and isinstance(values, list):
                parts = tuple(self.lift(item) for item in values)
                if not any(isinstance(part, (Mapping, list)) or part is None for part in parts):
                    return Join(parts, on)
        if name == JSON_GET and isinstance(body, Mapping):
            return self._json_get(body)
        return None

    def _get(self, text: str) -> Any:
        segments = _segments(text)
        if segments is None or len(segments) < 2:
            return None
        root, name = str(segments[0][0]), str(segments[1][0])
        if root == "Parameters" and len(segments) == 2:
            return ParameterRef(name, _TYPES.get(self.parameters.get(name, ""), "string"))
        if root == "Execution" and len(segments) == 2 and name in EXECUTION_VARIABLES:
            return ExecutionRef(name)
        if root == "Steps" and len(segments) > 2 and segments[2][0] != "PropertyFiles":
            below = segments[2:]
            keyed = frozenset(place for place, (_, quoted) in enumerate(below) if quoted)
            return PropertyRef(name, tuple(each for each, _ in below), keyed)
        if root in ("ForEach", "IterationOutput"):
            return LoopRef(text)
        return None

    def _json_get(self, body: Mapping[str, Any]) -> JsonGet | None:
        path, file, uri = body.get("Path"), body.get("PropertyFile"), body.get("S3Uri")
        if set(body) == {"Path", "S3Uri"} and isinstance(path, str):
            lifted = self.lift(uri)
            plain = isinstance(lifted, str) or is_expression(lifted)
            return JsonGet("", "", path, uri=lifted) if plain else None
        if set(body) != {"Path", "PropertyFile"} or not isinstance(path, str):
            return None
        get = file.get(GET) if isinstance(file, Mapping) and len(file) == 1 else None
        segments = _segments(get) if isinstance(get, str) else None
        names = [str(each) for each, _ in segments or ()]
        if len(names) != 4 or names[0] != "Steps" or names[2] != "PropertyFiles":
            return None
        return JsonGet(names[1], names[3], path)


def _segments(text: str) -> list[tuple[str | int, bool]] | None:
    """Return a path's segments, each with whether it is a quoted key; None for no path."""
    text = text.replace(".[", "[")
    try:
        plain = parse_path(text)
    except PathSyntaxError:
        return None
    found: list[tuple[str | int, bool]] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            return None
        word, index, _, key = match.groups()
        found.append((word, False) if word else (int(index), False) if index else (key, True))
        position = match.end()
    return found if [each for each, _ in found] == list(plain) else None
