"""``# sagedag: ignore[CODE] reason``: findings that somebody looked at and accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.language.nodes import Source, Span
from pipelines.lint.written import scalars

_MARK = r"(?:^|(?<=\s))#\s*sagedag\s*:\s*ignore"
_COMMENT = re.compile(
    rf"{_MARK}\s*(?:\[([^\]\n]*)\])?\s*[-:–—]*\s*(.*?)(?={_MARK}|$)", re.IGNORECASE
)


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
    if not re.search(_MARK, source.text, re.IGNORECASE | re.MULTILINE):
        return
    inside = [(begin, end) for _, begin, end in scalars(source.text)]  # a `#` there is none
    offset = 0
    for number, line in enumerate(source.text.splitlines(keepends=True), 1):
        for found in _COMMENT.finditer(line.rstrip()):
            if any(begin <= offset + found.start() < end for begin, end in inside):
                continue
            codes = tuple(c.strip() for c in (found[1] or "").split(",") if c.strip())
            span = Span(number, found.start() + 1, found.end() + 1)
            # What stands before it on its line may be another comment.
            before = line[: found.start()].partition("#")[0].strip()
            about = number if before else _next(source.lines, number)
            yield Ignore(source, span, about, codes, found[2].strip())
        offset += len(line)


def _next(lines: list[str], number: int) -> int:
    """Return the first line after ``number`` that is neither empty nor a comment."""
    for index in range(number, len(lines)):
        text = lines[index].strip()
        if text and not text.startswith("#"):
            return index + 1
    return number
