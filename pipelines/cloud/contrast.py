"""Two values that differ, in words that show where."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from pipelines.cloud.masking import MASKED, is_sensitive
from pipelines.cloud.redaction import redact
from pipelines.cloud.wording import LONGEST, clipped, in_words, items_in_words, shown, with_places

_AROUND = 24
"""Characters of what is equal that are shown beside a difference."""


def both_shown(before: Any, after: Any, place: str) -> tuple[str, str, str]:
    """Return two values that differ in words, and where in them they differ.

    Assets that look alike are told with where they lie, long texts by what is around the
    difference, texts of several lines by the lines that differ. Of lists that share items, what was
    added and removed is told in the place of the values.

    Returns:
        What to say of the first, of the second, and what else there is to say.
    """
    if is_sensitive(place):
        return shown(before, place), shown(after, place), ""
    told = _items(before, after, place)
    if told:
        return "", "", told
    note = ""
    if isinstance(before, str) and isinstance(after, str) and "\n" in before and "\n" in after:
        before, after, note = _lines(before, after)
    first, second = in_words(before), in_words(after)
    if clipped(first) == clipped(second) and MASKED not in first:
        first, second = in_words(with_places(before)), in_words(with_places(after))
    return *_around(redact(first), redact(second)), note


def _around(first: str, second: str) -> tuple[str, str]:
    """Return two texts shortened to what differs in them, where one of them is long."""
    if max(len(first), len(second)) <= LONGEST:
        return clipped(first), clipped(second)
    same = _same(first, second)
    behind = _same(first[same:][::-1], second[same:][::-1])
    start = max(0, same - _AROUND) if same > 2 * _AROUND else 0
    end = max(0, behind - _AROUND) if behind > 2 * _AROUND else 0
    one, other = (
        clipped("…" * bool(start) + text[start : len(text) - end] + "…" * bool(end))
        for text in (first, second)
    )
    return one, other


def _same(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how much of two texts or lists is the same at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    shorter = min(len(one), len(other))
    return next((at for at, (first, second) in pairs if first != second), shorter)


def _lines(before: str, after: str) -> tuple[str, str, str]:
    """Return the lines that differ in two texts, and which they are."""
    old, new = before.splitlines(), after.splitlines()
    same = _same(old, new)
    behind = _same(old[same:][::-1], new[same:][::-1])
    one, other = ("\n".join(text[same : len(text) - behind]) for text in (old, new))
    return (one, other, f"line {same + 1}") if one or other else (before, after, "")


def _items(before: Any, after: Any, place: str) -> str:
    """Return which items of lists are new and which are gone; empty where they share none."""
    if not isinstance(before, list) or not isinstance(after, list):
        return ""
    old, new = ([json.dumps(item, sort_keys=True) for item in each] for each in (before, after))
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    if all(step[0] != "equal" for step in steps) or all(step[0] == "equal" for step in steps):
        return ""
    words = [items_in_words(items) for items in (before, after)]
    removed = [w for kind, i, j, _, _ in steps if kind != "equal" for w in words[0][i:j]]
    added = [w for kind, _, _, i, j in steps if kind != "equal" for w in words[1][i:j]]
    between = " " if place.lower().endswith("arguments") else ", "
    parts = [("added", added), ("removed", removed)]
    return "; ".join(f"{verb} {clipped(between.join(w))}" for verb, w in parts if w)
