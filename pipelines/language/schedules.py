"""When a pipeline starts by itself: what EventBridge Scheduler would refuse of `schedules`.

The rules are those of its user guide, "Schedule types in EventBridge Scheduler".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pipelines.language.diagnostics import Report, suggest
from pipelines.language.spec import PipelineSpec
from steps._contract import Problem

WAYS = ("cron", "rate", "at")

_RATE = re.compile(r"([1-9][0-9]{0,8}) (minute|hour|day)s?")
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 1, 7, _DAYS),
    ("year", 1970, 2199, []),
)
_MONTH_DAY, _WEEK_DAY = 2, 4


def check_schedules(spec: PipelineSpec, report: Report) -> None:
    """Report schedules that could not be made."""
    for name, given in spec.schedules.items():
        if isinstance(given, Mapping):
            for problem in _problems(given, [each.name for each in spec.parameters]):
                report.problem(spec.tree, problem, ("schedules", name))


def _problems(given: Mapping[str, Any], parameters: list[str]) -> Iterator[Problem]:
    ways = [way for way in WAYS if given.get(way) is not None]
    if len(ways) != 1:
        found = " beside ".join(f"`{way}`" for way in ways) or "none of them"
        message = f"a schedule has one of `cron`, `rate` and `at`; here is {found}"
        yield Problem("needs-one-of", (), message, at_key=True)
        return
    way, text = ways[0], given[ways[0]]
    if isinstance(text, str) and "{{" not in text:  # a template that is left is wrong, and told
        inside = re.fullmatch(rf"{way}\((.*)\)", text)
        judged = {"cron": _cron, "rate": _rate, "at": _at}[way](inside[1] if inside else text)
        if judged:
            yield Problem("bad-value", (way,), *judged)
    named = given.get("parameters")
    for name in named if isinstance(named, Mapping) else ():
        if name not in parameters:
            message = f"there is no parameter `{name}`"
            hint = suggest(str(name), parameters)
            yield Problem("unknown-reference", ("parameters", name), message, hint, at_key=True)


def _rate(text: str) -> tuple[str, str] | None:
    if _RATE.fullmatch(text):
        return None
    return f"`{text}` is no interval", "such as `30 minutes`, `6 hours` or `1 day`"


def _at(text: str) -> tuple[str, str] | None:
    try:
        if _AT.fullmatch(text):
            datetime.fromisoformat(text)
            return None
    except ValueError:
        pass
    return f"`{text}` is no moment", "such as `2030-01-31T03:00:00`; `timezone` says where"


def _cron(text: str) -> tuple[str, str] | None:
    words = text.split()
    if len(words) != len(_FIELDS):
        what = "1 field" if len(words) == 1 else f"{len(words)} fields"
        return (
            f"`{text}` has {what}; cron has six here: minutes, hours, day of the month, month, "
            "day of the week, year",
            "such as `0 3 * * ? *` for every day at 3",
        )
    for place, word in enumerate(words):
        name, low, high, names = _FIELDS[place]
        if not all(_item(place, item) for item in word.upper().split(",")):
            known = f", or {names[0]} to {names[-1]}" if names else ""
            return f"`{word}` is no {name} of a cron expression", f"from {low} to {high}{known}"
    if (words[_MONTH_DAY] == "?") == (words[_WEEK_DAY] == "?"):
        message = "one of the day of the month and the day of the week is `?`, and only one"
        return message, "such as `0 3 * * ? *` for every day at 3"
    return None


def _item(place: int, item: str) -> bool:
    """Whether one item of a cron field, in capitals, is one that the service knows."""
    if item == "?":
        return place in (_MONTH_DAY, _WEEK_DAY)
    if place == _MONTH_DAY and item in ("L", "LW"):
        return True
    if place == _MONTH_DAY and item.endswith("W"):
        return _one(place, item[:-1])
    if place == _WEEK_DAY and "#" in item:
        day, _, week = item.partition("#")
        return _one(place, day) and week in ("1", "2", "3", "4", "5")
    if place == _WEEK_DAY and item.endswith("L"):
        return item == "L" or _one(place, item[:-1])
    span, slash, step = item.partition("/")
    if slash and not (re.fullmatch("[0-9]{1,4}", step) and int(step) > 0):
        return False
    if span == "*":
        return True
    return all(_one(place, each) for each in span.split("-", 1))


def _one(place: int, word: str) -> bool:
    _, low, high, names = _FIELDS[place]
    if word in names:
        return True
    return bool(re.fullmatch("[0-9]{1,4}", word)) and low <= int(word) <= high
