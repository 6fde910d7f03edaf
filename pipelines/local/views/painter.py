"""Lines that stay at the bottom of a terminal and are drawn anew in their place."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

_UP, _CLEAR_BELOW = "\x1b[{}A", "\x1b[J"
# Of a console that is no screen and cuts nothing.
_WIDE = 10_000
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


class Painter:
    """Draws lines over those it drew before.

    The cursor rests below the last line, in the first column: what a terminal itself writes there,
    such as ``^C``, never wraps and goes with the next drawing.

    Args:
        console: the terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._widths: list[int] = []
        self._hidden = False

    def paint(self, lines: Sequence[Text]) -> None:
        """Draw; the lines must be shorter than the screen is wide, and fewer than it is high."""
        text = "" if self._hidden else _HIDE
        self._hidden = True
        self._write(text + self._back() + self._text(lines))
        self._widths = [line.cell_len for line in lines]

    def finish(self, lines: Sequence[Text]) -> None:
        """Draw for the last time; the lines stay, however many they are."""
        self._write(self._back() + self._text(lines) + _SHOW)
        self._widths, self._hidden = [], False

    def _back(self) -> str:
        """Return what leads to the first line of the drawing before.

        After the window has become narrower, most terminals have wrapped its lines.
        """
        width = max(1, self._console.width)
        rows = sum(max(1, -(-columns // width)) for columns in self._widths)
        rows = min(rows, max(1, self._console.height - 1))
        return (_UP.format(rows) if rows else "") + "\r" + _CLEAR_BELOW

    def _text(self, lines: Sequence[Text]) -> str:
        # A console of its own: the terminal's writes even while it captures.
        made = Console(
            file=io.StringIO(),
            force_terminal=True,
            color_system=self._console.color_system,  # type: ignore[arg-type]
            no_color=self._console.no_color,
            width=_WIDE,
            legacy_windows=False,
        )
        for line in lines:
            made.print(line, crop=False, no_wrap=True, overflow="ignore", soft_wrap=True, end="\n")
        assert isinstance(made.file, io.StringIO)
        return made.file.getvalue()

    def _write(self, text: str) -> None:
        # A terminal that went away takes no more drawing; the run itself goes on.
        with contextlib.suppress(OSError, ValueError):
            self._console.file.write(text)
            self._console.file.flush()
