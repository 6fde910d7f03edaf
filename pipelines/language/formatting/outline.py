"""Reads YAML into an outline: what stands where, without making values of it.

The formatter moves lines, so it needs positions and nothing else. The outline is built from parser
events, one at a time, so that a limit is noticed before anything deep exists: PyYAML's C composer
recurses on the C stack and takes the whole process down on some 30,000 open brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from pipelines.language.events import TooDeep, parse_events

MAX_CHARACTERS = 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 50_000
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"

_BREAK = re.compile(r"\r\n|\r|\n")
# YAML 1.1 counts these as line breaks, YAML 1.2 and every editor do not.
_DOUBTFUL_BREAK = re.compile("[\x85\u2028\u2029]")
_BLOCK_HEADER = re.compile(r"(?:[&!]\S*[ \t]+)*[|>]([0-9+-]*)")


class FormatRefused(Exception):
    """The text cannot be formatted safely.

    Args:
        message: why, in one line.
        line: the line it is about, from 1.
        column: the column it is about, from 1.
    """

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass
class Scalar:
    """A leaf: its text and what decides its type."""

    line: int
    column: int
    value: str
    tag: str | None
    plain: bool
    anchors: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()


@dataclass
class Alias:
    """An alias and the node it stands for."""

    line: int
    column: int
    target: Node
    anchors: frozenset[str]
    aliases: frozenset[str]


@dataclass
class Sequence:
    """A list, in either style."""

    line: int
    column: int
    tag: str | None
    items: list[Node] = field(default_factory=list)
    anchors: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()


@dataclass
class Mapping:
    """A mapping; ``flow`` says it is written in braces."""

    line: int
    column: int
    tag: str | None
    flow: bool
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    anchors: frozenset[str] = frozenset()
    aliases: frozenset[str] = frozenset()

    def value(self, key: str) -> Node | None:
        """Return the value under the scalar key ``key``, or None."""
        for name, value in self.pairs:
            if isinstance(name, Scalar) and name.value == key:
                return value
        return None


Node = Scalar | Alias | Sequence | Mapping


@dataclass
class Outline:
    """One document.

    Attributes:
        lines: the text's lines, each with its line break.
        root: the document's node; None where the text holds no document.
        end: the line (from 0) where the document's content ends.
        kept: lines whose trailing white space belongs to a value.
        inside: lines that lie inside a scalar, so that a `#` there starts no comment.
        keeping: lines inside a block scalar that keeps its trailing line breaks (`|+`).
        open_ended: the block scalar that the end of the file cuts off, as (line, column), if any.
    """

    lines: list[str]
    root: Node | None = None
    end: int = 0
    kept: set[int] = field(default_factory=set)
    inside: set[int] = field(default_factory=set)
    keeping: set[int] = field(default_factory=set)
    open_ended: tuple[int, int] | None = None


def split_lines(text: str) -> list[str]:
    """Split at YAML's line breaks, each line with its own break."""
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    ends = [*starts[1:], len(text)]
    return [text[a:b] for a, b in zip(starts, ends, strict=True) if a < b]


