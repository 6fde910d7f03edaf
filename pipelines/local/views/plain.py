"""A run as plain lines: for pipes, CI logs and simple terminals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from pipelines.definition import Step
from pipelines.local.jobs import Progress
from pipelines.local.observer import Observer, RunStart, StepEnd
from pipelines.local.views.words import clean, columns, duration, plural, shown

QUIET = 60.0
"""Seconds after which a step that runs on is told about again: CI systems end silent jobs, and
people doubt them."""

_NOTE = 120


class PlainView(Observer):
    """Writes one line for each thing that happens, and one a minute for what goes on.

    Args:
        write: takes a line without its end.
        quiet: seconds after which a running step is told about again.
    """

    def __init__(self, write: Callable[[str], None], quiet: float = QUIET) -> None:
        self._mutex = threading.Lock()
        self._write = write
        self._width = 0
        self._open = True
        self._quiet = quiet
        # Of each running step: when it began, what it printed last.
        self._running: dict[str, tuple[float, str]] = {}
        self._over = threading.Event()

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
        threading.Thread(target=self._remind, name="view", daemon=True).start()

    def _remind(self) -> None:
        while not self._over.wait(self._quiet):
            now = time.monotonic()
            for name, (began, last) in list(self._running.items()):
                if now - began >= self._quiet:
                    words = f"running for {duration(now - began)}"
                    self._say(name, f"{words}: {last}" if last else words)

    def _say(self, step: str, text: str) -> None:
        self._put(f"{step.ljust(self._width)}  {text}")

    def step_kept(self, name: str) -> None:
        """Say that a step need not run again."""
        self._say(name, "kept: it had succeeded")

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """Make room for the names of the rounds' steps."""
        del loop
        self._width = max([self._width, *(len(step.name) for step in steps)])

    def step_started(self, name: str) -> None:
        """Say that a step starts."""
        self._running[name] = (time.monotonic(), "")
        self._say(name, "started")

    def line(self, step: str, text: str) -> None:
        """Keep a job's last line for when it has run for long."""
        stripped = clean(text).strip()
        if stripped and step in self._running:
            self._running[step] = (self._running[step][0], stripped[:_NOTE])

    def progress(self, step: str, progress: Progress) -> None:
        """Say how a training job of a search ended."""
        if progress.part and progress.state not in ("", "running"):
            total = f"/{progress.total}" if progress.total else ""
            self._say(step, clean(f"{progress.done}{total}  {progress.part}: {progress.note}"))

    def retrying(self, step: str, reason: str, wait: float) -> None:
        """Say that a step is tried again."""
        self._say(step, f"retrying in {duration(wait)}: {reason}")

    def step_ended(self, end: StepEnd) -> None:
        """Say how a step ended."""
        self._running.pop(end.name, None)
        self._say(end.name, end_words(end))

    def stopping(self) -> None:
        """Say that the run is being stopped."""
        self._put("stopping; running jobs get a moment to end")

    def ended(self, status: str) -> None:
        """Tell nothing further."""
        del status
        self._over.set()


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
