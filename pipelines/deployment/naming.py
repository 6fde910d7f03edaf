"""What definitions call the parts of their definition JSON: for plans, in the user's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelines.cloud.wanted import Named, Origin, Words
from pipelines.definition.normal_values import NAME_MEMBERS, is_expression
from pipelines.importer.naming import FieldPlace, at_place, field_place, field_value, stands
from pipelines.importer.tracing import traced
from pipelines.language.nodes import MapNode, Node, Scalar, Sequence, get, locate, plain
from pipelines.language.request_checks import field_of
from pipelines.language.request_merge import given_at
from pipelines.language.source_map import walk_steps
from steps import KINDS, all_fields
from steps._contract import Kind
from steps._expressions import Path

if TYPE_CHECKING:
    from pipelines.compiler import Compiled
    from pipelines.language.spec import StepSpec


class KindNames:
    """The words of the kinds alone: for a definition whose file is not at hand.

    It is a :class:`pipelines.cloud.wanted.SourceLookup`.
    """

    def find(self, pointer: str) -> None:
        """Know no file."""
        del pointer

    def field(self, step: Mapping[str, Any], path: Path) -> Named | None:
        """Return what a part of a step's object is called."""
        kind = _kind_of(step)
        if kind is None:
            return None
        words, value = _named(kind, step, path, None)
        return Named(_dotted(words), value)

    def step(self, name: str) -> None:
        """Know no file."""
        del name

    def position(self, *path: str) -> str:
        """Know no file."""
        del path
        return ""


@dataclass(frozen=True)
class DefinitionNames:
    """The words and places of a compiled definition.

    It is a :class:`pipelines.cloud.wanted.SourceLookup`; what it needs is made when it is first
    asked, for most plans change little.
    """

    compiled: Compiled

    @cached_property
    def _specs(self) -> dict[str, StepSpec]:
        return {spec.name: spec for spec in self.compiled.spec.walk()}

    @cached_property
    def _steps(self) -> dict[str, Mapping[str, Any]]:
        listed = self.compiled.definition["Steps"]
        return {str(step["Name"]): step for _, step in walk_steps(listed, "")}

    def find(self, pointer: str) -> Origin | None:
        """Return the origin of what a pointer names, or of the nearest part around it."""
        return self.compiled.source_map.find(pointer)

    def field(self, step: Mapping[str, Any], path: Path) -> Named | None:
        """Return what a part of a step's object is called, and where it is written."""
        spec = self._specs.get(str(step.get("Name")))
        if spec is None or spec.kind.type_of(spec.step) != step.get("Type"):
            return KindNames().field(step, path)
        words, value = _named(spec.kind, step, path, spec)
        tree = self.compiled.spec.tree
        written = as_written(tree, (*spec.path, *words))[len(spec.path) :]
        node = get(tree, *spec.path, *written)
        if isinstance(value, Mapping) and not is_expression(value) and node is not None:
            # Without the defaults that compiling adds; of another deploy's step they are not known.
            value = plain(node) if step == self._steps[spec.name] else value
        return Named(_dotted(written), value, _position(tree, (*spec.path, *words)))

    def step(self, name: str) -> Words | None:
        """Return what a step is called, and where it is written."""
        spec = self._specs.get(name)
        if spec is None:
            return None
        return Words(_dotted(spec.path), _position(self.compiled.spec.tree, spec.path))

    def position(self, *path: str) -> str:
        """Return where a key of the definition is, or the nearest part around it."""
        tree = self.compiled.spec.tree
        return _position(tree, path) if path[0] in tree.entries else ""


def _position(tree: Node, path: Path) -> str:
    source, span = locate(tree, path, at_key=True)
    return f"{source.name}:{span.line}:{span.column}"


def _kind_of(step: Mapping[str, Any]) -> Kind | None:
    """Return the kind that most likely makes a step's object: the first with its API type."""
    return next((kind for kind in KINDS if kind.api_type == step.get("Type")), None)


