"""What a kind's fields call the parts of its step's object: its probes, read backwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.importer.durations import duration_text
from pipelines.importer.probing import NAME, Item, Key, Named, Probe, probes_of
from steps._contract import Kind
from steps._expressions import Path


@dataclass(frozen=True)
class FieldPlace:
    """A part of a step's object in the words of its kind.

    Args:
        path: from the step down: ``("inputs", "train", "source")``.
        rest: what lies below that in the object.
        probe: what the field's part is known by; None for a part that holds several.
    """

    path: Path
    rest: Path
    probe: Probe | None = None


def field_place(
    kind: Kind, step: Mapping[str, Any], path: Path, fields: Mapping[str, Any]
) -> FieldPlace | None:
    """Return what a part of a step's object is called; None where no field makes it.

    Args:
        step: the step's object in a definition.
        path: from the object down, positions in lists as numbers.
        fields: what the step's definition says, in long form: of two fields that could have made a
            part, the one that is there is meant.
    """
    found = list(_around(kind, step, path))
    if found:
        longest = max(len(path) - len(each.rest) for each in found)
        best = [each for each in found if len(path) - len(each.rest) == longest]
        return next((each for each in best if stands(fields, each.path)), best[0])
    value = at_place(step, path)
    inner = [
        each.path
        for leaf in _leaves(value, path)
        for each in _around(kind, step, leaf)
        if not each.rest
    ]
    common = common_path(inner)
    return FieldPlace(common, ()) if common else None


def field_value(
    kind: Kind, step: Mapping[str, Any], path: Path, fields: Mapping[str, Any], place: FieldPlace
) -> Any:
    """Return what stands at a place of a step's object as the field would say it."""
    value = at_place(step, path)
    if place.probe is not None:
        unit = place.probe.unit
        whole = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return duration_text(value * unit) if unit and whole else value
    made: dict[Any, Any] = {}
    whole = value
    for leaf in _leaves(value, path):
        found = field_place(kind, step, leaf, fields)
        if (
            found is None
            or found.rest
            or found.probe is None
            or found.path[: len(place.path)] != place.path
        ):
            continue
        below = found.path[len(place.path) :]
        if not below:
            whole = field_value(kind, step, leaf, fields, found)
            continue
        here = made
        for segment in below[:-1]:
            here = here.setdefault(segment, {})
        if isinstance(here, dict):
            here[below[-1]] = field_value(kind, step, leaf, fields, found)
    return made or whole


def _around(kind: Kind, step: Mapping[str, Any], path: Path) -> Iterator[FieldPlace]:
    """Yield the fields' parts that make a place of the object, or what is around it."""
    for probe in probes_of(kind.name):
        names = _names(probe.place, step, path)
        if names is not None:
            yield FieldPlace(_filled(probe.path, names), path[len(probe.place) :], probe)


def _names(place: tuple[Any, ...], step: Any, path: Path) -> list[Any] | None:
    """Return the names and positions that a path has in a place; None where it does not fit."""
    if len(place) > len(path):
        return None
    found: list[Any] = []
    here = step
    for wanted, segment in zip(place, path, strict=False):
        inner = at_place(here, (segment,))
        if isinstance(wanted, Key):
            found.append(segment)
        elif isinstance(wanted, Named):
            name = inner.get(wanted.member) if isinstance(inner, Mapping) else None
            if not isinstance(name, str):
                return None
            found.append(name)
        elif isinstance(wanted, Item):
            if not isinstance(segment, int):
                return None
            found.append(segment)
        elif wanted != segment:
            return None
        here = inner
    return found


def _filled(path: tuple[str | int, ...], names: list[Any]) -> Path:
    """Return a probe's path with names and positions in it."""
    texts = [each for each in names if isinstance(each, str)]
    numbers = [each for each in names if isinstance(each, int)]
    made: list[str | int] = []
    for segment in path:
        if segment == NAME and texts:
            made.append(texts.pop(0))
        elif isinstance(segment, int) and numbers:
            made.append(numbers.pop(0))
        else:
            made.append(segment)
    return (*made, *numbers)


def at_place(value: Any, path: Path) -> Any:
    """Return what stands at a path inside a value; None where nothing does."""
    for segment in path:
        if isinstance(value, Mapping):
            value = value.get(str(segment))
        elif isinstance(value, list) and isinstance(segment, int) and segment < len(value):
            value = value[segment]
        else:
            return None
    return value


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    """Yield the places of everything inside a value, itself first."""
    yield path
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield from _leaves(item, (*path, key))


def common_path(paths: list[Path]) -> Path:
    """Return the beginning that all paths share."""
    made: list[str | int] = []
    for segments in zip(*paths, strict=False):
        if any(segment != segments[0] for segment in segments):
            break
        made.append(segments[0])
    return tuple(made)


def stands(fields: Any, path: Path) -> bool:
    """Whether fields say something at a path."""
    for segment in path:
        if isinstance(fields, Mapping):
            known = segment in fields
        else:
            known = isinstance(fields, list) and segment in range(len(fields))
        if not known:
            return False
        fields = fields[segment]
    return True
