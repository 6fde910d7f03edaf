"""Asking a run to stop, from a signal handler or another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Stop:
    """A request to stop, made at most once.

    Attributes:
        event: set once the request is made.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._made = False

    def request(self) -> None:
        """Make the request; safe in a signal handler, further calls do nothing."""
        if self._made:
            return
        self._made = True
        self.event.set()
        for listener in list(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called with the request; it must be safe in a signal handler."""
        self._listeners.append(listener)
        if self._made:
            listener()
