"""A run as plain lines: for pipes, CI logs and ``NO_COLOR``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from pipelines.definition import Step
from pipelines.local.observer import Observer, RunStart, StepEnd
from pipelines.local.views.words import columns, duration, plural, shown


class PlainView(Observer):
    """Writes one line for each thing that happens.

    Args:
        write: takes a line without its end.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._mutex = threading.Lock()
        self._write = write
        self._width = 0
        self._open = True

    def _put(self, text: str) -> None:
        with self._mutex:
            if self._open:
                try:
                    self._write(text)
                except OSError:
                    # The reader of our output went away; the run itself goes on.
                    self._open = False

    def waiting(self, text: str) -> None:
        """Say who is waited for."""
        self._put(text)

    def started(self, run: RunStart) -> None:
        """Write the header."""
        self._width = max(len(step.name) for step in run.definition.steps)
        for line in columns(header_rows(run)):
            self._put(line)
        self._put("")

    def step_kept(self, name: str) -> None:
        """Say that a step need not run again."""
        self._put(f"{name.ljust(self._width)}  kept: it had succeeded")

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """Make room for the names of the rounds' steps."""
        del loop
        self._width = max([self._width, *(len(step.name) for step in steps)])

    def step_started(self, name: str) -> None:
        """Say that a step starts."""
        self._put(f"{name.ljust(self._width)}  started")

    def retrying(self, step: str, reason: str, wait: float) -> None:
        """Say that a step is tried again."""
        self._put(f"{step.ljust(self._width)}  retrying in {duration(wait)}: {reason}")

    def step_ended(self, end: StepEnd) -> None:
        """Say how a step ended."""
        self._put(f"{end.name.ljust(self._width)}  {end_words(end)}")

    def stopping(self) -> None:
        """Say that the run is being stopped."""
        self._put("stopping; running jobs get a moment to end")


def header_rows(run: RunStart) -> list[tuple[str, str]]:
    """Write what is known when a run starts: names and texts."""
    steps = plural(len(run.definition.steps), "step")
    return [
        ("Pipeline", f"{run.identity.pipeline} ({steps}, at most {run.parallelism} at once)"),
        ("Run", run.identity.execution),
        ("Isolation", f"{run.isolation}: {run.note}" if run.note else run.isolation),
        ("Store", shown(run.store)),
        *run.remarks,
    ]


def end_words(end: StepEnd) -> str:
    """Write how a step ended."""
    words = f"{end.status.lower()} in {duration(end.seconds)}"
    if end.cache_source:
        words = f"reused from run {end.cache_source}"
    if end.note:
        words += f": {end.note}"
    if end.reason and end.status == "Failed":
        words += f": {end.reason.splitlines()[0]}"
    return words
