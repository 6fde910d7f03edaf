"""A step's fields as a kind's probes read them from the step's object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.importer.building import FILES
from pipelines.importer.documents import document_of
from pipelines.importer.durations import duration_text
from pipelines.importer.probing import NAME, Item, Key, Named, Probe, probes_of
from pipelines.importer.words import flatten
from pipelines.language.schema import resolve_ref
from pipelines.language.source import resolve_plain
from steps._contract import Kind
from steps._expressions import ExecutionRef, Join, SourceFloat, SourceInt, is_expression

_NOTHING = object()


def guesses(kind: Kind, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return every field's value as far as it can be read, in the order of the kind's fields.

    What comes out need not be right: it is tried by building.

    Args:
        wanted: the step's object with the language's expressions in it.
    """
    made: dict[str, Any] = {}
    for probe in probes_of(kind.name):
        _name_items(made, wanted, probe)
        for names, indexes, value in _read(wanted, probe.place):
            read = _converted(value, probe)
            if read is not _NOTHING:
                _put(made, _path(probe, names, indexes), read)
    if "files" in kind.fields and isinstance(wanted.get(FILES), list):
        made["files"] = _files(wanted[FILES])
    if "config" in kind.fields and "config" not in made:
        document = document_of(wanted.get("Arguments", {}).get("JobConfigDocument"))
        if isinstance(document, dict):
            made["config"] = _job_config(document)
    return {name: made[name] for name in kind.fields if name in made}


def _job_config(document: dict[str, Any]) -> dict[str, Any]:
    """Return a job's configuration without the folder of the execution that the kind puts in."""
    output = document.get("OutputDataConfig")
    place = output.get("S3OutputPath") if isinstance(output, dict) else None
    if isinstance(output, dict) and isinstance(place, Join):
        parts = flatten(place)
        if len(parts) == 3 and isinstance(parts[1], ExecutionRef) and parts[2] == "/":
            return {
                **document,
                "OutputDataConfig": {**output, "S3OutputPath": str(parts[0]).rstrip("/")},
            }
    return document


def _name_items(fields: dict[str, Any], wanted: Mapping[str, Any], probe: Probe) -> None:
    """Put in the items of a list that have nothing but their name."""
    member = probe.place.index(_first_named(probe)) if _first_named(probe) else -1
    if member < 0 or len(probe.path) < 3 or probe.path[1] != NAME:
        return
    named = probe.place[member]
    for _, _, items in _read(wanted, probe.place[:member]):
        for item in items if isinstance(items, list) else ():
            name = item.get(named.member) if isinstance(item, Mapping) else None
            if isinstance(name, str) and len(item) == 1:
                _put(fields, (probe.path[0], name), {})


def _first_named(probe: Probe) -> Named | None:
    return next((segment for segment in probe.place if isinstance(segment, Named)), None)


def _read(
    value: Any, place: tuple[Any, ...], names: tuple[str, ...] = (), indexes: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...], Any]]:
    """Yield what stands at a place, with the names and indexes that lead there."""
    if not place:
        yield names, indexes, value
        return
    head, *below = place
    rest = tuple(below)
    if isinstance(head, Key):
        for name, item in value.items() if isinstance(value, Mapping) else ():
            yield from _read(item, rest, (*names, name), indexes)
    elif isinstance(head, (Named, Item)):
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(head, Item):
                yield from _read(item, rest, names, (*indexes, index))
            elif isinstance(item, Mapping) and isinstance(item.get(head.member), str):
                yield from _read(item, rest, (*names, item[head.member]), indexes)
    elif isinstance(head, int):
        if isinstance(value, list) and head < len(value):
            yield from _read(value[head], rest, names, indexes)
    elif isinstance(value, Mapping) and head in value:
        yield from _read(value[head], rest, names, indexes)


def _path(probe: Probe, names: tuple[str, ...], indexes: tuple[int, ...]) -> tuple[str | int, ...]:
    """Return a probe's path with the names and indexes that were found."""
    left, places = list(names), list(indexes)
    made: list[str | int] = []
    for segment in probe.path:
        if segment == NAME and left:
            made.append(left.pop(0))
        elif isinstance(segment, int) and places:
            made.append(places.pop(0))
        else:
            made.append(segment)
    return (*made, *places)


def _put(fields: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    """Put a value where there is none yet; the first, richer form of a field stays."""
    here: Any = fields
    for number, segment in enumerate(path):
        last = number == len(path) - 1
        fresh: Any = value if last else [] if isinstance(path[number + 1], int) else {}
        if isinstance(segment, int):
            if not isinstance(here, list) or segment > len(here):
                return
            if segment == len(here):
                here.append(fresh)
            here = here[segment]
        else:
            if not isinstance(here, dict):
                return
            here = here.setdefault(segment, fresh)


def _converted(value: Any, probe: Probe) -> Any:
    """Return a value of the API as the field writes it; :data:`_NOTHING` where it can't."""
    if probe.unit:
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return duration_text(value * probe.unit) if whole else _NOTHING
    options = [probe.schema, *(resolve_ref(o) for o in probe.schema.get("anyOf", ()))]
    types = {each for option in options for each in _types(option)}
    if isinstance(value, Join) and len(value.values) == 1 and types & {"number", "integer"}:
        value = value.values[0]  # numbers are made texts again where texts are wanted
    if is_expression(value):
        return _NOTHING if any(option.get("x-literal") for option in options) else value
    if "array" in types:
        # One of the items where the field gathers them, else the whole list.
        return value if isinstance(value, list) or Item() in probe.place else _NOTHING
    if not types:
        return value
    if isinstance(value, Mapping):
        return value if "object" in types else _NOTHING
    if isinstance(value, bool):
        return value if "boolean" in types else _NOTHING
    if isinstance(value, (int, float)):
        return value if types & {"number", "integer"} else _NOTHING
    if not isinstance(value, str):
        return _NOTHING
    if types & {"number", "integer"}:
        number = as_number(value)
        if not isinstance(number, str):
            return number
    if types >= {"string", "boolean"} and value in ("true", "false"):
        return value == "true"
    return value if "string" in types else _NOTHING


def _types(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def as_number(text: str) -> Any:
    """Return the number that a text is, remembering how it is written; else the text."""
    value = resolve_plain(text)
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return text
    return SourceInt(value, text) if isinstance(value, int) else SourceFloat(value, text)


def _files(given: list[Any]) -> dict[str, str]:
    made = {}
    for item in given:
        if isinstance(item, Mapping):
            name, output, path = (
                item.get(key) for key in ("PropertyFileName", "OutputName", "FilePath")
            )
            if isinstance(name, str) and isinstance(output, str) and isinstance(path, str):
                made[name] = f"{output}/{path}"
    return made
