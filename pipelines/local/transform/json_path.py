"""The JSONPath expressions that batch transforms filter records with.

Source: Amazon SageMaker Developer Guide, "Associate prediction results with input records",
"Supported JSONPath operators": ``$``, ``.name``, ``*``, ``['a','b']``, ``[1,-1]``, ``[2:5]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 63
"""API reference, DataProcessing: filters are at most 63 characters."""

_DOT = re.compile(r"\.(?P<name>[^\s.\[\]*'\"$,:()?@]+|\*)")
_WILDCARD = re.compile(r"\[\s*\*\s*\]")
_NAMES = re.compile(r"\[\s*(?P<names>'[^']*'(?:\s*,\s*'[^']*')*)\s*\]")
_QUOTED = re.compile(r"'([^']*)'")
# The documentation's own example is $[0,5:]: indices and slices mix.
_PLACES = re.compile(r"\[\s*(?P<places>[-\d:\s,]+)\]")
_INDEX = re.compile(r"-?\d+")
_SLICE = re.compile(r"(-?\d*)\s*:\s*(-?\d*)")


class PathError(ValueError):
    """An expression that is none of the supported ones, or finds nothing in a record."""


@dataclass(frozen=True)
class Path:
    """A parsed expression.

    Attributes:
        text: as written.
        steps: applied one after the other.
    """

    text: str
    steps: tuple[Callable[[Any], Any], ...]

    @property
    def whole(self) -> bool:
        """Whether it takes all of a record."""
        return not self.steps

    def select(self, record: Any) -> Any:
        """Return the part of a record that the expression names.

        One name or index gives what stands there; several names give an object of them, several
        indices and slices a list.

        Raises:
            PathError: the record has no such part.
        """
        found = record
        for step in self.steps:
            found = step(found)
        return found


def parse(text: str) -> Path:
    """Parse an expression.

    Raises:
        PathError: it is none of the supported ones.
    """
    rest = text.strip()
    if len(text) > MAX_LENGTH:
        raise PathError(f"{text[:MAX_LENGTH]!r}… is longer than {MAX_LENGTH} characters")
    if not rest.startswith("$"):
        raise PathError(f"{text!r} does not begin with $")
    rest = rest[1:]
    steps: list[Callable[[Any], Any]] = []
    while rest:
        step, length = _step(rest, text)
        steps.append(step)
        rest = rest[length:]
    return Path(text, tuple(steps))


def _step(rest: str, text: str) -> tuple[Callable[[Any], Any], int]:
    # The documentation writes $.field1.['child1','child2'], with a dot before the bracket.
    dot = 1 if rest.startswith(".[") else 0
    bracket = rest[dot:]
    if match := _WILDCARD.match(bracket):
        return _everything, match.end() + dot
    if match := _NAMES.match(bracket):
        return _members(tuple(_QUOTED.findall(match["names"]))), match.end() + dot
    if match := _PLACES.match(bracket):
        return _places(match["places"], text), match.end() + dot
    if match := _DOT.match(rest):
        name = match["name"]
        return (_everything if name == "*" else _member(name)), match.end()
    raise PathError(f"{text!r}: {rest!r} is none of .name, *, ['name',…], [number,…], [start:end]")


def _everything(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    raise PathError(f"* finds nothing in {_kind(value)}")


def _member(name: str) -> Callable[[Any], Any]:
    def select(value: Any) -> Any:
        if isinstance(value, list):
            # Behind a wildcard or a slice: of each.
            return [select(each) for each in value]
        if not isinstance(value, dict):
            raise PathError(f"there is no {name!r} in {_kind(value)}")
        if name not in value:
            there = ", ".join(map(repr, list(value)[:10])) or "nothing"
            raise PathError(f"there is no {name!r}; there is {there}")
        return value[name]

    return select


def _members(names: tuple[str, ...]) -> Callable[[Any], Any]:
    if len(names) == 1:
        return _member(names[0])
    return lambda value: {name: _member(name)(value) for name in names}


def _places(text: str, whole: str) -> Callable[[Any], Any]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 1 and _INDEX.fullmatch(parts[0]):
        index = int(parts[0])
        return lambda value: _at(_list(value), index)
    for part in parts:
        if not _INDEX.fullmatch(part) and not _SLICE.fullmatch(part):
            raise PathError(f"{whole!r}: {part!r} is neither a number nor start:end")

    def select(value: Any) -> list[Any]:
        items = _list(value)
        found: list[Any] = []
        for part in parts:
            match = _SLICE.fullmatch(part)
            if match is None:
                found.append(_at(items, int(part)))
            else:
                start, end = (int(each) if each else None for each in match.groups())
                found += items[start:end]
        return found

    return select


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PathError(f"an index needs a list, not {_kind(value)}")
    return value


def _at(items: list[Any], index: int) -> Any:
    """**API reference**, OutputFilter: an index beyond the record's size is an error."""
    if not -len(items) <= index < len(items):
        raise PathError(f"there is no place {index} among {len(items)}")
    return items[index]


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "a text", type(None): "null"}.get(
        type(value), "a number"
    )
