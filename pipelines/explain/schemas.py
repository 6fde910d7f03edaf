"""Words for pieces of the schema: their type, their rules, and what is inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipelines.explain.yaml_text import flow
from pipelines.language.schema import resolve_ref
from steps._fragments import LATER

Route = tuple[str | int, ...]
"""How a value inside a field is reached: keys, ``NAME`` for a name of the user's, 0 for an item."""

_MEANINGS = {
    "s3": "S3 URI",
    "model-name": "model name",
    "model-package": "model package",
    "arn": "ARN",
    "endpoint": "endpoint name",
    "endpoint-config": "endpoint configuration",
}
_TYPES = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
    "array": "list",
    "object": "map",
}


@dataclass(frozen=True)
class Place:
    """A place in the schema.

    Args:
        words: the path as the user writes it.
        route: the way through the data, names and items included.
        literal: no reference may stand here.
        required: it must stand where the block around it stands.
    """

    schema: Mapping[str, Any]
    words: tuple[str, ...]
    route: Route
    literal: bool = False
    required: bool = False


def forms(schema: Any) -> list[Mapping[str, Any]]:
    """Return the forms that a value may have, references and templates aside."""
    schema = resolve_ref(schema)
    if "anyOf" in schema:
        return [form for option in schema["anyOf"] for form in forms(option)]
    return [] if schema in LATER.values() else [schema]


def is_steps(schema: Any) -> bool:
    """Whether a value is a map of steps."""
    inner = schema.get("additionalProperties")
    return isinstance(inner, Mapping) and inner.get("$ref") == "#/definitions/step"


def type_words(schema: Any) -> str:
    """Return the type in words: ``S3 URI or map``."""
    found: list[str] = []
    for form in forms(schema):
        for word in _form_words(form):
            if word not in found:
                found.append(word)
    return " or ".join(found)


def _form_words(form: Mapping[str, Any]) -> list[str]:
    for mark, word in (
        ("x-choice", "word"),
        ("x-duration", "duration"),
        ("x-instance", "instance type"),
        ("x-path", "path"),
    ):
        if mark in form:
            return [word]
    if form.get("x-meaning"):
        return [_MEANINGS.get(form["x-meaning"], "text")]
    if "enum" in form:
        return [flow(value) for value in form["enum"]]
    stated = form.get("type")
    if stated == "array" and isinstance(form.get("items"), Mapping):
        inner = type_words(form["items"])
        return [f"list of {_plural(inner)}" if " or " not in inner else "list"]
    if stated == "object" and is_steps(form):
        return ["map of steps"]
    if stated == "object" and not form.get("properties") and "additionalProperties" in form:
        return ["map by name"]
    types = stated if isinstance(stated, list) else [stated]
    return [_TYPES.get(str(each), "any value") for each in types]


def _plural(word: str) -> str:
    return {"text": "texts", "map": "maps", "word": "words"}.get(word, f"{word}s")


def may_be_scalar(schema: Any) -> bool:
    """Whether a single value, not only a map or list, may stand here."""
    stated = [form.get("type") for form in forms(schema)]
    kinds = [each for types in stated for each in (types if isinstance(types, list) else [types])]
    return any(kind not in ("object", "array", "null") for kind in kinds)


def allowed(schema: Any) -> str:
    """Return the allowed words, empty where any will do."""
    found: list[Any] = []
    for form in forms(schema):
        found += form.get("x-choice", form.get("enum", []))
        for item in forms(form["items"]) if isinstance(form.get("items"), Mapping) else []:
            found += item.get("x-choice", [])
    return ", ".join(f"`{word if isinstance(word, str) else flow(word)}`" for word in found)


_RULES = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} in the list",
    "maxItems": "at most {} in the list",
    "maxProperties": "at most {} entries",
    "maxLength": "at most {} characters",
    "pattern": "must match `{}`",
}


def limits(schema: Any) -> str:
    """Return the limits of a value in words."""
    found: list[str] = []
    for form in forms(schema):
        for rule, words in _RULES.items():
            if rule in form:
                value = form[rule]
                text = words.format(f"{value:,}" if isinstance(value, int) else value)
                found += [text] if text not in found else []
        names = form.get("propertyNames", {})
        if names.get("description"):
            about = str(names["description"]).rstrip(".")
            found.append(f"names: {about[:1].lower()}{about[1:]}")
        elif names.get("pattern"):
            found.append(f"names must match `{names['pattern']}`")
    return "; ".join(found)


def description(schema: Any) -> str:
    """Return what a value is for."""
    return str(schema.get("description") or resolve_ref(schema).get("description", ""))


def examples(schema: Any) -> list[Any]:
    """Return the examples of a value."""
    return list(schema.get("examples") or resolve_ref(schema).get("examples", []))


def start(schema: Mapping[str, Any], word: str) -> Place:
    """Return the place of a field."""
    return Place(schema, (word,), (word,), _is_literal(schema, False))


def _is_literal(schema: Any, above: bool) -> bool:
    resolved = resolve_ref(schema)
    plain = [form for form in forms(schema) if form.get("type") != "null"]
    return above or bool(resolved.get("x-literal")) or all(f.get("x-literal") for f in plain)


def inside(place: Place) -> dict[str, Place]:
    """Return what is inside a block, or inside the entries of a map or list of blocks."""
    found: dict[str, Place] = {}
    for form in forms(place.schema):
        literal = _is_literal(place.schema, place.literal)
        for name, schema in form.get("properties", {}).items():
            found.setdefault(
                name,
                Place(
                    schema,
                    (*place.words, name),
                    (*place.route, name),
                    _is_literal(schema, literal),
                    name in form.get("required", ()),
                ),
            )
        below = _entries(form)
        if below is not None:
            entry, key = below
            here = replace(place, schema=entry, route=(*place.route, key), literal=literal)
            for name, inner in inside(here).items():
                found.setdefault(name, inner)
    return found


def _entries(form: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | int] | None:
    """Return the schema of a map's values or a list's items, and the key that leads there."""
    if is_steps(form):
        return None
    if isinstance(form.get("additionalProperties"), Mapping):
        return form["additionalProperties"], "NAME"
    if isinstance(form.get("items"), Mapping):
        return form["items"], 0
    return None


def has_entries(schema: Any) -> bool:
    """Whether a value is a map by names of the user's own, or a list."""
    return any(_entries(form) is not None for form in forms(schema))
