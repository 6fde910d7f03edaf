"""``# sagedag: ignore[CODE] reason``: findings that somebody looked at and accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from pipelines.language.nodes import Source, Span

_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*sagedag:\s*ignore\s*(?:\[([^\]\n]*)\])?\s*[-:–—]*\s*(.*)$")
MARK = "sagedag:"


@dataclass(frozen=True)
class Ignore:
    """One comment.

    Args:
        source, span: where it stands.
        line: the line that it is about.
        codes: what it ignores; empty where it names nothing.
        reason: why.
    """

    source: Source
    span: Span
    line: int
    codes: tuple[str, ...]
    reason: str


def read_ignores(source: Source) -> Iterator[Ignore]:
    """Yield the comments of a file.

    A comment behind something is about its line; one on a line of its own is about the next line
    that is not a comment.
    """
    if MARK not in source.text:
        return
    inside = _inside_of_texts(source.text)
    offset = 0
    for number, line in enumerate(source.text.splitlines(keepends=True), 1):
        found = _COMMENT.search(line.rstrip("\r\n"))
        if found and not any(begin <= offset + found.start() < end for begin, end in inside):
            codes = tuple(c.strip() for c in (found[1] or "").split(",") if c.strip())
            span = Span(number, found.start() + 1, len(line.rstrip()) + 1)
            about = number if line[: found.start()].strip() else _next(source.lines, number)
            yield Ignore(source, span, about, codes, found[2].strip())
        offset += len(line)


def _next(lines: list[str], number: int) -> int:
    """Return the first line after ``number`` that is neither empty nor a comment."""
    for index in range(number, len(lines)):
        text = lines[index].strip()
        if text and not text.startswith("#"):
            return index + 1
    return number


def _inside_of_texts(text: str) -> list[tuple[int, int]]:
    """Return where quoted texts and blocks stand: a ``#`` in one begins no comment."""
    try:
        tokens = list(yaml.scan(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return []  # the definition's own errors are told elsewhere
    return [
        (t.start_mark.index, t.end_mark.index) for t in tokens if isinstance(t, yaml.ScalarToken)
    ]
