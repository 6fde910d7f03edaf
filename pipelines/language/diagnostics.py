"""Diagnostics: what is wrong, where, and how they are printed."""

from __future__ import annotations

import difflib
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from pipelines.errors import DefinitionError
from pipelines.language.foreign import settle
from pipelines.language.nodes import Node, Source, Span, locate
from steps._contract import Problem
from steps._expressions import Path

Level = Literal["error", "warning", "info"]
FORMATS = ("text", "json", "github", "sarif")


@dataclass(frozen=True)
class Diagnostic:
    """One message at one place.

    Args:
        code: stable; ``sagedag explain CODE`` tells more.
        message: one sentence, no full stop.
        hint: what to do; may be empty.
    """

    code: str
    source: Source
    span: Span
    message: str
    hint: str = ""
    level: Level = "error"

    @property
    def sort_key(self) -> tuple[str, Span, str, str]:
        """Order by file, then position, then code."""
        return self.source.name, self.span, self.code, self.message


class InvalidDefinition(DefinitionError):
    """A definition has errors.

    Args:
        diagnostics: all of them, in order.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = next((d for d in self.diagnostics if d.level == "error"), None)
        where = f"{first.source.name}:{first.span.line}: {first.message}" if first else ""
        super().__init__(f"the definition is invalid: {where}")


class Report:
    """Collects diagnostics; the same message at the same place is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span, str, str], Diagnostic] = {}
        self._blamed: set[Path] = set()
        self._blamed_keys: set[Path] = set()

    def add(
        self,
        code: str,
        source: Source,
        span: Span,
        message: str,
        hint: str = "",
        level: Level = "error",
    ) -> None:
        """Add a diagnostic at a known place."""
        made = Diagnostic(code, source, span, _legible(message), _legible(hint), level)
        self._found.setdefault(made.sort_key, made)

    def at(self, node: Node, code: str, message: str, hint: str = "") -> None:
        """Add an error at a node."""
        self.add(code, node.source, node.span, message, hint)

    def problem(self, root: Node, problem: Problem, base: Path = ()) -> None:
        """Add a kind's problem; ``base`` leads from ``root`` to the step."""
        source, span = locate(root, (*base, *problem.path), at_key=problem.at_key)
        if problem.level == "error":
            # A wrong or a missing key says nothing about the values below.
            (self._blamed_keys if problem.at_key else self._blamed).add((*base, *problem.path))
        self.add(problem.code, source, span, problem.message, problem.hint, problem.level)

    def blame(self, path: Path) -> None:
        """Remember that an error was told at a path of the definition."""
        self._blamed.add(path)

    def blames(self, path: Path) -> bool:
        """Whether an error was told at a path, below it, or at a value above it."""
        return any(each[: len(path)] == path[: len(each)] for each in self._blamed) or any(
            each[: len(path)] == path for each in self._blamed_keys
        )

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """All of them, in order."""
        return sorted(self._found.values(), key=lambda d: d.sort_key)

    @property
    def failed(self) -> bool:
        """Whether there is an error among them."""
        return any(d.level == "error" for d in self._found.values())

    def stop_if_failed(self) -> None:
        """Raise InvalidDefinition if there is an error."""
        if self.failed:
            raise InvalidDefinition(self.diagnostics)


_LONGEST_WORD = 200
_LONGEST_MESSAGE = 600
_MANY = 40


def _alike(one: str, other: str) -> int:
    """Count the letters that two words share at the beginning and at the end."""
    pairs = (zip(one, other), zip(reversed(one), reversed(other)))  # noqa: B905  # the shorter ends
    return sum(1 for pair in pairs for _ in itertools.takewhile(lambda p: p[0] == p[1], pair))


def _legible(text: str) -> str:
    """Return a message with foreign text as it was, and cut where it quotes something endless."""
    plain = str(settle(text))
    return plain if len(plain) <= _LONGEST_MESSAGE else f"{plain[:400]}…{plain[-150:]}"


def nearest(word: str, options: Iterable[str]) -> str:
    """Return the option that was probably meant, or the empty text."""
    choices = list(options)
    folded = {option.lower().replace("_", "-"): option for option in choices}
    key = word.lower().replace("_", "-")
    if key in folded:
        return folded[key]
    if len(key) > _LONGEST_WORD:
        return ""
    likely: Iterable[str] = folded
    if len(folded) > _MANY:
        # Comparing is slow; of many options only those that begin and end alike come in question.
        likely = sorted(folded, key=lambda option: -_alike(key, option))[:_MANY]
    near = difflib.get_close_matches(key, likely, 1, 0.7)
    if near:
        return folded[near[0]]
    begun = [option for option in folded if len(key) > 2 and option.startswith(key)]
    return folded[begun[0]] if len(begun) == 1 else ""


def as_clause(sentence: str) -> str:
    """Return a sentence as messages and hints are written: a small letter first, no full stop."""
    text = sentence.rstrip(".")
    first = text.split(" ", 1)[0].rstrip(",:;")
    # Names such as `CreateModel`, IAM or S3 keep their capitals.
    is_word = first.isalpha() and (len(first) == 1 or first[1:].islower())
    return text[:1].lower() + text[1:] if is_word else text


def in_words(items: Sequence[str], last: str) -> str:
    """Return ``a, b and c``; ``last`` is the word before the last one."""
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def suggest(word: str, options: Iterable[str], *, most: int = 8) -> str:
    """Return a hint: the near option, else the options where they are few."""
    choices = list(options)
    near = nearest(word, choices)
    if near:
        return f"did you mean `{near}`?"
    if 0 < len(choices) <= most:
        return "there is " + ", ".join(f"`{choice}`" for choice in choices)
    return ""


