"""Outputs whose names and types a definition declares, as Lambda and Callback steps have them.

Written are ``OutputParameters`` as the SDK's ``LambdaOutput`` and ``CallbackOutput`` write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Attribute, Field, NoAttribute, Short, Step
from steps._expressions import ExprType, PropertyRef

TYPES: dict[str, ExprType] = {
    "String": "string",
    "Integer": "integer",
    "Boolean": "boolean",
    "Float": "float",
}
"""The types of the SDK's ``LambdaOutputTypeEnum``, and what they are for references."""

DEFAULT = "String"


def outputs_field(description: str, **rules: Any) -> Field:
    """Return the field ``outputs``.

    Args:
        description: what the outputs are.
        rules: further keywords of JSON Schema, for the map that a list becomes as well.
    """
    kind = f.choice("Its type.", *TYPES, literal=True)
    return Field(
        f.one_of(
            f"{description} names, or a map of names to types.",
            f.listing(
                "Names; each is a String.", f.text("A name.", "version", literal=True), ["version"]
            ),
            f.named(
                "Names with their types.",
                f.one_of(
                    "Its type.",
                    {"type": "null", "description": "A String.", "examples": [None]},
                    kind,
                    f.block("Its type.", {"type": kind}, {"type": "Integer"}),
                    examples=["Integer"],
                ),
                {"rows": "Integer", "version": "String"},
                **rules,
            ),
            examples=[["version"], {"rows": "Integer", "accuracy": "Float"}],
        ),
        api="OutputParameters[]",
        short=Short(names=True, each=Short("type")),
    )


def output_parameters(step: Step) -> list[dict[str, Any]]:
    """Return the step object's ``OutputParameters``."""
    return [
        {"OutputName": name, "OutputType": _type(value)}
        for name, value in step.fields.get("outputs", {}).items()
    ]


def output_attributes(step: Step) -> Mapping[str, Sequence[str] | None]:
    """Offer the declared outputs to references."""
    return {"outputs": list(step.fields.get("outputs", {}))}


def output_attribute(step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
    """Resolve ``outputs.NAME`` to the output parameter, with its declared type.

    The SDK's ``LambdaOutput.expr`` writes the same; its own properties can't be used for steps in
    branches, where the SDK looks for the step among those of the top level.
    """
    names = step.fields.get("outputs", {})
    if len(path) == 1:
        return NoAttribute(0, "name the output: `outputs.NAME`", list(names))
    if path[1] not in names:
        return NoAttribute(1, f"`{step.name}` has no output `{path[1]}`", list(names))
    name = str(path[1])
    kind = TYPES.get(_type(names[name]), "any")
    found = PropertyRef(step.name, ("OutputParameters", name), frozenset({1}), kind)
    return Attribute(found, path[2:])


def _type(value: Any) -> str:
    stated = value.get("type") if isinstance(value, Mapping) else value
    return stated if isinstance(stated, str) else DEFAULT
