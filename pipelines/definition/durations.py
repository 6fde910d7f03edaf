"""Durations of ``ExpireAfter``: ISO 8601, and the shorter forms AWS's pages show."""

from __future__ import annotations

import re

# [U] The service's documentation writes "30d", "T12H" and "T16m" beside "P30D" and "P4DT12H"; what
# exactly is accepted is not stated. All of these are read, in either case. Before the T an M is a
# month, after it a minute; without P and T it is a minute.
_ISO = re.compile(
    r"P?(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)
_SHORT = re.compile(r"(?:(\d+)W)?(?:(\d+)D)?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_ISO_SECONDS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)
_SHORT_SECONDS = (7 * 86400, 86400, 3600, 60, 1)


def seconds(text: str) -> float | None:
    """Return a duration's length in seconds; None where the text is no duration."""
    upper = text.strip().upper()
    if not upper or len(upper) > 40:
        return None
    short = _SHORT.fullmatch(upper)
    match = short or _ISO.fullmatch(upper)
    if match is None or not any(match.groups()):
        return None
    units = _SHORT_SECONDS if short else _ISO_SECONDS
    return float(
        sum(int(count) * unit for count, unit in zip(match.groups(), units, strict=True) if count)
    )
