"""How many jobs run at once on this machine: those of steps, and the further ones of a search."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


class Room:
    """Places for jobs. A step takes one; a search takes one more for each job beside its first.

    Args:
        limit: how many there are.
    """

    def __init__(self, limit: int = sys.maxsize) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._taken = 0
        self._awaited = False
        self._freed: Callable[[], None] = lambda: None

    def listen(self, freed: Callable[[], None]) -> None:
        """Call this whenever a place is free that a step waits for."""
        self._freed = freed

    def enter(self) -> bool:
        """Take a place for a step; where there is none, the next free one is kept for it."""
        with self._lock:
            self._awaited = self._is_full()
            self._taken += not self._awaited
            return not self._awaited

    def enter_more(self) -> bool:
        """Take a further place for a step that has one, unless another step waits."""
        with self._lock:
            fits = not self._awaited and not self._is_full()
            self._taken += fits
            return fits

    def leave(self) -> None:
        """Give a place back."""
        with self._lock:
            self._taken -= 1
            awaited = self._awaited
        if awaited:
            self._freed()

    def _is_full(self) -> bool:
        return self._taken >= self.limit
