"""How a run stands, row by row, and which of its rows a screen of some size shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from pipelines.local.views.words import duration, plural

NARROW = 60
"""Below so many columns a row's state is its mark alone."""

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_TURNS = 10
"""Frames of the spinner a second."""

_MARKS = {
    "waiting": ("·", "dim"),
    "succeeded": ("✓", "green"),
    "reused": ("✓", "blue"),
    "kept": ("✓", "blue"),
    "failed": ("✗", "bold red"),
    "stopped": ("■", "yellow"),
    "not run": ("-", "dim"),
}

# What matters most where the screen cannot hold all.
_IMPORTANCE = {"failed": 0, "running": 1, "stopped": 2}
_COMING = 3
"""So many waiting rows matter more than those that have ended."""

_ORDER = ("failed", "stopped", "running", "succeeded", "reused", "kept", "waiting", "not run")


@dataclass
class Row:
    """A step, or a part of a running one: a training job of a search.

    Attributes:
        name: the step's, or the part's.
        depth: how deep it stands in the tree.
        parent: the step in whose branch or rounds it stands; empty at the top.
        started: when it began, on the view's clock.
        seconds: how long it took; of an ended one.
        note: the last line of its log, or what came of it.
        style: the note's.
        count: how far it is: ``3/8 jobs``; of one that consists of parts.
        parts: its parts that are running, by name.
    """

    name: str
    depth: int = 0
    parent: str = ""
    state: str = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    note: str = ""
    style: str = "dim"
    count: str = ""
    parts: dict[str, Row] = field(default_factory=dict)


def draw(rows: Sequence[Row], width: int, height: int, now: float) -> list[Text]:
    """Return the lines that show a run.

    Args:
        rows: all steps, in the tree's order.
        width: the screen's columns; no line is longer.
        height: the most lines.
        now: the time on the clock of the rows' starts.
    """
    everything = [each for row in rows for each in (row, *row.parts.values())]
    if len(everything) <= height:
        return _lines(everything, width, now)
    room = max(1, height - 1)
    kept = _busiest(everything, room)
    hidden = len(everything) - len(kept)
    lines = _lines([row for row in everything if id(row) in kept], width, now)
    if width < NARROW:
        text = f"  {hidden} more  {_marked(rows)}"
    else:
        text = f"  {hidden} more; of all {len(rows)}: {counted(rows)}"
    return [*lines, Text(_fit(text, width, end=True), style="dim")]


def counted(rows: Iterable[Row]) -> str:
    """Write how many rows are in which state: ``3 failed, 20 succeeded``."""
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{counts[state]} {state}" for state in _ORDER if counts[state])


def _marked(rows: Iterable[Row]) -> str:
    """Write the same with the states' marks: ``✗3 ✓20``."""
    counts = Counter(_MARKS.get(row.state, (_SPINNER[0], ""))[0] for row in rows)
    return " ".join(f"{mark}{count}" for mark, count in counts.items())


def _busiest(rows: Sequence[Row], room: int) -> set[int]:
    """Choose the rows that matter most, each below those it stands in as far as there is room."""
    coming = {id(row) for row in [row for row in rows if row.state == "waiting"][:_COMING]}

    def rank(row: Row) -> tuple[int, float]:
        importance = 3 if id(row) in coming else 5 if row.state in ("waiting", "not run") else 4
        return _IMPORTANCE.get(row.state, importance), -row.started

    ranked = sorted(rows, key=rank)
    by_name = {row.name: row for row in rows if not isinstance(row, Part)}
    kept: set[int] = set()
    for row in ranked:
        line = [row]
        while (above := by_name.get(line[-1].parent)) is not None and id(above) not in kept:
            line.append(above)
        # Where its ancestors have no room, the row itself matters more than they do.
        for each in line:
            if len(kept) < room:
                kept.add(id(each))
    return kept


class Part(Row):
    """A part of a running step; names of parts are the step's own affair."""


def _lines(rows: Sequence[Row], width: int, now: float) -> list[Text]:
    """Write rows in aligned columns: mark, name, state, time, note."""
    narrow = width < NARROW
    names = [("  " * row.depth) + row.name for row in rows]
    longest = max((cell_len(name) for name in names), default=0)
    span = min(longest, max(16, width // 2 - 12))
    lines = []
    for row, name in zip(rows, names, strict=True):
        line = Text(no_wrap=True, end="")
        if row.state == "running":
            turn = int((now - row.started) * _TURNS) % len(_SPINNER)
            sign, style = _SPINNER[turn], "cyan"
            spent = _spent(now - row.started, narrow)
        else:
            sign, style = _MARKS[row.state]
            over = row.state not in ("waiting", "not run")
            spent = _spent(row.seconds, narrow) if over else ""
        line.append(f"{sign} ", style)
        line.append(
            _fit(name, span, pad=True), "dim" if row.state in ("waiting", "not run") else ""
        )
        if not narrow:
            line.append(f"  {row.state:9}", style)
        line.append(f"  {spent:>{6 if narrow else 11}}", "dim")
        left = width - line.cell_len - 2
        count = row.count.partition(" ")[0] if narrow else row.count
        note = "  ".join(part for part in (count, row.note) if part)
        if note and left > 3:
            line.append("  ")
            line.append(_fit(note, left, end=True), row.style)
        lines.append(line)
    return lines


def _spent(seconds: float, narrow: bool) -> str:
    if not narrow or seconds < 59.95:
        return duration(seconds)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}h{minutes % 60:02d}"


def _fit(text: str, width: int, *, pad: bool = False, end: bool = False) -> str:
    """Cut a text to a width; a name in its middle, because rounds differ in their ends."""
    if cell_len(text) <= width:
        return set_cell_size(text, width) if pad else text
    if end or width < 8:
        return set_cell_size(text, max(0, width - 1)).rstrip() + "…"
    tail = width // 3
    back = text[-tail:]
    while cell_len(back) > tail:
        back = back[1:]
    front = set_cell_size(text, width - 1 - cell_len(back))
    return f"{front}…{back}"


def progress_words(done: int, total: int | None, word: str) -> str:
    """Write how far something is: ``3/8 jobs``, ``3 jobs``."""
    if total is None:
        return plural(done, word.removesuffix("s"))
    return f"{done}/{total} {word}"
