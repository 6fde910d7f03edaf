"""Ending training jobs that promise nothing, while they run.

Sources: Amazon SageMaker Developer Guide, "Stop training jobs early" (the median rule) and "How
hyperparameter tuning works" (Hyperband).
"""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict
from typing import Protocol

REDUCTION = 3
"""[U] Of the jobs that reach one of Hyperband's rungs, one in this many goes on; the guide does not
say how many. It is the published algorithm's own number."""


class EarlyStop(Protocol):
    """Judges jobs by the objective they report again and again."""

    def goes_on(self, job: int, score: float) -> bool:
        """Take in a job's next score (greater is better) and say whether it may go on."""

    def ended(self, job: int) -> None:
        """A job has run to its end."""


class MedianStop:
    """Ends a job whose score is worse than the median of earlier jobs' running averages.

    A running average is taken up to the same report (epoch) as the job's own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scores: dict[int, list[float]] = defaultdict(list)
        self._ended: list[int] = []

    def goes_on(self, job: int, score: float) -> bool:
        """Compare with the jobs that have ended."""
        with self._lock:
            mine = self._scores[job]
            mine.append(score)
            count = len(mine)
            others = [
                statistics.fmean(self._scores[other][:count])
                for other in self._ended
                if len(self._scores[other]) >= count
            ]
            return not others or max(mine) >= statistics.median(others)

    def ended(self, job: int) -> None:
        """Count the job among those that others are compared with."""
        with self._lock:
            self._ended.append(job)


class Halving:
    """Lets the best part of the jobs that reach a rung go on: asynchronous successive halving.

    Args:
        least: reports after which the first rung stands.
        most: reports after which a job is complete; None where nobody said.
    """

    def __init__(self, least: int = 1, most: int | None = None) -> None:
        self._lock = threading.Lock()
        self._least = max(1, least)
        self._most = most
        self._count: dict[int, int] = defaultdict(int)
        self._rungs: dict[int, list[float]] = defaultdict(list)

    def goes_on(self, job: int, score: float) -> bool:
        """Judge the job where it stands at a rung."""
        with self._lock:
            self._count[job] += 1
            count = self._count[job]
            if not self._is_rung(count) or (self._most is not None and count >= self._most):
                return True
            seen = self._rungs[count]
            seen.append(score)
            kept = max(1, len(seen) // REDUCTION)
            return score >= sorted(seen, reverse=True)[kept - 1]

    def _is_rung(self, count: int) -> bool:
        rung = self._least
        while rung < count:
            rung *= REDUCTION
        return rung == count

    def ended(self, job: int) -> None:
        """A rung has seen all that counts."""
