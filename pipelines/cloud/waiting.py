"""Calls under way: which try each is at, and what to say while AWS is silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

QUIET_SECONDS = 5.0
"""How long nothing is said about a try."""
_TICK = 0.5

_NAMES = {
    "sagemaker": "SageMaker",
    "s3": "S3",
    "sts": "STS",
    "scheduler": "EventBridge Scheduler",
    "logs": "CloudWatch Logs",
    "cloudwatch": "CloudWatch",
}

Tell = Callable[[str], None]


@dataclass(eq=False)
class _Underway:
    operation: str
    resource: str
    most: int
    begun: float
    tries: int = 0
    sent: float = 0.0
    told: bool = False

    @property
    def words(self) -> str:
        service, _, name = self.operation.partition(":")
        told = f"waiting for {_NAMES.get(service, service)} {name}"
        return f"{told}, try {self.tries} of {self.most}" if self.tries > 1 else told


@dataclass
class Waiting:
    """Follows calls through their tries; safe to use from several threads.

    Args:
        tell: gets a line for each try but the first (``--debug``).
        notice: gets a line for each try that AWS is silent to for some seconds; for people at a
            terminal. None: nobody is there, and no thread watches.
    """

    tell: Tell | None = None
    notice: Tell | None = None
    _calls: set[_Underway] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _own: threading.local = field(default_factory=threading.local)
    _watched: bool = False

    @contextmanager
    def following(self, operation: str, resource: str, most: int) -> Iterator[None]:
        """Follow the call that is made in the block, by this thread.

        Args:
            most: how often it is tried at most.
        """
        now = time.monotonic()
        call = _Underway(operation, resource, most, now, sent=now)
        self._own.call = call
        with self._lock:
            self._calls.add(call)
            if self.notice is not None and not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, name="sagedag-waiting", daemon=True).start()
        try:
            yield
        finally:
            self._own.call = None
            with self._lock:
                self._calls.discard(call)

    def sent(self, **_: Any) -> None:
        """Note that this thread's call is tried (botocore's event ``before-send``)."""
        call: _Underway | None = getattr(self._own, "call", None)
        if call is None:
            return
        with self._lock:
            call.tries += 1
            call.sent, call.told = time.monotonic(), False
        if call.tries > 1 and self.tell is not None:
            spent = call.sent - call.begun
            number = f"try {call.tries} of {call.most}"
            self.tell(f"aws {call.operation} ({call.resource}) {number} after {spent:.1f} s")

    def _watch(self) -> None:
        while True:
            time.sleep(_TICK)
            line = self._overdue(time.monotonic())
            if line and self.notice is not None:
                self.notice(line)

    def _overdue(self, now: float) -> str:
        """Return what to say of the calls that wait for long; one line for all of them."""
        with self._lock:
            overdue = [c for c in self._calls if not c.told and now - c.sent >= QUIET_SECONDS]
            if not overdue:
                return ""
            for call in self._calls:
                # Those that were sent at about the same moment are meant as well.
                call.told = call.told or now - call.sent >= QUIET_SECONDS - 2 * _TICK
            return max(overdue, key=lambda call: call.tries).words
