"""Following an execution until it is over, however long that takes and whatever the weather."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipelines.cloud.client import Clients
from pipelines.cloud.executions.reading import read_execution
from pipelines.cloud.executions.records import Execution
from pipelines.cloud.executions.weather import is_passing
from pipelines.cloud.refusals import Refused


@dataclass(frozen=True)
class Pace:
    """How often AWS is asked.

    Args:
        first: seconds until it is asked again after something changed.
        longest: seconds between two questions while nothing changes.
        growth: by what the pause grows while nothing changes.
        patience: for how many seconds refusals that pass by themselves are borne.
    """

    first: float = 3.0
    longest: float = 30.0
    growth: float = 1.3
    patience: float = 900.0


class Watcher(Protocol):
    """Is told how an execution goes."""

    def seen(self, execution: Execution) -> None:
        """It was read."""

    def refused(self, refused: Refused, pause: float) -> None:
        """It could not be read now; it is asked again after a pause."""


def watch(
    clients: Clients,
    arn: str,
    watcher: Watcher,
    pace: Pace | None = None,
    sleep: Callable[[float], None] = time.sleep,
    limit: float | None = None,
) -> Execution:
    """Follow an execution until it is over, and return its last state with all its steps.

    Args:
        limit: for how many seconds at most; what it returns then is not over.

    Throttling, failures of the service and of the network are borne for some time: the pause
    doubles, and it is asked again.

    Raises:
        Refused: a call was refused for another reason (credentials that expired, say), or for too
            long.
    """
    pace = pace or Pace()
    pause, waited = pace.first, 0.0
    last: Execution | None = None
    end = None if limit is None else time.monotonic() + limit
    while True:
        try:
            found = read_execution(clients, arn)
        except Refused as refused:
            if not is_passing(refused) or waited >= pace.patience:
                raise
            if last is None and _left(end) <= 0:
                raise
            pause = min(max(pause, pace.first) * 2, pace.longest * 2)
            watcher.refused(refused, pause)
        else:
            watcher.seen(found)
            if found.is_over:
                return found
            waited = 0.0
            same = last is not None and _state(last) == _state(found)
            pause = min(pause * pace.growth, pace.longest) if same else pace.first
            last = found
        # Many that wait in one account should not all ask at the same moment.
        spread = pause * random.uniform(0.9, 1.1)  # noqa: S311 - no secret depends on it
        if last is not None and _left(end) <= 0:
            return last
        spread = min(spread, max(_left(end), 0.0))
        waited += spread
        sleep(spread)


def _left(end: float | None) -> float:
    return math.inf if end is None else end - time.monotonic()


def _state(execution: Execution) -> object:
    steps = [(step.label, step.status, step.attempts, step.jobs) for step in execution.steps]
    return execution.status, steps
