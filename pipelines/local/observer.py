"""Who watches a run: every method is called as things happen, some from the threads of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.definition import Definition, Step
from pipelines.local.identity import Identity
from pipelines.local.jobs import Progress


@dataclass(frozen=True)
class RunStart:
    """What is known when a run starts; ``remarks`` are further lines: a word and a text."""

    identity: Identity
    definition: Definition
    parallelism: int
    isolation: str
    note: str
    store: Path
    remarks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class StepEnd:
    """How a step ended.

    Attributes:
        status: Succeeded, Failed or Stopped.
        seconds: how long it took.
        note: the outcome of a condition, the version that was registered, ….
        reason: why it did not succeed.
        cache_source: the execution whose result was reused.
        log: its log file.
    """

    name: str
    type: str
    status: str
    seconds: float
    log: Path
    note: str = ""
    reason: str = ""
    cache_source: str = ""


class Observer:
    """Watches a run and does nothing; views override what they show."""

    def waiting(self, text: str) -> None:
        """The run waits for another one."""

    def started(self, run: RunStart) -> None:
        """The run has started."""

    def step_started(self, name: str) -> None:
        """A step has started."""

    def step_kept(self, name: str) -> None:
        """A step of the execution that is resumed had ended well and is not run again."""

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """A ForEach begins: the steps of its rounds will be started."""

    def line(self, step: str, text: str) -> None:
        """A step's job has printed a line."""

    def progress(self, step: str, progress: Progress) -> None:
        """A step's job that consists of parts has come further; its parts may run side by side."""

    def retrying(self, step: str, reason: str, wait: float) -> None:
        """A step will be tried again after some seconds."""

    def step_ended(self, end: StepEnd) -> None:
        """A step has ended."""

    def stopping(self) -> None:
        """The run is being stopped; running jobs get their signal."""

    def ended(self, status: str) -> None:
        """The run has ended; also called when it breaks off by an error."""


class Observers(Observer):
    """Several observers as one; each is told everything, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def waiting(self, text: str) -> None:
        """Pass it on."""
        for each in self._observers:
            each.waiting(text)

    def started(self, run: RunStart) -> None:
        """Pass it on."""
        for each in self._observers:
            each.started(run)

    def step_started(self, name: str) -> None:
        """Pass it on."""
        for each in self._observers:
            each.step_started(name)

    def step_kept(self, name: str) -> None:
        """Pass it on."""
        for each in self._observers:
            each.step_kept(name)

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """Pass it on."""
        for each in self._observers:
            each.expanded(loop, steps)

    def line(self, step: str, text: str) -> None:
        """Pass it on."""
        for each in self._observers:
            each.line(step, text)

    def progress(self, step: str, progress: Progress) -> None:
        """Pass it on."""
        for each in self._observers:
            each.progress(step, progress)

    def retrying(self, step: str, reason: str, wait: float) -> None:
        """Pass it on."""
        for each in self._observers:
            each.retrying(step, reason, wait)

    def step_ended(self, end: StepEnd) -> None:
        """Pass it on."""
        for each in self._observers:
            each.step_ended(end)

    def stopping(self) -> None:
        """Pass it on."""
        for each in self._observers:
            each.stopping()

    def ended(self, status: str) -> None:
        """Pass it on."""
        for each in self._observers:
            each.ended(status)
