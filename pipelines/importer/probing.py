"""Where each field of a kind ends up in the step's object, found by trying.

A kind declares its fields and builds a request of them; nothing says how to go back. So every
field, and every part of a field with a schema of its own, is given a mark no definition holds, the
request is built, and where the mark turns up is the place that the field's value is read from.
A kind that is new, or that gets another field, needs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipelines.importer.building import build
from pipelines.language.schema import resolve_ref
from steps import kind_named
from steps._contract import Kind
from steps._expressions import ExprType, Join, LoopRef
from steps._shared_fields import FAN_IN

STEP_FIELDS = ("if", "then", "else", "steps", "items", "select")
"""Fields that hold steps or what belongs to them; they are read on their own."""

NAME = "markname"
"""Stands where a field has a name that the user chooses."""

_MINUTES = 7777
_DURATION = f"{_MINUTES}m"


@dataclass(frozen=True)
class Key:
    """In a place: any key of a map, which is the name."""


@dataclass(frozen=True)
class Named:
    """In a place: any item of a list, whose ``member`` is the name."""

    member: str


@dataclass(frozen=True)
class Item:
    """In a place: any item of a list that the field is a list for as well."""


Place = tuple[Any, ...]
"""Keys and indexes from the step's object down, with :class:`Key`, :class:`Named`, :class:`Item`.
"""


@dataclass(frozen=True)
class Probe:
    """A part of a field and where its value ends up.

    Args:
        path: from the fields down; :data:`NAME` stands for any name, 0 for any item.
        place: from the step's object down.
        schema: the part's schema.
        unit: seconds of one unit, for durations.
    """

    path: tuple[str | int, ...]
    place: Place
    schema: Mapping[str, Any]
    unit: int = 0


@lru_cache(maxsize=64)
def probes_of(kind_name: str) -> tuple[Probe, ...]:
    """Return the probes of a kind, in the order of its fields."""
    kind = kind_named(kind_name)
    assert kind is not None
    found: dict[tuple[Any, Any], Probe] = {}
    for name, field in kind.fields.items():
        if name in STEP_FIELDS:
            continue
        parts = list(_parts(resolve_ref(field.schema), (name,)))
        beside = [probe for group in _groups(parts) for probe in _together(kind, group)]
        alone = [probe for path, schema in parts for probe in _probed(kind, path, schema)]
        for probe in (*beside, *alone):
            found.setdefault((probe.path, probe.place), probe)
    return tuple(found.values())


def _parts(
    schema: Any, path: tuple[str | int, ...], depth: int = 0
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    """Yield the parts of a field, the richest forms first, with their schemas."""
    schema = resolve_ref(schema)
    if not isinstance(schema, Mapping) or depth > 8 or schema.get("x-path"):
        return
    options = [resolve_ref(option) for option in schema.get("anyOf", ())]
    if options and all(_is_scalar(option) for option in options):
        if not any(option.get("x-path") for option in options):
            yield path, schema
        return
    if options:
        for option in sorted(options, key=_richness):
            yield from _parts(option, path, depth + 1)
        return
    if schema.get("type") == "object" or "properties" in schema:
        yield from _parts_of_map(schema, path, depth)
    elif schema.get("type") == "array":
        items = resolve_ref(schema.get("items", {}))
        if isinstance(items, Mapping) and items.get("type") == "object":
            yield from _parts(items, (*path, 0), depth + 1)
        else:
            yield path, schema
    elif schema.get("type") != "null":
        yield path, schema


def _parts_of_map(
    schema: Mapping[str, Any], path: tuple[str | int, ...], depth: int
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    for name, part in schema.get("properties", {}).items():
        if name not in FAN_IN:
            yield from _parts(part, (*path, name), depth + 1)
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        yield from _parts(extra, (*path, NAME), depth + 1)
    elif "properties" not in schema:
        yield path, schema


def _is_scalar(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    return kind in ("string", "integer", "number", "boolean") or isinstance(kind, list)


def _richness(schema: Mapping[str, Any]) -> int:
    if "properties" in schema:
        return 0
    return {"object": 1, "array": 2, "null": 9}.get(str(schema.get("type")), 3)


def _probed(kind: Kind, path: tuple[str | int, ...], schema: Mapping[str, Any]) -> Iterator[Probe]:
    """Yield where a part ends up: built alone first, then beside other fields."""
    for beside in ({}, *_companions(kind, path[0])):
        found = [
            Probe(path, place, schema, unit)
            for mark, sought, unit in _marks(schema)
            for place in _places(kind, path, schema, (mark, sought), beside)
        ]
        names = path.count(NAME)
        fitting = [p for p in found if sum(isinstance(s, (Key, Named)) for s in p.place) == names]
        if fitting:
            yield from fitting
            return


@lru_cache(maxsize=64)
def words_of(kind_name: str) -> tuple[tuple[tuple[str | int, ...], tuple[Any, ...]], ...]:
    """Return the parts of a kind's fields that take one of a few words and end up nowhere.

    What such a word does to the request can only be tried.

    Returns:
        The parts' paths, each with its words; none are parts of a list's items.
    """
    kind = kind_named(kind_name)
    assert kind is not None
    known = {probe.path for probe in probes_of(kind_name)}
    made = []
    for name, field in kind.fields.items():
        if name in STEP_FIELDS:
            continue
        for path, schema in _parts(resolve_ref(field.schema), (name,)):
            options = [schema, *(resolve_ref(option) for option in schema.get("anyOf", ()))]
            words = [word for option in options for word in option.get("x-choice", ())]
            if any(option.get("type") == "boolean" for option in options):
                words += [True, False]
            if words and path not in known and 0 not in path:
                made.append((path, tuple(words)))
    return tuple(made)


_Part = tuple[tuple[str | int, ...], Mapping[str, Any]]


def _groups(parts: list[_Part]) -> Iterator[list[_Part]]:
    """Yield parts of a field that say something together.

    All parts of a field with known members, such as two inputs of which the second stands behind
    the first; and the numbers of one block, such as the two whole ends of a range.
    """
    if len(parts) > 1 and all(NAME not in path for path, _ in parts):
        yield parts
    blocks: dict[tuple[str | int, ...], list[_Part]] = {}
    for path, schema in parts:
        if len(path) > 1 and "number" in _types(schema):
            blocks.setdefault(path[:-1], []).append((path, schema))
    yield from blocks.values()


def _together(kind: Kind, group: list[_Part]) -> Iterator[Probe]:
    """Yield where parts end up that are all given at once."""
    fields: dict[str, Any] = {}
    marks: dict[tuple[str | int, ...], LoopRef] = {}
    for number, (path, schema) in enumerate(group):
        kind_of_mark: ExprType = "integer" if _types(schema) & {"integer", "number"} else "string"
        mark = LoopRef(f"mark.{number}", kind_of_mark)
        plain = "x-duration" not in schema and "array" not in _types(schema)
        if plain and _set(fields, path, mark):
            marks[path] = mark
    built = build(kind, NAME, fields) if marks else None
    for path, schema in group:
        for place in _found(built, marks[path]) if path in marks else ():
            yield Probe(path, _generalised(place, path, is_list=False), schema)


def _set(fields: dict[str, Any], path: tuple[str | int, ...], value: Any) -> bool:
    """Put a value at a path where nothing is in the way; say whether it was put."""
    here: Any = fields
    for segment in path[:-1]:
        if not isinstance(here, dict) or isinstance(segment, int):
            return False
        here = here.setdefault(segment, {})
    if not isinstance(here, dict) or path[-1] in here:
        return False
    here[path[-1]] = value
    return True


def _types(schema: Mapping[str, Any]) -> set[str]:
    options = [schema, *(resolve_ref(option) for option in schema.get("anyOf", ()))]
    return {str(option.get("type")) for option in options}


def _marks(schema: Mapping[str, Any]) -> Iterator[tuple[Any, Any, int]]:
    """Yield what is put in for a part, what is then looked for, and the unit of durations.

    Expressions, and words where a kind looks at the value.
    """
    options = [schema, *(resolve_ref(option) for option in schema.get("anyOf", ()))]
    if any(option.get("x-duration") for option in options):
        yield from ((_DURATION, _MINUTES * 60, 1), (_DURATION, _MINUTES, 60))
        return
    text, number = LoopRef("mark.string", "string"), LoopRef("mark.integer", "integer")
    yield text, text, 0
    types = {str(option.get("type")) for option in options}
    if types & {"integer", "number"}:
        yield number, number, 0
    if "boolean" in types:
        yield True, True, 0
    for option in options:
        yield from ((word, word, 0) for word in option.get("x-choice", ())[-1:])


def _places(
    kind: Kind,
    path: tuple[str | int, ...],
    schema: Mapping[str, Any],
    marks: tuple[Any, Any],
    beside: Mapping[str, Any],
) -> Iterator[Place]:
    is_list = schema.get("type") == "array"
    mark, sought = marks
    built = build(kind, NAME, {**beside, **_fields(path, [mark] if is_list else mark)})
    # A word such as true may stand somewhere anyway.
    plain = isinstance(sought, (bool, str))
    anyway = set(_found(build(kind, NAME, beside), sought)) if plain else set()
    for place in (each for each in _found(built, sought) if each not in anyway):
        whole = is_list and place and place[-1] == 0
        yield _generalised(place[:-1] if whole else place, path, is_list=is_list and not whole)


def _companions(kind: Kind, name: str | int) -> Iterator[dict[str, Any]]:
    """Yield other fields, one at a time, that a field may need to say anything."""
    for other, field in kind.fields.items():
        options = [field.schema, *field.schema.get("anyOf", ())]
        if other == name or other in STEP_FIELDS:
            continue
        for option in options:
            yield from ({other: word} for word in option.get("x-choice", ()))
        if any(isinstance(option.get("additionalProperties"), Mapping) for option in options):
            yield {other: {"other": {}}}
        elif any(resolve_ref(option.get("items", {})).get("properties") for option in options):
            yield {other: [{}, {}]}


def _fields(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    made = value
    for segment in reversed(path):
        made = [made] if isinstance(segment, int) else {segment: made}
    return dict(made)


def _found(value: Any, mark: Any, place: Place = ()) -> Iterator[Place]:
    """Yield where a mark stands; list items that the name names are :class:`Named` at once."""
    if (isinstance(value, Join) and value.values == (mark,)) or (
        type(value) is type(mark) and value == mark
    ):
        yield place
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _found(item, mark, (*place, Key() if name == NAME else name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            members = item.items() if isinstance(item, Mapping) else ()
            member = next((key for key, part in members if part == NAME), "")
            yield from _found(item, mark, (*place, Named(member) if member else index))


def _generalised(place: Place, path: tuple[str | int, ...], *, is_list: bool) -> Place:
    """Return a place in which indexes that the field has itself stand for any item."""
    indexes = sum(isinstance(segment, int) for segment in path) + is_list
    made: list[Any] = []
    for segment in place:
        if isinstance(segment, int) and indexes:
            made.append(Item())
            indexes -= 1
        else:
            made.append(segment)
    return tuple(made)
