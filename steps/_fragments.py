"""Pieces of JSON Schema, as fields declare them; standard library only.

Each function returns a piece of JSON Schema (draft-07). Further keywords steer the checks, and
editors ignore them: ``x-meaning`` (what a text stands for), ``x-literal`` (no reference may stand
here), ``x-path`` (a file or folder beside the definition), ``x-choice`` (the API's words),
``x-duration`` and ``x-instance``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

EXPRESSION: Schema = {"$ref": "#/definitions/expression"}
"""A ``${reference}`` or a ``{{ template }}`` where something else than text is wanted."""

TEMPLATE: Schema = {"$ref": "#/definitions/template"}
"""A ``{{ template }}`` where something else than text is wanted and no reference may stand."""

LATER: dict[str, Schema] = {
    "expression": {
        "type": "string",
        "pattern": r"\$\{.*\}|\{\{.*\}\}",
        "description": "A reference or a template.",
        "examples": ["${parameters.Count}", "{{ vars.count }}"],
    },
    "template": {
        "type": "string",
        "pattern": r"\{\{.*\}\}",
        "description": "A template.",
        "examples": ["{{ vars.count }}"],
    },
}
"""What :data:`EXPRESSION` and :data:`TEMPLATE` refer to."""


def text(
    description: str,
    *examples: Any,
    meaning: str = "",
    literal: bool = False,
    path: bool = False,
    marks: Mapping[str, Any] | None = None,
    **rules: Any,
) -> Schema:
    """Return the schema of a text; numbers written there count as text.

    Args:
        marks: further keywords of the product, such as ``x-instance``.
        rules: further keywords of JSON Schema.
    """
    made: Schema = {"type": "string", "description": description, "examples": list(examples)}
    if meaning:
        made["x-meaning"] = meaning
    if literal:
        made["x-literal"] = True
    if path:
        made["x-path"] = True
        made["x-literal"] = True
    return {**made, **(marks or {}), **rules}


def choice(description: str, *options: str, literal: bool = False) -> Schema:
    """Return the schema of one of the API's words; letter case does not matter."""
    made: Schema = {
        "type": "string",
        "description": f"{description} One of {', '.join(options)}.",
        "examples": [options[0]],
        "x-choice": list(options),
    }
    if literal:
        made["x-literal"] = True
    return made


def integer(
    description: str,
    *examples: Any,
    minimum: int | None = None,
    maximum: int | None = None,
    literal: bool = False,
) -> Schema:
    """Return the schema of a whole number."""
    return _number("integer", description, examples, minimum, maximum, literal)


def number(
    description: str,
    *examples: Any,
    minimum: float | None = None,
    maximum: float | None = None,
    literal: bool = False,
) -> Schema:
    """Return the schema of a number."""
    return _number("number", description, examples, minimum, maximum, literal)


def _number(
    kind: str,
    description: str,
    examples: Sequence[Any],
    minimum: float | None,
    maximum: float | None,
    literal: bool,
) -> Schema:
    rule: Schema = {"type": kind}
    if minimum is not None:
        rule["minimum"] = minimum
    if maximum is not None:
        rule["maximum"] = maximum
    return _or_expression(rule, description, examples, literal)


def boolean(description: str, *examples: Any, literal: bool = False) -> Schema:
    """Return the schema of true or false."""
    return _or_expression({"type": "boolean"}, description, examples, literal)


def _or_expression(
    rule: Schema, description: str, examples: Sequence[Any], literal: bool
) -> Schema:
    about: Schema = {"description": description, "examples": list(examples)}
    if literal:
        return {"anyOf": [rule, TEMPLATE], **about, "x-literal": True}
    return {"anyOf": [rule, EXPRESSION], **about}


def scalar(description: str, *examples: Any) -> Schema:
    """Return the schema of a text, number or boolean."""
    return {
        "type": ["string", "number", "boolean"],
        "description": description,
        "examples": list(examples),
    }


def anything(description: str, *examples: Any) -> Schema:
    """Return the schema of any value."""
    return {"description": description, "examples": list(examples)}


def one_of(description: str, *options: Schema, examples: Sequence[Any]) -> Schema:
    """Return the schema of several forms; the form is told by the value's type."""
    return {"anyOf": list(options), "description": description, "examples": list(examples)}


def listing(description: str, item: Schema, *examples: Any, **rules: Any) -> Schema:
    """Return the schema of a list."""
    made: Schema = {"type": "array", "items": item}
    return {**made, "description": description, "examples": list(examples), **rules}


def block(
    description: str,
    properties: Mapping[str, Schema],
    *examples: Any,
    required: Sequence[str] = (),
) -> Schema:
    """Return the schema of a map with known keys."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        made["required"] = list(required)
    return {**made, "description": description, "examples": list(examples)}


def named(description: str, value: Schema, *examples: Any, **rules: Any) -> Schema:
    """Return the schema of a map whose keys are names that the user chooses."""
    made: Schema = {"type": "object", "additionalProperties": value}
    return {**made, "description": description, "examples": list(examples), **rules}


def duration(description: str, *examples: Any) -> Schema:
    """Return the schema of a duration."""
    return text(
        description + " A duration such as `2h`, `90m`, `1d12h`, or ISO 8601.",
        *examples,
        literal=True,
        marks={"x-duration": True},
    )


def s3(description: str, *examples: Any) -> Schema:
    """Return the schema of an S3 URI; a local path in the environment `local`."""
    return text(description, *examples, meaning="s3")
