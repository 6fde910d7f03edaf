"""A run as a tree of steps that is drawn anew on a terminal as things happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.definition import Step
from pipelines.local.jobs import Progress
from pipelines.local.observer import Observer, RunStart, StepEnd
from pipelines.local.views.board import Part, Row, draw, progress_words
from pipelines.local.views.painter import Painter
from pipelines.local.views.plain import header_rows
from pipelines.local.views.words import clean, duration

# Most lines of the last drawing, which stays.
_LAST = 60
# Of a line that a job prints; no terminal is wider.
_NOTE = 300
_INTERVAL = 0.125


class LiveView(Observer):
    """Draws the steps with their states, seconds and the last line each running one printed.

    Args:
        console: where to draw.
        clock: tells the seconds that steps take.
        interval: seconds between two drawings; 0 draws only when :meth:`draw` is called.
    """

    def __init__(
        self,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        interval: float = _INTERVAL,
    ) -> None:
        self._console = console
        self._clock = clock
        self._interval = interval
        self._painter = Painter(console)
        self._mutex = threading.RLock()
        self._rows: dict[str, Row] = {}
        self._message = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

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
        for step in run.definition.steps:
            above = step.branch.condition if step.branch else ""
            depth = self._rows[above].depth + 1 if above else 0
            self._rows[step.name] = Row(step.name, depth, above)
        if self._interval:
            self._thread = threading.Thread(target=self._redraw, name="view", daemon=True)
            self._thread.start()

    def step_kept(self, name: str) -> None:
        """Show a step as one that need not run again."""
        with self._mutex:
            self._rows[name].state, self._rows[name].note = "kept", "had succeeded"
            self._count_rounds(name)

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """Put the steps of the rounds below their ForEach."""
        with self._mutex:
            depth = self._rows[loop.name].depth + 1
            made: dict[str, Row] = {}
            for name, row in self._rows.items():
                made[name] = row
                if name == loop.name:
                    made.update({step.name: Row(step.name, depth, name) for step in steps})
            self._rows = made
            self._rows[loop.name].count = progress_words(0, len(steps), "steps")

    def step_started(self, name: str) -> None:
        """Show a step as running."""
        with self._mutex:
            row = self._rows[name]
            row.state, row.started, row.note = "running", self._clock(), ""

    def line(self, step: str, text: str) -> None:
        """Show a job's last line beside its step."""
        stripped = clean(text).strip()
        if stripped:
            with self._mutex:
                self._rows[step].note = stripped[:_NOTE]

    def progress(self, step: str, progress: Progress) -> None:
        """Show how far a step is, and its running parts below it."""
        note = clean(progress.note).strip()[:_NOTE]
        with self._mutex:
            row = self._rows[step]
            if progress.word:
                row.count = progress_words(progress.done, progress.total, progress.word)
            if not progress.part:
                row.note = note or row.note
                return
            part = row.parts.get(progress.part)
            if progress.state != "running":
                row.parts.pop(progress.part, None)
            elif part is None:
                row.parts[progress.part] = Part(
                    progress.part, row.depth + 1, step, "running", self._clock(), note=note
                )
            elif note:
                part.note = note

    def retrying(self, step: str, reason: str, wait: float) -> None:
        """Say that a step is tried again."""
        with self._mutex:
            self._rows[step].parts.clear()
            self._rows[step].note = clean(f"retrying in {duration(wait)}: {reason}")

    def step_ended(self, end: StepEnd) -> None:
        """Show how a step ended."""
        with self._mutex:
            row = self._rows[end.name]
            row.parts.clear()
            row.state = "reused" if end.cache_source else end.status.lower()
            row.seconds = end.seconds
            row.note, row.style = clean(end.note), ""
            row.count = ""
            if end.cache_source:
                row.note = f"from run {end.cache_source}"
            elif end.reason and end.status == "Failed":
                row.note, row.style = clean(end.reason.splitlines()[0]), "red"
            self._count_rounds(end.name)

    def _count_rounds(self, name: str) -> None:
        """Note how far the ForEach of a round's step is."""
        loop = self._rows.get(self._rows[name].parent)
        if loop is not None and loop.state == "running":
            steps = [row for row in self._rows.values() if row.parent == loop.name]
            ended = [row for row in steps if row.state not in ("waiting", "running")]
            loop.count = progress_words(len(ended), len(steps), "steps")
            failed = sum(row.state == "failed" for row in steps)
            loop.note = f"{failed} failed" if failed else ""

    def stopping(self) -> None:
        """Say that the run is being stopped."""
        with self._mutex:
            self._message = "stopping; running jobs get a moment to end"

    def ended(self, status: str) -> None:
        """Draw the last state and leave it standing."""
        del status
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._mutex:
            for row in self._rows.values():
                row.parts.clear()
                if row.state == "waiting":
                    row.state = "not run"
            # What stays standing may scroll; what is redrawn may not.
            self._painter.finish(self._lines(_LAST))

    def draw(self) -> None:
        """Draw how things stand."""
        with self._mutex:
            room = max(1, self._console.height - 2 - bool(self._message))
            lines = self._lines(room)
            if self._message:
                lines.append(Text(self._message[: self._width], style="yellow"))
            self._painter.paint(lines)

    def _redraw(self) -> None:
        while not self._over.is_set():
            self.draw()
            self._over.wait(self._interval)

    @property
    def _width(self) -> int:
        # The last column stays free: some terminals wrap a line that fills it.
        return max(8, self._console.width - 1)

    def _lines(self, room: int) -> list[Text]:
        return draw(list(self._rows.values()), self._width, room, self._clock())