def render(
    diagnostics: Sequence[Diagnostic],
    style: str,
    *,
    color: bool = False,
    titles: Mapping[str, str] | None = None,
) -> str:
    """Return the diagnostics in one of :data:`FORMATS`.

    Args:
        style: ``text`` for people, ``json``, ``github`` (workflow commands) or ``sarif`` 2.1.0.
        color: use terminal colours in ``text``.
        titles: what codes mean, in a few words, for ``sarif``; those of the checks are known.
    """
    if style == "json":
        return _json([_as_json(d) for d in diagnostics])
    if style == "github":
        return "\n".join(_as_github(d) for d in diagnostics)
    if style == "sarif":
        return _json(_as_sarif(diagnostics, titles or {}))
    return "\n\n".join(_as_text(d, color) for d in diagnostics)


def _json(data: Any) -> str:
    """Return JSON that is valid UTF-8 whatever a file's name is."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text


def escape_control(text: str) -> str:
    """Return ``text`` with control characters made visible, so that none reaches a terminal."""
    return "".join(
        c if c in "\t\n" or unicodedata.category(c) not in _UNSEEN else f"\\x{ord(c):02x}"
        for c in text
    )


_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _one_line(text: str) -> str:
    """Return a message so that it can't begin a line of its own."""
    return escape_control(text).replace("\n", "\\n").replace("\t", "\\t")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


_TINTS: dict[Level, str] = {"error": "31", "warning": "33", "info": "36"}
_GITHUB_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "info": "notice"}
_SARIF_LEVELS: dict[Level, str] = {"error": "error", "warning": "warning", "info": "note"}


def _as_text(d: Diagnostic, color: bool) -> str:
    tint = _TINTS[d.level]
    head = f"{d.source.name}:{d.span.line}:{d.span.column}: "
    label = _paint(f"{d.level}[{d.code}]", f"1;{tint}", color)
    rows = [_paint(_one_line(head), "1", color) + f"{label}: {_one_line(d.message)}"]
    lines = d.source.lines
    number = str(d.span.line)
    pad = " " * len(number)
    bar = _paint("|", "2", color)
    if 1 <= d.span.line <= len(lines):
        line, column, end = _window(lines[d.span.line - 1], d.span.column, d.span.end)
        before = escape_control(line[: column - 1]).replace("\t", "    ")
        marked = escape_control(line[column - 1 : end - 1]).replace("\t", "    ")
        rest = escape_control(line[end - 1 :]).replace("\t", "    ")
        caret = "^" * max(1, _width(marked))
        rows.append(f" {_paint(number, '2', color)} {bar} {before}{marked}{rest}".rstrip())
        rows.append(f" {pad} {bar} {' ' * _width(before)}{_paint(caret, tint, color)}")
    if d.hint:
        rows.append(
            f" {pad} {_paint('=', '2', color)} {_paint('help', '1', color)}: {_one_line(d.hint)}"
        )
    return "\n".join(rows)


def _window(line: str, column: int, end: int, width: int = 160) -> tuple[str, int, int]:
    """Cut a very long line to the part around the mark."""
    if len(line) <= width:
        return line, column, max(end, column + 1)
    start = max(0, column - 1 - width // 3)
    cut = line[start : start + width]
    lead, tail = "…" if start else "", "…" if start + width < len(line) else ""
    shift = start - len(lead)
    return lead + cut + tail, column - shift, min(max(end, column + 1) - shift, len(lead + cut) + 1)


def _as_json(d: Diagnostic) -> dict[str, Any]:
    return {
        "code": d.code,
        "level": d.level,
        "file": d.source.name,
        "line": d.span.line,
        "column": d.span.column,
        "end_column": d.span.end,
        "message": d.message,
        "hint": d.hint,
    }


def _as_github(d: Diagnostic) -> str:
    """One workflow command; values are escaped as GitHub's toolkit does."""

    def data(text: str) -> str:
        return escape_control(text).replace("%", "%25").replace("\n", "%0A")

    def prop(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    text = d.message + (f" ({d.hint})" if d.hint else "")
    return (
        f"::{_GITHUB_LEVELS[d.level]} file={prop(d.source.name)},line={d.span.line},"
        f"col={d.span.column},endColumn={d.span.end},title={prop(d.code)}::{data(text)}"
    )


def _as_sarif(diagnostics: Sequence[Diagnostic], titles: Mapping[str, str]) -> dict[str, Any]:
    """SARIF 2.1.0 (OASIS), as code scanning services read it."""
    from pipelines.language.codes import CATALOGUE

    known = {**{code: page.title for code, page in CATALOGUE.items()}, **titles}
    rules = [
        {"id": code, "shortDescription": {"text": known[code]}} if code in known else {"id": code}
        for code in sorted({d.code for d in diagnostics})
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "sagedag", "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": d.code,
                        "level": _SARIF_LEVELS[d.level],
                        "message": {"text": d.message + (f"\n{d.hint}" if d.hint else "")},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": quote(os.fsencode(d.source.name))},
                                    "region": {
                                        "startLine": d.span.line,
                                        "startColumn": d.span.column,
                                        "endColumn": max(d.span.end, d.span.column + 1),
                                    },
                                }
                            }
                        ],
                    }
                    for d in diagnostics
                ],
            }
        ],
    }