def read_outline(text: str) -> Outline:
    """Read the one document in ``text``.

    Raises:
        FormatRefused: not YAML, more than one document, too large, too deep, or written with
            something that a formatter cannot be sure about.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatRefused(f"the file is larger than {MAX_CHARACTERS:,} characters")
    lines = split_lines(text)
    for number, line in enumerate(lines):
        if doubtful := _DOUBTFUL_BREAK.search(line):
            raise FormatRefused(
                f"the character U+{ord(doubtful[0]):04X} is a line break to some YAML readers and "
                "none to others; write it as an escape in double quotes",
                number + 1,
                doubtful.start() + 1,
            )
    reader = _Reader(Outline(lines, end=len(lines)))
    try:
        for event in parse_events(text, MAX_DEPTH):
            reader.take(event)
    except TooDeep as found:
        raise FormatRefused(TOO_DEEP, found.line + 1, found.column + 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise FormatRefused(f"not readable as YAML: {error.problem}", *place) from None
    except (yaml.YAMLError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
        raise FormatRefused(f"not readable as YAML: {reason}") from None
    return reader.outline


def _start(event: yaml.Event) -> tuple[int, int]:
    # The stubs allow a mark to be missing; a parser's events always have one.
    mark = event.start_mark
    return (mark.line, mark.column) if mark else (0, 0)


def _end(event: yaml.Event) -> tuple[int, int]:
    mark = event.end_mark
    return (mark.line, mark.column) if mark else (0, 0)


class _Reader:
    """Takes events in order and grows the outline."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self._stack: list[Sequence | Mapping] = []
        self._anchor_of: list[str | None] = []
        self._key: list[Node | None] = []
        self._anchored: dict[str, Node] = {}
        self._open: set[str] = set()
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the stream."""
        if isinstance(event, yaml.DocumentStartEvent):
            if self.outline.root is not None:
                line, _ = _start(event)
                raise FormatRefused("the file holds more than one document", line + 1)
        elif isinstance(event, yaml.DocumentEndEvent):
            if event.explicit:
                self.outline.end = _start(event)[0]
        elif isinstance(event, yaml.NodeEvent):
            self._take_node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()

    def _take_node(self, event: yaml.NodeEvent) -> None:
        line, column = _start(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise FormatRefused(f"more than {MAX_NODES:,} nodes", line + 1, column + 1)
        if isinstance(event, yaml.AliasEvent):
            self._place(self._alias(event, line, column))
            return
        anchor: str | None = event.anchor
        if isinstance(event, yaml.ScalarEvent):
            self._mark_lines(event)
            scalar = Scalar(line, column, event.value, event.tag, bool(event.implicit[0]))
            if anchor is not None:
                scalar.anchors = frozenset((anchor,))
                self._anchored[anchor] = scalar
            self._place(scalar)
            return
        if len(self._stack) >= MAX_DEPTH:
            raise FormatRefused(TOO_DEEP, line + 1, column + 1)
        if isinstance(event, yaml.MappingStartEvent):
            self._stack.append(Mapping(line, column, event.tag, bool(event.flow_style)))
        elif isinstance(event, yaml.SequenceStartEvent):
            self._stack.append(Sequence(line, column, event.tag))
        self._anchor_of.append(anchor)
        self._key.append(None)
        if anchor is not None:
            self._open.add(anchor)

    def _alias(self, event: yaml.AliasEvent, line: int, column: int) -> Alias:
        name = str(event.anchor)
        if name in self._open:
            raise FormatRefused(f"the alias `*{name}` stands inside itself", line + 1, column + 1)
        if name not in self._anchored:
            raise FormatRefused(f"there is no anchor `&{name}` above", line + 1, column + 1)
        return Alias(line, column, self._anchored[name], frozenset(), frozenset((name,)))

    def _close(self) -> None:
        node = self._stack.pop()
        anchor = self._anchor_of.pop()
        self._key.pop()
        children: list[Node] = (
            node.items
            if isinstance(node, Sequence)
            else [part for pair in node.pairs for part in pair]
        )
        own = frozenset(() if anchor is None else (anchor,))
        node.anchors = own.union(*(child.anchors for child in children))
        node.aliases = frozenset().union(*(child.aliases for child in children))
        if isinstance(node, Mapping):
            _refuse_duplicates(node)
        if anchor is not None:
            self._open.discard(anchor)
            self._anchored[anchor] = node
        self._place(node)

    def _place(self, node: Node) -> None:
        if not self._stack:
            self.outline.root = node
            return
        parent = self._stack[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self._key[-1]
        if key is None:
            self._key[-1] = node
        else:
            parent.pairs.append((key, node))
            self._key[-1] = None

    def _mark_lines(self, event: yaml.ScalarEvent) -> None:
        """Remember which lines the scalar covers, so that nobody takes them for comments."""
        outline = self.outline
        (first, column), (last, end_column) = _start(event), _end(event)
        if event.style not in ("|", ">"):
            if event.style in ("'", '"'):
                outline.kept.update(range(first, last))
            outline.inside.update(range(first + 1, last + 1))
            return
        header = _BLOCK_HEADER.match(outline.lines[first], column)
        keep = header is None or "+" in header[1]
        # The end mark stands at the start of the line after the trailing blank ones; where the
        # file ends without a line break it stands at the end of the last line.
        stop = last if end_column == 0 else last + 1
        stop = min(stop, len(outline.lines))
        if not keep:
            while stop > first + 1 and outline.lines[stop - 1] in ("\n", "\r\n", "\r"):
                stop -= 1
        covered = range(first + 1, stop)
        outline.kept.update(covered)
        outline.inside.update(covered)
        if keep:
            outline.keeping.update(range(first, stop))
        cut_off = stop == len(outline.lines) and not outline.lines[-1].endswith(("\n", "\r"))
        if cut_off and covered and not (header and "-" in header[1]):
            outline.open_ended = (first, column)


def _refuse_duplicates(mapping: Mapping) -> None:
    seen: set[str] = set()
    for key, _ in mapping.pairs:
        if isinstance(key, Scalar):
            if key.value in seen:
                raise FormatRefused(
                    f"the key `{key.value[:80]}` stands twice in one mapping",
                    key.line + 1,
                    key.column + 1,
                )
            seen.add(key.value)
