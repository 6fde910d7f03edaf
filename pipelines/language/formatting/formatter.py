"""Puts a definition's keys in the documented order without rewriting a single value."""

from __future__ import annotations

from pipelines.language.formatting.arrange import Arranger
from pipelines.language.formatting.order import KeyOrder, ordered_mappings
from pipelines.language.formatting.outline import (
    Alias,
    FormatRefused,
    Mapping,
    Node,
    Outline,
    Scalar,
    Sequence,
    read_outline,
)

_BOM = "\ufeff"


def format_text(text: str, order: KeyOrder) -> str:
    """Return ``text`` with its keys in ``order``.

    Only whole lines move. Besides, white space at the end of a line goes where it means nothing,
    and the text ends with exactly one line break. Formatting twice is formatting once.

    Args:
        text: a definition or an ``environments.yaml``; a byte order mark and CRLF are kept.
        order: the documented order.

    Raises:
        FormatRefused: the text is no readable YAML, or its meaning could change.
    """
    mark, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    before = read_outline(body)
    if before.open_ended is not None:
        line, column = before.open_ended
        raise FormatRefused(
            "the file ends inside this block text, without a line break; adding one would change "
            "the value: write `|-` or `>-`, or end the last line",
            line + 1,
            column + 1,
        )
    before = read_outline("".join(_clean(before)))
    wanted = {id(node): keys for node, keys in ordered_mappings(before.root, order)}
    moved = Arranger(before, wanted).lines()
    if sorted(moved) != list(range(len(before.lines))):
        raise FormatRefused("formatting would lose or double a line; please report this file")
    formatted = "".join(before.lines[number] for number in moved)
    _check_same(read_outline(body), formatted, order)
    return mark + formatted


def _clean(outline: Outline) -> list[str]:
    """Return the lines without needless white space, the last one ended."""
    lines = list(outline.lines)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    for number, line in enumerate(lines):
        if number not in outline.kept:
            content = line.rstrip("\r\n")
            lines[number] = content.rstrip(" \t") + line[len(content) :]
    while lines and len(lines) - 1 not in outline.kept and not lines[-1].strip():
        lines.pop()
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += newline
    return lines


def _check_same(before: Outline, formatted: str, order: KeyOrder) -> None:
    """Refuse where the data, or an order that means something, is not what it was."""
    known: dict[object, int] = {}
    try:
        same = _meaning(before, order, known) == _meaning(read_outline(formatted), order, known)
    except FormatRefused:
        same = False
    if not same:
        raise FormatRefused("formatting would change what the file says; please report this file")


def _meaning(outline: Outline, order: KeyOrder, known: dict[object, int]) -> int:
    """Number the document's data: equal data, equal number.

    Numbers instead of nested values, so that aliases of aliases cost nothing. Key order counts
    except in the mappings that are put in order.
    """
    free = {id(node) for node, _ in ordered_mappings(outline.root, order)}
    done: dict[int, int] = {}

    def number(node: Node | None) -> int:
        if node is None:
            return known.setdefault(None, len(known))
        if isinstance(node, Alias):
            return number(node.target)
        if id(node) in done:
            return done[id(node)]
        form: object
        if isinstance(node, Scalar):
            form = ("scalar", node.tag, node.plain, node.value)
        elif isinstance(node, Sequence):
            form = ("sequence", node.tag, tuple(number(item) for item in node.items))
        else:
            form = ("mapping", node.tag, id(node) in free, pairs_of(node))
        done[id(node)] = known.setdefault(form, len(known))
        return done[id(node)]

    def pairs_of(node: Mapping) -> tuple[tuple[int, int], ...]:
        pairs = [(number(key), number(value)) for key, value in node.pairs]
        return tuple(sorted(pairs)) if id(node) in free else tuple(pairs)

    return number(outline.root)
