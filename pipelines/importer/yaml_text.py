"""Definitions as YAML that people would write: short things on one line, quotes where needed."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from pipelines.language.source import resolve_plain
from steps._expressions import SourceFloat, SourceInt

WIDTH = 100
_MOST_IN_LINE = 8
_PLAIN = re.compile(r"[A-Za-z0-9_./<>=^+~$(-][A-Za-z0-9_./<>=^+~$()\\;?!&*@%|' :#,\[\]{}\"-]*")
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z0-9_./+~-][A-Za-z0-9_./+~*@ :-]*")
_PRINTABLE = re.compile("[\t -~\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]*")
_OLD: Any = yaml.resolver.Resolver()
_OLD_WORDS = ("y", "n")
"""YAML 1.1 reads dates, ``1:30``, ``0x1F``, ``yes`` and more as something else than text; quoted so
that no tool does."""


class Commented(dict[str, Any]):
    """A map with lines of comment above some of its keys.

    Attributes:
        comments: the lines, by key.
        spaced: there are empty lines between its entries.
        gaps: keys that have an empty line above.
    """

    def __init__(self, *args: Any, spaced: bool = False) -> None:
        super().__init__(*args)
        self.comments: dict[str, list[str]] = {}
        self.spaced = spaced
        self.gaps: set[str] = set()


class Folded(str):
    """A text that may be spread over several lines between its parts."""

    parts: tuple[str, ...]

    def __new__(cls, parts: Sequence[str]) -> Folded:
        """Make the text of parts with a space between each two."""
        made = super().__new__(cls, " ".join(parts))
        made.parts = tuple(parts)
        return made


def yaml_text(document: Mapping[str, Any], head: Sequence[str] = ()) -> str:
    """Return a document as YAML.

    Args:
        document: plain data; numbers may remember how they were written.
        head: lines of comment that stand at the top.
    """
    lines = [f"# {line}" for text in head for line in wrapped(text)]
    lines += _block(document, 0)
    return "\n".join(lines) + "\n"


def wrapped(text: str) -> list[str]:
    """Return a comment's text in lines that leave room for an indentation."""
    return textwrap.wrap(text, 94, break_long_words=False, break_on_hyphens=False)


def _block(value: Mapping[str, Any], indent: int) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    comments = value.comments if isinstance(value, Commented) else {}
    for number, (name, item) in enumerate(value.items()):
        if number and isinstance(value, Commented) and (value.spaced or name in value.gaps):
            lines.append("")
        lines += [f"{pad}# {line}".rstrip() for line in comments.get(name, ())]
        key = scalar(str(name), key=True)
        lines += _entry(f"{pad}{key}:", item, indent)
    return lines


def _entry(lead: str, item: Any, indent: int) -> list[str]:
    """Return the lines of a key or a dash and what follows it."""
    if isinstance(item, (Mapping, list, tuple)) and not isinstance(item, Commented):
        line = in_line(item)
        if line is not None and len(lead) + 1 + len(line) <= WIDTH:
            return [f"{lead} {line}"]
    if isinstance(item, Mapping):
        return [lead, *_block(item, indent + 2)] if item else [f"{lead} {{}}"]
    if isinstance(item, (list, tuple)):
        return [lead, *_items(item, indent + 2)] if item else [f"{lead} []"]
    if isinstance(item, Folded) and len(item.parts) > 1 and len(lead) + len(item) >= WIDTH:
        return [f"{lead} >-", *(" " * (indent + 2) + part for part in item.parts)]
    if isinstance(item, str):
        spread = _text_block(lead, item, indent + 2)
        if spread is not None:
            return spread
    return [f"{lead} {scalar(item)}"]


def _items(items: Sequence[Any], indent: int) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    for item in items:
        line = in_line(item) if isinstance(item, (Mapping, list, tuple)) else None
        if line is not None and indent + 2 + len(line) <= WIDTH:
            lines.append(f"{pad}- {line}")
        elif isinstance(item, Mapping) and item:
            inner = _block(item, indent + 2)
            lines += [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
        elif isinstance(item, (list, tuple)) and item:
            inner = _items(item, indent + 2)
            lines += [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
        else:
            lines += _entry(f"{pad}-", item, indent)
    return lines


def in_line(value: Any, depth: int = 0) -> str | None:
    """Return a short value on one line; None where it is better spread over several."""
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        if depth > 2 or len(value) > _MOST_IN_LINE:
            return None
        parts = []
        for name, item in value.items():
            inner = in_line(item, depth + 1)
            if inner is None:
                return None
            parts.append(f"{scalar(str(name), key=True, flow=True)}: {inner}")
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        if depth > 2 or (len(value) > 2 * _MOST_IN_LINE):
            return None
        inners = [in_line(item, depth + 1) for item in value]
        if None in inners or (depth and any(isinstance(item, Mapping) for item in value)):
            return None
        return "[" + ", ".join(str(inner) for inner in inners) + "]"
    if isinstance(value, str) and "\n" in value:
        return None
    return scalar(value, flow=True)


def scalar(value: Any, *, key: bool = False, flow: bool = False) -> str:
    """Return a scalar; text is quoted where it would be read as something else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (SourceInt, SourceFloat)):
        return value.text
    if isinstance(value, (int, float)):
        return json.dumps(value)
    text = str(value)
    return text if _is_plain(text, key=key, flow=flow) else quoted(text)


def _is_plain(text: str, *, key: bool, flow: bool) -> bool:
    pattern = _PLAIN_IN_FLOW if flow or key else _PLAIN
    if not pattern.fullmatch(text) or "${" in text or "{{" in text:
        return False
    if text.endswith((" ", ":")) or ": " in text or " #" in text:
        return False
    if text.startswith(("- ", "? ", "---", "...")) or text in ("-", "?", "="):
        return False
    # `on` is a key of the language's own, written without quotes in its documentation.
    own = key and text == "on"
    old = _OLD.resolve(yaml.ScalarNode, text, (True, False))
    is_text = old == "tag:yaml.org,2002:str" and text.lower() not in _OLD_WORDS
    return isinstance(resolve_plain(text), str) and (own or is_text)


def quoted(text: str) -> str:
    """Return a text in quotes: single ones where others would need escapes."""
    if ("\\" in text or '"' in text) and "\n" not in text and _PRINTABLE.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(text)) + '"'


def _escaped(text: str) -> Iterator[str]:
    for sign in text:
        code = ord(sign)
        if sign in '\\"':
            yield "\\" + sign
        elif sign == "\n":
            yield "\\n"
        elif sign == "\t":
            yield "\\t"
        elif _PRINTABLE.fullmatch(sign) and sign not in "\x85\u2028\u2029\ufeff":
            yield sign
        elif code <= 0xFF:
            yield f"\\x{code:02x}"
        else:
            yield f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _text_block(lead: str, text: str, indent: int) -> list[str] | None:
    """Return a text of several lines, or a long condition, as a block; None where it is none."""
    pad = " " * indent
    lines = text.split("\n")
    body = lines[:-1] if lines[-1] == "" else lines
    if len(body) > 1 and all(_PRINTABLE.fullmatch(line) for line in lines):
        clean = all(line == line.rstrip() for line in body) and not body[0].startswith(" ")
        if clean and body[0] and body[-1] and not any("\t" in line[:1] for line in body):
            mark = "|" if lines[-1] == "" else "|-"
            return [f"{lead} {mark}", *(f"{pad}{line}".rstrip() for line in body)]
    return None
