"""A sheet of character cells on which lines join where they meet."""

from __future__ import annotations

import unicodedata

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
_LINES = {
    UP: "│",
    DOWN: "│",
    UP | DOWN: "│",
    LEFT: "─",
    RIGHT: "─",
    LEFT | RIGHT: "─",
    DOWN | RIGHT: "╭",
    DOWN | LEFT: "╮",
    UP | RIGHT: "╰",
    UP | LEFT: "╯",
    UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤",
    DOWN | LEFT | RIGHT: "┬",
    UP | LEFT | RIGHT: "┴",
    UP | DOWN | LEFT | RIGHT: "┼",
}


def columns(text: str) -> int:
    """Return how many terminal columns the text takes."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """Return the text cut, with an ellipsis, to at most ``width`` columns."""
    if columns(text) <= width:
        return text
    kept, used = "", 0
    for char in text:
        used += _columns(char)
        if used > width - 1:
            break
        kept += char
    return kept + "…"


class Canvas:
    """Cells by row and column; grows as needed."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], str] = {}
        self._lines: dict[tuple[int, int], int] = {}

    def write(self, row: int, column: int, text: str) -> None:
        """Write the text, a wide character on two cells."""
        for char in text:
            size = _columns(char)
            if not size:
                self._cells[row, column - 1] = self._cells.get((row, column - 1), " ") + char
                continue
            self._cells[row, column] = char
            if size == 2:
                self._cells[row, column + 1] = ""
            column += size

    def draw(self, row: int, column: int, ways: int) -> None:
        """Add line ends to a cell; what is there already joins."""
        self._lines[row, column] = self._lines.get((row, column), 0) | ways

    def cross(self, row: int, column: int) -> None:
        """Let a vertical line pass over whatever the cell holds, without joining it."""
        self._lines[row, column] = UP | DOWN

    def paste(self, other: Canvas, row: int, column: int) -> None:
        """Copy another sheet with its upper left corner at a cell."""
        for (r, c), char in other._cells.items():
            self._cells[row + r, column + c] = char
        for (r, c), ways in other._lines.items():
            self._lines[row + r, column + c] = ways

    def rows(self) -> list[str]:
        """Return the sheet's rows without trailing spaces."""
        cells = {place: _LINES[ways] for place, ways in self._lines.items()} | self._cells
        if not cells:
            return []
        sheet: list[list[str]] = [[] for _ in range(1 + max(row for row, _ in cells))]
        for (row, column), char in sorted(cells.items(), key=lambda cell: cell[0]):
            sheet[row].extend(" " * (column - len(sheet[row])))
            sheet[row].append(char)
        return ["".join(row).rstrip() for row in sheet]
