"""Pages for terminals: aligned, wrapped, with colours where they make sense."""

from __future__ import annotations

import re
import textwrap

from pipelines.explain.document import Block, Code, Document, Heading, Table

WIDEST = 100
NARROWEST = 40
_GAP = "  "
_LEAST = 20
"""A column of text is at least this wide; else rows are written one below the other."""
_GLUE = "\u00a0"
"""Stands for a space inside `code` while a text is wrapped."""


def render(document: Document, *, width: int = WIDEST, color: bool = False) -> str:
    """Return a page as text.

    Args:
        width: the terminal's width; used between 40 and 100 columns.
    """
    width = max(NARROWEST, min(width, WIDEST))
    gap = " " * max(1, width - len(document.title) - len(document.label))
    fits = document.label and len(document.title) + 1 + len(document.label) <= width
    label = gap + _paint(document.label, "2", color) if fits else ""
    rows = [_paint(document.title, "1", color) + label]
    rows += ["", *_wrapped(document.summary, width, color)]
    for block in document.blocks:
        rows += ["", *_block(block, width, color)]
    return "\n".join(rows)


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color and text else text


def _block(block: Block, width: int, color: bool) -> list[str]:
    if isinstance(block, Heading):
        return [_paint(block.text.upper(), "1", color)]
    if isinstance(block, Code):
        return [f"  {line}".rstrip() for line in block.text.rstrip("\n").split("\n")]
    if isinstance(block, Table):
        return _table(block, width, color)
    rows: list[str] = []
    for paragraph in re.split(r"\n\s*\n", block.text.strip()):
        rows += [*([""] if rows else []), *_wrapped(paragraph, width, color)]
    return rows


def _wrapped(text: str, width: int, color: bool, first: str = "") -> list[str]:
    glued = re.sub(r"`[^`]*`", lambda m: m[0].replace(" ", _GLUE), " ".join(text.split()))
    lines = textwrap.wrap(
        glued, width, break_on_hyphens=False, initial_indent=first, subsequent_indent=first
    )
    return [_codes(line.replace(_GLUE, " ").rstrip(), color) for line in lines] or [""]


def _codes(line: str, color: bool) -> str:
    if not color:
        return line
    return re.sub(r"`([^`]*)`", lambda m: _paint(m[1], "36", True), line)


def _table(table: Table, width: int, color: bool) -> list[str]:
    """Return the lines of a table; names lose their backticks, since the column marks them."""
    rows = [tuple(_bare(cell) for cell in row[:-1]) + row[-1:] for row in table.rows]
    everything = [table.head, *rows] if table.head else rows
    if not rows:
        return []
    widths = _widths(everything, width)
    if widths[-1] < _LEAST:
        return _stacked(rows, width, color)
    made: list[str] = []
    if table.head:
        made.append(_paint(_line(table.head, widths), "2", color))
    for row in rows:
        cells = [
            _cell(cell, room, color, position == 0, position == len(row) - 1)
            for position, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        made += [
            _joined([cell[number] if number < len(cell) else "" for cell in cells], widths)
            for number in range(max(map(len, cells)))
        ]
    return made


def _stacked(rows: list[tuple[str, ...]], width: int, color: bool) -> list[str]:
    """Return a table for a narrow terminal: each row's text below its other cells."""
    made: list[str] = []
    for row in rows:
        name, *facts = [cell for cell in row[:-1] if cell]
        head = textwrap.wrap(f"{name}: {', '.join(facts)}" if facts else name, width - 2)
        made += [f"  {_paint(line, '36', color)}" for line in head]
        made += _wrapped(row[-1], width, color, "      ") if row[-1] else []
    return made


def _bare(cell: str) -> str:
    return cell.replace("`", "")


def _widths(rows: list[tuple[str, ...]], width: int) -> list[int]:
    """Return the columns' widths: the last gets what is left, the others shrink if it is little."""
    columns = len(rows[0])
    natural = [max(1, *(len(row[column]) for row in rows)) for column in range(columns)]
    room = width - 2 - len(_GAP) * (columns - 1)
    wanted = natural[:-1]
    least = min(natural[-1], max(_LEAST, room * 2 // 5))
    # The first column holds names, which must stay whole.
    while sum(wanted) > room - least and max(wanted[1:], default=0) > 12:
        widest = wanted.index(max(wanted[1:]), 1)
        wanted[widest] -= 1
    return [*wanted, room - sum(wanted)]


def _cell(cell: str, room: int, color: bool, is_name: bool, is_last: bool) -> list[str]:
    if is_last:
        return _wrapped(cell, room, color)
    lines = textwrap.wrap(cell, room, break_on_hyphens=False) or [""]
    return [_paint(line, "36", color) for line in lines] if is_name else lines


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return _joined([cell.upper() for cell in cells], widths)


def _joined(cells: list[str], widths: list[int]) -> str:
    padded = [
        cell + " " * (room - _visible(cell)) for cell, room in zip(cells, widths, strict=True)
    ]
    return f"  {_GAP.join(padded)}".rstrip()


def _visible(text: str) -> int:
    return len(re.sub(r"\x1b\[[0-9;]*m", "", text))
