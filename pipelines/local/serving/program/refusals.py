"""Requests that get no prediction."""

from __future__ import annotations


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: the HTTP status.
        reason: for people, on one line.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = " ".join(reason.split())[:2000]
