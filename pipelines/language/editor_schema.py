"""The schema as editors get it.

It is the schema of the checks, but null may stand wherever it can delete what a lower layer says.
The checks see definitions after merging, when no such null is left; an editor sees a single file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pipelines.language.schema import definition_schema

_NULL = {"type": "null"}
_KEPT = ("type", "pipeline", "extends")
"""Keys that nothing lower can give a value that would have to be deleted."""


@lru_cache(maxsize=1)
def editor_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of a definition's file."""
    made = _below(definition_schema())
    assert isinstance(made, dict)
    return made


def _below(schema: Any) -> Any:
    """Return a schema with null allowed in everything inside it."""
    if isinstance(schema, list):
        return [_below(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for keyword, value in schema.items():
        if keyword in ("examples", "const", "enum", "required", "if"):
            made[keyword] = value
        elif keyword == "properties":
            made[keyword] = {
                name: _below(inner) if name in _KEPT else _nullable(_below(inner))
                for name, inner in value.items()
            }
        elif keyword in ("definitions", "patternProperties"):
            made[keyword] = {name: _below(inner) for name, inner in value.items()}
        elif keyword == "additionalProperties" and isinstance(value, dict):
            made[keyword] = _nullable(_below(value))
        else:
            made[keyword] = _below(value)
    return made


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that takes null as well; what it says about itself stays in place."""
    if "$ref" in schema:
        return {"anyOf": [{"$ref": schema["$ref"]}, _NULL]}
    if "anyOf" in schema:
        options = schema["anyOf"]
        return schema if _NULL in options else {**schema, "anyOf": [*options, _NULL]}
    stated = schema.get("type")
    if stated is None:
        return schema
    types = stated if isinstance(stated, list) else [stated]
    return {**schema, "type": types if "null" in types else [*types, "null"]}
