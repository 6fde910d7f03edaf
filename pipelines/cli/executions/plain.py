"""An execution as plain lines while it runs: for pipes, CI logs and ``NO_COLOR``."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.cli.executions.lines import step_note, step_state
from pipelines.cloud.executions.records import Execution, StepRecord
from pipelines.cloud.refusals import Refused
from pipelines.definition import Definition
from pipelines.local.views.words import duration


class PlainWatcher:
    """Writes a line for each change of a step.

    Args:
        write: takes a line without its end.
        definition: what it runs, for the width of names; None where it is not known.
    """

    def __init__(self, write: Callable[[str], None], definition: Definition | None) -> None:
        self._write = write
        names = [step.name for step in definition.steps] if definition is not None else []
        self._width = max((len(name) for name in names), default=0)
        self._states: dict[str, tuple[str, int]] = {}
        self._status = ""

    def __enter__(self) -> PlainWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""

    def seen(self, execution: Execution) -> None:
        """Write what changed since it was seen last."""
        self._width = max([self._width, *(len(step.label) for step in execution.steps)])
        for step in execution.steps:
            shown = "Executing" if step.status == "Starting" else step.status
            if self._states.get(step.label) != (shown, step.attempts):
                self._states[step.label] = shown, step.attempts
                self._write(f"{step.label.ljust(self._width)}  {_words(step)}")
        if execution.status == "Stopping" != self._status:
            self._write("stopping: running jobs are being stopped")
        self._status = execution.status

    def refused(self, refused: Refused, pause: float) -> None:
        """Say that AWS could not be asked."""
        self._write(f"{refused.message}; asking again in {duration(pause)}")


def _words(step: StepRecord) -> str:
    note = step_note(step)
    if not step.is_over:
        word = {"Stopping": "stopping"}.get(step.status, "started")
        return word + (f": {note}" if note else "")
    words = step_state(step)
    if step.ended is not None and not step.cached_from and not step.selected_from:
        words += f" in {duration(step.seconds(step.ended) or 0)}"
    return words + (f": {note}" if note else "")
