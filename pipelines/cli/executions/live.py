"""An execution as a live table on a terminal."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipelines.cli.executions.lines import (
    MARKS,
    now,
    state,
    step_note,
    step_state,
    unbegun,
    waiting,
)
from pipelines.cloud.executions.records import Execution, StepRecord
from pipelines.cloud.refusals import Refused
from pipelines.definition import Definition
from pipelines.local.views.words import clean, duration

_STYLES = {
    "Succeeded": "green",
    "Failed": "bold red",
    "Stopped": "yellow",
    "Stopping": "yellow",
    "Executing": "cyan",
    "Starting": "cyan",
}
_MARGIN = 6


@dataclass
class LiveWatcher:
    """Draws the steps with their states and times.

    Args:
        console: where to draw.
        definition: what it runs; None where it is not known.
    """

    console: Console
    definition: Definition | None
    _execution: Execution | None = None
    _message: str = ""
    _live: Live | None = None
    _spinners: dict[str, Spinner] = field(default_factory=dict)

    def __enter__(self) -> LiveWatcher:
        """Begin drawing."""
        self._live = Live(
            console=self.console,
            get_renderable=self._draw,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last drawing standing."""
        self._message = ""
        if self._live is not None:
            # A terminal that went away takes no more drawing.
            with contextlib.suppress(OSError):
                self._live.stop()
            self._live = None

    def seen(self, execution: Execution) -> None:
        """Draw it as it is now."""
        self._execution, self._message = execution, ""
        if execution.status == "Stopping":
            self._message = "stopping: running jobs are being stopped"

    def refused(self, refused: Refused, pause: float) -> None:
        """Say that AWS could not be asked."""
        self._message = f"{refused.message}; asking again in {duration(pause)}"

    def _draw(self) -> RenderableType:
        parts: list[RenderableType] = []
        if self._execution is not None:
            parts += self._rows(self._execution)
        if self._message:
            parts.append(Text(clean(self._message), style="yellow"))
        return Group(*parts)

    def _rows(self, execution: Execution) -> list[RenderableType]:
        room = max(5, self.console.height - _MARGIN)
        steps = list(execution.steps)
        later = unbegun(execution, self.definition)
        hidden = 0
        if len(steps) + len(later) > room:
            # What runs, failed and ended last matters most.
            late = later[: max(0, room // 4)]
            kept = steps[len(steps) - (room - len(late)) :] if len(steps) > room // 2 else steps
            late = later[: room - len(kept)]
            hidden = len(steps) + len(later) - len(kept) - len(late)
            steps, later = kept, late
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.width = max(20, self.console.width - 3)
        names = [*(step.label for step in steps), *later]
        widest = max((len(name) for name in names), default=1)
        table.add_column(width=1)
        table.add_column(
            width=min(widest, max(16, self.console.width // 2 - 12)),
            no_wrap=True,
            overflow="ellipsis",
        )
        table.add_column(width=9, no_wrap=True)
        table.add_column(width=11, justify="right", no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for step in steps:
            table.add_row(*self._cells(step))
        for name in later:
            word = waiting(execution)
            table.add_row(Text("·", "dim"), Text(name, "dim"), Text(word, "dim"), "", "")
        found: list[RenderableType] = [table]
        if hidden:
            found.append(Text(f"   {hidden} more steps are not shown", style="dim"))
        return found

    def _cells(self, step: StepRecord) -> tuple[RenderableType, ...]:
        style = _STYLES.get(step.status, "default")
        word = step_state(step)
        style = "blue" if word == "reused" else style
        mark: RenderableType = Text(MARKS.get(step.status, "·"), style=style)
        if not step.is_over:
            mark = self._spinners.setdefault(step.label, Spinner("dots", style="cyan"))
        seconds = step.seconds(now())
        spent = "" if word == "reused" or seconds is None else duration(seconds)
        note = "red" if step.status == "Failed" else "dim"
        return (
            mark,
            Text(step.label, overflow="ellipsis"),
            Text(state(word), style=style),
            Text(spent, style="dim"),
            Text(step_note(step), style=note, overflow="ellipsis"),
        )
