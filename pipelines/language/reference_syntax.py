"""How references are written: ``${steps.train.model}`` in a text, read into segments."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pipelines.language.foreign import settle
from steps._contract import MapKey

_SEGMENT = re.compile(
    r"\.?(?P<word>[A-Za-z_][A-Za-z0-9_-]*)|\[(?P<index>[0-9]{1,6})\]"
    r"|\[(?P<quote>['\"])(?P<key>[^'\"\[\]]{1,256})(?P=quote)\]"
)


@dataclass(frozen=True)
class Segment:
    """One part of a reference, with its place in the reference's text."""

    value: str | int
    begin: int
    end: int


@dataclass(frozen=True)
class Wrong:
    """A reference that can't be resolved: the part of its text, and what is wrong."""

    begin: int
    end: int
    message: str
    hint: str = ""
    code: str = "unknown-reference"


@dataclass(frozen=True)
class Piece:
    """A part of a text: plain text, or a reference (``text`` without ``${`` and ``}``)."""

    text: str
    begin: int
    is_reference: bool


def split(text: str) -> list[Piece] | Wrong:
    """Return the pieces of a text; ``$${`` stands for a literal ``${``."""
    pieces: list[Piece] = []
    plain, start, position = "", 0, 0
    while position < len(text):
        if text.startswith("$${", position):
            plain += "${"
            position += 3
        elif text.startswith("${", position):
            end = _closing(text, position + 2)
            if end < 0:
                return Wrong(
                    position,
                    len(text),
                    "the reference is never closed",
                    "write `${…}`; for a literal `${` write `$${`",
                    "reference-syntax",
                )
            if plain:
                pieces.append(Piece(plain, start, False))
            inner = text[position + 2 : end]
            lead = len(inner) - len(inner.lstrip())
            pieces.append(Piece(inner.strip(), position + 2 + lead, True))
            position = start = end + 1
            plain = ""
        else:
            plain += text[position]
            position += 1
    if plain:
        pieces.append(Piece(plain, start, False))
    return pieces


def slips(text: str) -> Iterator[Wrong]:
    """Yield what stays plain text although it was hardly meant to."""
    for found in _NO_BRACES.finditer(text):
        reference = found["reference"]
        yield Wrong(
            *found.span(),
            f"`{found[0]}` is plain text, not a reference",
            f"write `${{{reference}}}`",
            "reference-syntax",
        )
    if len(text) > 1 and text[0] in _OPENING and text[-1] in _CLOSING:
        yield Wrong(
            0,
            len(text),
            f"the quotes {text[0]} and {text[-1]} are part of the text",
            "YAML's quotes are \" and '; leave them out where none are needed",
            "odd-quotes",
        )


_NO_BRACES = re.compile(
    r"(?<!\$)\$(?P<open>\()?"
    r"(?P<reference>(?:parameters|steps|execution)\.[A-Za-z_](?:[\w.-]*\w)?)(?(open)\)|)"
)
"""As shells and other tools write variables."""
_OPENING, _CLOSING = "“‘„‚«", "”’“‘»"


def _closing(text: str, position: int) -> int:
    quote = ""
    for index in range(position, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}":
            return index
    return text.find("}", position)


def parse_path(text: str) -> list[Segment] | Wrong:
    """Return the segments of a reference: words by dots, ``[0]`` and ``['any name']``."""
    segments: list[Segment] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        starts_well = match is not None and (text[position] in ".[") == bool(segments)
        if match is None or not starts_well:
            return Wrong(
                position,
                len(text),
                f"`{text}` is not a reference",
                "write it as `steps.train.model` or `parameters.Name`",
                "reference-syntax",
            )
        value: str | int
        if match["index"] is not None:
            value = int(match["index"])
        else:
            word = match["word"]
            value = word if word is not None else MapKey(settle(match["key"]))
        begin = match.start("word") if match["word"] is not None else match.start()
        segments.append(Segment(value, begin, match.end()))
        position = match.end()
    if not segments:
        return Wrong(0, max(1, len(text)), "the reference is empty", "", "reference-syntax")
    return segments


def text_of(segments: list[Segment]) -> str:
    """Return segments as the language writes them."""
    written = ""
    for segment in segments:
        if isinstance(segment.value, int):
            written += f"[{segment.value}]"
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", segment.value):
            written += f".{segment.value}" if written else segment.value
        else:
            written += f"['{segment.value}']"
    return written


def is_broken(name: str, broken: AbstractSet[str]) -> bool:
    """Whether a name is one of keys that could not be made steps."""
    return any(fnmatch.fnmatchcase(name, glob) for glob in broken)
