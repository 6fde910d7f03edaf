"""Parsed YAML as a tree in which every key and value knows where it was written.

Trees are never changed in place: merging and templating make new trees that share what stayed.
"""

from __future__ import annotations

import bisect
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any, Union

from steps._expressions import Path, SourceFloat, SourceInt

Value = Union[str, int, float, bool, None]


@dataclass(frozen=True)
class Source:
    """A text that definitions were read from.

    Args:
        path: the file, absolute; a made-up name in the working directory for standard input.
        name: how messages call it.
        text: its text.
    """

    path: FilePath
    name: str
    text: str = field(repr=False, default="")

    @property
    def folder(self) -> FilePath:
        """The folder that relative paths in this file start from."""
        return self.path.parent

    @cached_property
    def lines(self) -> list[str]:
        """The text's lines, without their ends."""
        return self.text.splitlines()

    def at(self, offset: int) -> Span:
        """Return the place of one character of the text."""
        before = (self.text[:offset] + "x").splitlines()
        return Span(len(before), len(before[-1]), len(before[-1]) + 1)


@dataclass(frozen=True, order=True)
class Span:
    """A place on one line: line and columns count from 1, ``end`` is one past the last column."""

    line: int
    column: int
    end: int


@dataclass(frozen=True)
class Scalar:
    """A leaf. ``text`` is the value as written (without quotes), ``quoted`` says how."""

    value: Value
    text: str
    source: Source
    span: Span
    quoted: bool = False
    block: bool = False


