"""Small pieces of text that every view uses."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

TAIL_LINES = 20
# The tail is read from the end of the file only, however long the log is.
_TAIL_BYTES = 64 * 1024


def duration(seconds: float) -> str:
    """Write a time span: ``0.42 s``, ``12.3 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 0.995:
        return f"{max(seconds, 0):.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: int) -> str:
    """Write a number of bytes: ``512 B``, ``1.2 MB``."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def clock(seconds: float) -> str:
    """Write a time of the store as local date and time."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def shown(path: Path) -> str:
    """Write a path as short as it can be read from here."""
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):
        return str(path)
    return relative if not relative.startswith("..") else str(path)


def clean(text: str) -> str:
    """Replace what could act on a terminal: control characters and direction marks."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        sign
        if sign == "\t" or unicodedata.category(sign)[0] != "C"
        else "\N{REPLACEMENT CHARACTER}"
        for sign in text
    )


def tail(path: Path, lines: int = TAIL_LINES) -> list[str]:
    """Return the last lines of a log, safe to print; none where it cannot be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [clean(line) for line in text.splitlines()[-lines:]]


def columns(
    rows: Iterable[Sequence[str]], indent: str = "", right: Iterable[int] = ()
) -> list[str]:
    """Align rows in columns two spaces apart.

    Args:
        rows: cells; a row may be shorter than others.
        indent: put before each line.
        right: which columns are aligned to the right.
    """
    table = [list(row) for row in rows]
    wide: dict[int, int] = {}
    for row in table:
        for index, cell in enumerate(row):
            wide[index] = max(wide.get(index, 0), len(cell))
    to_right = set(right)
    lines = []
    for row in table:
        cells = [
            cell.rjust(wide[index]) if index in to_right else cell.ljust(wide[index])
            for index, cell in enumerate(row)
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def number(value: float) -> str:
    """Write a metric: six significant digits, whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def metric_line(metrics: Mapping[str, float], limit: int = 8) -> str:
    """Write the first metrics on one line."""
    parts = [f"{name} {number(value)}" for name, value in list(metrics.items())[:limit]]
    rest = len(metrics) - limit
    return ", ".join(parts) + (f" and {rest} more" if rest > 0 else "")


def plural(count: int, word: str) -> str:
    """Write a count with its noun."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