def _named(
    kind: Kind, step: Mapping[str, Any], path: Path, spec: StepSpec | None
) -> tuple[Path, Any]:
    """Return the path of a part of a step in its definition, and its value as that writes it."""
    value = at_place(step, path)
    fields = spec.step.fields if spec is not None else {}
    if path[:1] != ("Arguments",):
        beside = fields.get("step_fields")
        if isinstance(beside, Mapping) and path[:1] and path[0] in beside:
            return ("step_fields", *path), value
        if len(path) > 1 and path[0] == "PropertyFiles" and isinstance(path[1], int):
            return ("files", str(step["PropertyFiles"][path[1]].get("PropertyFileName"))), value
        declared = {**all_fields(kind), **kind.fields}
        name = next((n for n, f in reversed(declared.items()) if path and f.api == path[0]), None)
        if name is not None:
            return (name, *path[1:]), value
        given = None
    else:
        given = given_at(fields.get("request"), step["Arguments"], path[1:])
        if given is not None and not isinstance(value, (Mapping, list)):
            return ("request", *given), value
    place = field_place(kind, step, path, fields)
    if spec is not None:
        words = _in_definition(spec, path, place)
        if words and (place is None or words != place.path):
            return words, value
    if given and not (place is not None and stands(fields, place.path)):
        return ("request", *given), value
    if place is not None:
        return place.path, field_value(kind, step, path, fields, place)
    if kind.name == "Raw":
        return ("arguments", *path[1:]), value
    around = "request" if path[:1] == ("Arguments",) else "step_fields"
    words = _with_names(step, path)
    return (around, *(words[1:] if around == "request" else words)), value


def _in_definition(spec: StepSpec, path: Path, place: FieldPlace | None) -> Path:
    """Return the path of a part of a step where its definition says it; empty where not."""
    fields = spec.step.fields
    # A position that was found by trying need not be this step's: it depends on the other fields.
    certain = place is not None and not place.rest and not _has_positions(place)
    if place is not None and certain and stands(fields, place.path):
        return place.path
    own = traced(spec.kind, spec.name, fields, path)
    if own:
        return own
    found = field_of(spec, path[1:]) if path[:1] == ("Arguments",) else ()
    return found if len(found) > 1 and stands(fields, found) else ()


def _has_positions(place: FieldPlace) -> bool:
    segments = place.probe.place if place.probe is not None else ()
    return any(isinstance(segment, int) for segment in segments)


def _with_names(step: Mapping[str, Any], path: Path) -> Path:
    """Return a path with the names of items in the place of their positions."""
    made: list[str | int] = []
    for number, segment in enumerate(path):
        member = NAME_MEMBERS.get(str(path[number - 1])) if number else None
        item = at_place(step, path[: number + 1])
        named = member is not None and isinstance(segment, int) and isinstance(item, Mapping)
        made.append(str(item.get(member, segment)) if named else segment)
    return tuple(made)


def as_written(tree: Node, path: Path) -> Path:
    """Return a path without the keys at its end that a short form stands for.

    ``inputs.train.source`` is ``inputs.train`` where nothing but the source is written.
    """
    node: Node | None = tree
    written = 0
    for number, segment in enumerate(path, 1):
        if isinstance(node, MapNode) and segment in node.entries:
            entry = node.entries[str(segment)]
            node = entry.value
            if not isinstance(node, Scalar) or _is_written(entry.key):
                written = number
        elif isinstance(node, Sequence) and isinstance(segment, int) and segment < len(node.items):
            node = node.items[segment]
            written = number
        else:
            return path
    return path[:written]


def _is_written(key: Scalar) -> bool:
    lines = key.source.lines
    line = lines[key.span.line - 1] if key.span.line <= len(lines) else ""
    return line[key.span.column - 1 :].lstrip("\"'").startswith(key.text)


def _dotted(path: Path) -> str:
    return ".".join(str(segment) for segment in path)