@dataclass(frozen=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    source: Source
    span: Span


@dataclass(frozen=True)
class Entry:
    """One key of a map with its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True)
class MapNode:
    """A map; keys are text, in the order of the file."""

    entries: dict[str, Entry]
    source: Source
    span: Span


Node = Union[Scalar, Sequence, MapNode]


def plain(node: Node) -> Any:
    """Return the node as plain data; numbers remember how they were written."""
    if isinstance(node, MapNode):
        return {name: plain(entry.value) for name, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if isinstance(node.value, float):
        return SourceFloat(node.value, node.text)
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return SourceInt(node.value, node.text)
    return node.value


def get(node: Node | None, *path: str | int) -> Node | None:
    """Return the node at ``path`` below ``node``, or None where there is none."""
    for segment in path:
        if isinstance(node, MapNode) and isinstance(segment, str):
            entry = node.entries.get(segment)
            node = entry.value if entry else None
        elif isinstance(node, Sequence) and isinstance(segment, int):
            node = node.items[segment] if 0 <= segment < len(node.items) else None
        else:
            return None
    return node


def locate(root: Node, path: Path, *, at_key: bool = False) -> tuple[Source, Span]:
    """Return where the value (or key) at ``path`` was written.

    Where the path leads nowhere (a short form has no inner places), its nearest ancestor's place
    is returned: this one function turns every path into a line and column.
    """
    node, key = root, None
    for segment in path:
        if isinstance(node, MapNode) and segment in node.entries:
            entry = node.entries[str(segment)]
            key, node = entry.key, entry.value
        elif isinstance(node, Sequence) and isinstance(segment, int) and segment < len(node.items):
            key, node = None, node.items[segment]
        else:
            return (key.source, key.span) if key is not None else (node.source, node.span)
    if key is not None and (at_key or not isinstance(node, Scalar)):
        return key.source, key.span
    return node.source, node.span


def with_entry(node: MapNode, name: str, value: Node, key: Scalar | None = None) -> MapNode:
    """Return ``node`` with ``name`` set; its key's place is the value's where none is given."""
    known = node.entries.get(name)
    at = key or (known.key if known else key_at(name, value))
    return replace(node, entries={**node.entries, name: Entry(at, value)})


def without(node: MapNode, *names: str) -> MapNode:
    """Return ``node`` without the keys ``names``."""
    return replace(node, entries={n: e for n, e in node.entries.items() if n not in names})


def key_at(name: str, value: Node) -> Scalar:
    """Return a key called ``name`` that stands where ``value`` stands."""
    return Scalar(name, name, value.source, value.span)


def mapping(entries: Mapping[str, Node], like: Node) -> MapNode:
    """Return a map of ``entries`` that stands where ``like`` stands."""
    made = {name: Entry(key_at(name, value), value) for name, value in entries.items()}
    return MapNode(made, like.source, like.span)


def written(value: Any, at: Scalar) -> Node:
    """Return plain data as a tree that stands where ``at`` stands."""
    if isinstance(value, Mapping):
        return mapping({name: written(item, at) for name, item in value.items()}, at)
    if isinstance(value, list):
        return Sequence(tuple(written(item, at) for item in value), at.source, at.span)
    return Scalar(value, str(value), at.source, at.span, quoted=True)


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Yield every leaf with its path."""
    if isinstance(node, MapNode):
        for name, entry in node.entries.items():
            yield from walk(entry.value, (*path, name))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from walk(item, (*path, index))
    else:
        yield path, node


def inside(scalar: Scalar, offset: int, length: int) -> Span:
    """Return where ``length`` characters at ``offset`` of a scalar's value were written.

    The value of a quoted, folded or literal scalar is not its source text, so both are read side by
    side. Where a template has changed the value, the same characters are looked for in the scalar's
    line; where that fails too, the scalar's own place is the answer.
    """
    if not isinstance(scalar.value, str):
        return scalar.span
    runs = _runs(scalar)
    index = bisect.bisect_right(runs, (offset, sys.maxsize, 0, 0)) - 1
    if index >= 0 and offset < runs[index][1]:
        begin, end, line, column = runs[index]
        start = column + offset - begin
        return Span(line, start, start + max(1, min(length, end - offset)))
    word = scalar.value[offset : offset + length]
    lines = scalar.source.lines
    if not runs and word and scalar.span.line <= len(lines):
        found = lines[scalar.span.line - 1].find(word, scalar.span.column - 1, scalar.span.end - 1)
        if found >= 0:
            return Span(scalar.span.line, found + 1, found + 1 + len(word))
    return scalar.span


_PARTS = {
    '"': re.compile(r'(?P<escape>\\(?:x..|u.{4}|U.{8}|.?))|(?P<end>")|(?P<run>[^\\"]+)'),
    "'": re.compile(r"(?P<escape>'')|(?P<end>')|(?P<run>[^']+)"),
    "": re.compile(r"(?P<run>.+)"),
}


@lru_cache(maxsize=32)
def _runs(scalar: Scalar) -> tuple[tuple[int, int, int, int], ...]:
    """Return the stretches of a scalar's value that stand in its source as they are.

    Each is begin and end in the value, line, and column; empty where the value is not what the
    source says (a template changed it).
    """
    value, lines = str(scalar.value), scalar.source.lines
    runs: list[tuple[int, int, int, int]] = []
    position, number, start = 0, scalar.span.line - 1, scalar.span.column - 1
    quote = ""
    if scalar.quoted and number < len(lines):
        quote = lines[number][start : start + 1]
        start += 1
    if scalar.block:
        number, start = number + 1, 0
    parts = _PARTS.get(quote, _PARTS[""])
    while position < len(value) and number < len(lines):
        line = lines[number]
        folded = number > scalar.span.line - 1
        if folded:
            start = len(line) - len(line.lstrip())
            while position < len(value) and value[position] in " \t\n":
                position += 1
        stop = len(line.rstrip())
        for part in parts.finditer(line, start, max(start, stop)):
            if part.lastgroup == "end":
                return tuple(runs) if position == len(value) else ()
            if part.lastgroup == "escape":
                # An escaped line break stands for nothing, every other escape for one character.
                position += 1 if len(part.group()) > 1 else 0
                continue
            begin, size = part.start(), min(len(part.group()), len(value) - position)
            if not quote and size < len(part.group()):
                part_text = part.group()[:size]
            else:
                part_text = part.group()
            if not value.startswith(part_text, position):
                return ()
            runs.append((position, position + size, number + 1, begin + 1))
            position += size
        number += 1
    return tuple(runs) if not value[position:].strip() else ()
