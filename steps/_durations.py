"""Durations as people and AWS write them; standard library only."""

from __future__ import annotations

import re

_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST = 100 * 366 * _SECONDS["d"]
_LONGEST_TEXT = 80
_NUMBER = r"([0-9]{1,12})"
_SHORT = re.compile(
    rf"(?:{_NUMBER}w)? ?(?:{_NUMBER}d)? ?(?:{_NUMBER}h)? ?(?:{_NUMBER}m)? ?(?:{_NUMBER}s)?"
)
# ISO 8601 begins with P; AWS's page on step caching also writes times of day without it ("T12H").
_ISO = re.compile(
    rf"p?(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:t(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?)?"
)
_EXAMPLES = "Write it like `2h`, `90m`, `1d12h`, `30d` or `PT2H`."


class DurationError(ValueError):
    """A text is no duration; the message says why and how to write one."""


def parse(text: str) -> int:
    """Returns the seconds that `text` means.

    Read are `2h`, `90m`, `1d12h`, `2w`; ISO 8601 with weeks, days and times (`PT2H`, `P4DT12H`);
    and what AWS's documentation of ``CacheConfig.ExpireAfter`` gives besides (`T12H`, `T16m`,
    `p30d`). Case does not matter.

    Raises:
        DurationError: `text` is no duration, or one of more than a hundred years.
    """
    folded = text.strip().lower() if isinstance(text, str) else ""
    form = _ISO if folded[:1] in {"p", "t"} else _SHORT
    found = form.fullmatch(folded)
    if not folded or found is None or folded.endswith(("t", "p")):
        raise DurationError(_complain(text, folded))
    seconds = sum(
        int(number) * unit
        for number, unit in zip(found.groups(), _SECONDS.values(), strict=True)
        if number
    )
    if seconds > _LONGEST:
        raise DurationError(f"`{_shorten(text)}` is longer than a hundred years.")
    return seconds


def to_iso(seconds: int) -> str:
    """Returns `seconds` in ISO 8601 with days, hours, minutes and seconds: `P4DT12H`, `PT0S`.

    Raises:
        ValueError: `seconds` is negative.
    """
    if seconds < 0:
        raise ValueError(f"a duration cannot be negative: {seconds}")
    days, rest = divmod(seconds, _SECONDS["d"])
    hours, rest = divmod(rest, _SECONDS["h"])
    minutes, rest = divmod(rest, _SECONDS["m"])
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    time = "".join(f"{number}{unit}" for number, unit in parts if number)
    date = f"{days}D" if days else ""
    if not date and not time:
        return "PT0S"
    return f"P{date}T{time}" if time else f"P{date}"


def _complain(text: object, folded: str) -> str:
    shown = f"`{_shorten(text)}` is not a duration"
    if not folded:
        return f"A duration is missing. {_EXAMPLES}"
    if len(folded) > _LONGEST_TEXT:
        return f"{shown}. {_EXAMPLES}"
    if re.fullmatch(r"[0-9]+", folded):
        return f"{shown}: it has no unit. Write `{_shorten(folded)}s` for seconds."
    if re.fullmatch(r"p(?=.*[0-9])[0-9ymwd]*[ym][0-9ymwdths]*", folded):
        return f"{shown} of a fixed length: years and months vary. Write days, such as `P30D`."
    if re.search(r"[0-9][.,][0-9]", folded):
        return f"{shown}: it has a fraction. Use the next smaller unit, such as `90m`."
    if folded.startswith("-"):
        return f"{shown}: it is negative. {_EXAMPLES}"
    if folded[0] not in "pt" and re.fullmatch(r"(?: ?[0-9]+[wdhms])+", folded):
        return f"{shown}: each unit comes once, the greatest first. {_EXAMPLES}"
    return f"{shown}. {_EXAMPLES}"


def _shorten(text: object) -> str:
    shown = str(text)
    return shown if len(shown) <= 40 else shown[:39] + "…"
