"""A run as a live table on a terminal."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelines.definition import Step
from pipelines.local.observer import Observer, RunStart, StepEnd
from pipelines.local.views.plain import header_rows
from pipelines.local.views.words import clean, duration

# Lines of the screen that are not the table's.
_MARGIN = 8
# Most lines of the last drawing, which stays.
_LAST = 60


@dataclass
class _Row:
    step: Step
    depth: int
    state: str = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    note: str = ""
    style: str = "dim"
    spinner: Spinner = field(default_factory=lambda: Spinner("dots", style="cyan"))


_MARKS = {
    "waiting": ("·", "dim"),
    "succeeded": ("✓", "green"),
    "reused": ("✓", "blue"),
    "kept": ("✓", "blue"),
    "failed": ("✗", "bold red"),
    "stopped": ("■", "yellow"),
    "not run": ("-", "dim"),
}


class LiveView(Observer):
    """Draws the steps with their states, seconds and the last line each running one printed.

    Args:
        console: where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._mutex = threading.RLock()
        self._rows: dict[str, _Row] = {}
        self._message = ""
        self._over = False
        self._live: Live | None = None

    def waiting(self, text: str) -> None:
        """Say who is waited for."""
        self._console.print(text, style="yellow", markup=False, highlight=False)

    def started(self, run: RunStart) -> None:
        """Write the header and start drawing."""
        table = Table.grid(padding=(0, 2, 0, 0))
        for name, text in header_rows(run):
            table.add_row(Text(name, style="bold"), Text(text))
        self._console.print(table)
        self._console.print()
        depths: dict[str, int] = {}
        for step in run.definition.steps:
            depth = depths[step.branch.condition] + 1 if step.branch else 0
            depths[step.name] = depth
            self._rows[step.name] = _Row(step, depth)
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=8,
            transient=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()

    def step_kept(self, name: str) -> None:
        """Show a step as one that need not run again."""
        with self._mutex:
            self._rows[name].state, self._rows[name].note = "kept", "had succeeded"

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """Put the steps of the rounds below their ForEach."""
        with self._mutex:
            depth = self._rows[loop.name].depth + 1
            made: dict[str, _Row] = {}
            for name, row in self._rows.items():
                made[name] = row
                if name == loop.name:
                    made.update({step.name: _Row(step, depth) for step in steps})
            self._rows = made

    def step_started(self, name: str) -> None:
        """Show a step as running."""
        with self._mutex:
            row = self._rows[name]
            row.state, row.started, row.note = "running", time.monotonic(), ""

    def line(self, step: str, text: str) -> None:
        """Show a job's last line beside its step."""
        stripped = clean(text).strip()
        if stripped:
            with self._mutex:
                self._rows[step].note = stripped[:300]

    def retrying(self, step: str, reason: str, wait: float) -> None:
        """Say that a step is tried again."""
        with self._mutex:
            self._rows[step].note = f"retrying in {duration(wait)}: {reason}"

    def step_ended(self, end: StepEnd) -> None:
        """Show how a step ended."""
        with self._mutex:
            row = self._rows[end.name]
            row.state = "reused" if end.cache_source else end.status.lower()
            row.seconds = end.seconds
            row.note, row.style = end.note, "default"
            if end.cache_source:
                row.note = f"from run {end.cache_source}"
            elif end.reason and end.status == "Failed":
                row.note, row.style = end.reason.splitlines()[0], "red"

    def stopping(self) -> None:
        """Say that the run is being stopped."""
        with self._mutex:
            self._message = "stopping; running jobs get a moment to end"

    def ended(self, status: str) -> None:
        """Draw the last state and leave it standing."""
        del status
        with self._mutex:
            self._message = ""
            self._over = True
            for row in self._rows.values():
                if row.state == "waiting":
                    row.state = "not run"
        if self._live is not None:
            # A terminal that went away takes no more drawing.
            with contextlib.suppress(OSError):
                self._live.stop()
            self._live = None

    def _draw(self) -> RenderableType:
        with self._mutex:
            rows = list(self._rows.values())
            # What stays standing may scroll; what is redrawn may not.
            room = _LAST if self._over else max(5, self._console.height - _MARGIN)
            hidden = 0
            if len(rows) > room:
                rows, hidden = _busiest(rows, room)
            parts: list[RenderableType] = [self._table(rows)]
            if hidden:
                text = f"   {hidden} more are not shown; of all steps: {self._counts()}"
                parts.append(Text(text, style="dim"))
            if self._message:
                parts.append(Text(self._message, style="yellow"))
            return Group(*parts)

    def _table(self, rows: list[_Row]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        # Room for the terminal's own "^C": on a full line it would wrap and shift the drawing.
        table.width = max(20, self._console.width - 3)
        width = max(len(row.step.name) + 2 * row.depth for row in rows)
        table.add_column(width=1)
        table.add_column(width=min(width, max(16, self._console.width // 2 - 12)), no_wrap=True)
        table.add_column(width=9, no_wrap=True)
        table.add_column(width=11, justify="right", no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        now = time.monotonic()
        for row in rows:
            mark: RenderableType
            if row.state == "running":
                mark, style = row.spinner, "cyan"
                spent, note_style = duration(now - row.started), "dim"
            else:
                sign, style = _MARKS[row.state]
                mark = Text(sign, style=style)
                spent = duration(row.seconds) if row.state not in ("waiting", "not run") else ""
                note_style = row.style
            name_style = "dim" if row.state in ("waiting", "not run") else "default"
            table.add_row(
                mark,
                Text("  " * row.depth + row.step.name, style=name_style, overflow="ellipsis"),
                Text(row.state, style=style),
                Text(spent, style="dim"),
                Text(row.note, style=note_style, overflow="ellipsis"),
            )
        return table

    def _counts(self) -> str:
        counts: dict[str, int] = {}
        for row in self._rows.values():
            counts[row.state] = counts.get(row.state, 0) + 1
        return ", ".join(f"{count} {state}" for state, count in counts.items())


def _busiest(rows: list[_Row], room: int) -> tuple[list[_Row], int]:
    """Choose the rows that matter most where the screen cannot hold all; order is kept."""
    importance = {"failed": 0, "running": 1, "stopped": 2, "waiting": 3}
    ranked = sorted(rows, key=lambda row: (importance.get(row.state, 4), -row.started))
    kept = {row.step.name for row in ranked[:room]}
    return [row for row in rows if row.step.name in kept], len(rows) - room
