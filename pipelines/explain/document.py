"""Pages as data: a title, a summary and blocks. Texts are Markdown of one kind only: `code`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Heading:
    """A section begins."""

    text: str


@dataclass(frozen=True)
class Text:
    """Paragraphs, divided by empty lines."""

    text: str


@dataclass(frozen=True)
class Code:
    """Lines as they are."""

    text: str
    language: str = "yaml"


@dataclass(frozen=True)
class Table:
    """Rows of cells; the last column takes the room that is left.

    Args:
        head: the columns' titles; empty for a list of facts.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Union[Heading, Text, Code, Table]


@dataclass(frozen=True)
class Document:
    """A page.

    Args:
        title: what it is about: a kind, a field, a code.
        label: what sort of thing that is, such as ``step kind``.
        summary: one sentence.
    """

    title: str
    label: str
    summary: str
    blocks: tuple[Block, ...]
