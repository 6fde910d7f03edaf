"""A step's object as its kind writes it, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipelines.compiler import as_json
from pipelines.definition.normal import ABSENT, compare
from pipelines.definition.normal_values import Values
from pipelines.importer.beside import NOTHING, Beside
from pipelines.importer.context import Comparing
from pipelines.importer.images import NO_IMAGES, Images
from steps._contract import Kind, Step

IMPOSSIBLE = 1_000_000
"""The distance of fields that a kind can't make a request of."""

FILES = "PropertyFiles"


@dataclass(frozen=True)
class Wanted:
    """The object that a step must become: ``Arguments`` and the members beside them.

    Args:
        name: the step's name.
        given: the members, with the language's expressions in them.
        values: gives the normal form of values.
        variables: the values of the variables that stand in it.
        images: those that may be written as a framework.
        files: what lies beside the definition.
    """

    name: str
    given: Mapping[str, Any]
    values: Values
    variables: Mapping[str, str] = field(default_factory=dict)
    images: Images = NO_IMAGES
    files: Beside = NOTHING

    @cached_property
    def normal(self) -> Any:
        """The normal form."""
        return self.values.normal(as_json(self.given))

    def built(self, kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what a kind makes of fields; None where it can't."""
        return build(kind, self.name, fields, Comparing(self.images, self.files))

    def distance(self, kind: Kind, fields: Mapping[str, Any]) -> int:
        """Return how many values differ between what fields give and what is wanted."""
        built = self.built(kind, fields)
        if built is None:
            return IMPOSSIBLE
        normal = self.values.normal(as_json(built))
        return sum(_size(d.before) + _size(d.after) for d in compare(normal, self.normal))


def build(
    kind: Kind, name: str, fields: Mapping[str, Any], context: Comparing | None = None
) -> dict[str, Any] | None:
    """Return a step's object as far as its kind writes it; None where it can't.

    Args:
        fields: in long form, with expressions.
        context: what the kind may ask; where none is given, images stay as they are.
    """
    step = Step(name, kind.name, fields, frozenset(fields))
    context = context or Comparing()
    try:
        made: dict[str, Any] = {
            "Arguments": kind.build(step, context),
            **kind.members(step, context),
        }
        files = kind.property_files(step)
    except Exception:  # noqa: BLE001 - kinds expect checked fields, and these are guesses
        return None
    if files:
        made[FILES] = [
            {"PropertyFileName": f.name, "OutputName": f.output, "FilePath": f.path} for f in files
        ]
    return made


def _size(value: Any) -> int:
    """Count the values in a normal form; an absent one counts nothing."""
    if isinstance(value, Mapping):
        return sum(_size(item) for item in value.values()) or 1
    if isinstance(value, list):
        return sum(_size(item) for item in value) or 1
    return 0 if value is ABSENT else 1
