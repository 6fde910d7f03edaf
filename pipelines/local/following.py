"""Logs of a run's jobs: what is there, and what comes as long as the run goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.history import History, StepRecord
from pipelines.local.store import Store

INTERVAL = 0.2
"""Seconds between two looks."""

_RUNNING = ("Starting", "Executing", "Stopping")


@dataclass(frozen=True)
class Line:
    """A line that a step's job printed."""

    step: str
    text: str


def trial_logs(step: StepRecord) -> dict[str, Path]:
    """Return the logs of the training jobs of a search, by number: ``003``."""
    folder = Path(step.log).with_suffix("")
    return {path.stem: path for path in sorted(folder.glob("*.log"))}


def follow(store: Store, run: str, step: str = "", job: str = "", tail: int = -1) -> Iterator[Line]:
    """Yield the lines of a run's logs as they come, until the run has ended.

    Args:
        store: an open store; another process may write to it.
        run: the run's id.
        step: only this one's; also where it has not begun.
        job: only this training job's of the step, a search.
        tail: how many lines of what is there already come first; negative for all.
    """
    readers: dict[str, _Reader] = {}
    first = True
    while True:
        # A history of its own each time: it tells whether the run's process still lives.
        history = History(store)
        going = history.find(run).status in _RUNNING
        for record in history.steps(run):
            if step and record.name != step:
                continue
            path = Path(record.log)
            if job:
                path = path.with_suffix("") / f"{job}.log"
            reader = readers.setdefault(record.name, _Reader(path, tail if first else -1))
            for text in reader.read(whole=not going or record.status not in _RUNNING):
                yield Line(record.name, text)
        first = False
        if not going:
            return
        time.sleep(INTERVAL)


class _Reader:
    """Reads what is added to a file, line by line.

    Args:
        path: the file; it may not be there yet.
        tail: how many of the lines that are there come first; negative for all.
    """

    def __init__(self, path: Path, tail: int) -> None:
        self._path = path
        self._tail = tail
        self._offset = 0
        self._rest = b""

    def read(self, *, whole: bool) -> list[str]:
        """Return the further lines; with ``whole`` also a last one without an end."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except OSError:
            # A step that ran no job has no log.
            return []
        self._offset += len(data)
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if whole and self._rest:
            lines.append(self._rest)
            self._rest = b""
        if self._tail >= 0:
            lines = lines[len(lines) - min(self._tail, len(lines)) :]
            self._tail = -1
        return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]
