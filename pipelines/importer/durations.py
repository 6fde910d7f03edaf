"""Durations as people write them."""

from __future__ import annotations

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def duration_text(seconds: int) -> str:
    """Return ``2h``, ``90m``, ``1d12h`` for a number of seconds."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0 and (seconds // size < 100 or unit == "s"):
            if unit == "h" and seconds // size > 48:
                break
            return f"{seconds // size}{unit}"
    parts = []
    rest = seconds
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
