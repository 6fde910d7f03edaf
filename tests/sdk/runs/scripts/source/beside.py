"""A module that is imported by the scripts beside it."""

from __future__ import annotations


def doubled(number: int) -> int:
    """Returns twice a number."""
    return 2 * number
