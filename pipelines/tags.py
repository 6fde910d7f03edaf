"""Tags of a pipeline: which a definition may set, and how many.

Sources: SageMaker API, "Tag" and "TagList" (50 at most); AWS Tagging guide (the prefix ``aws:``, in
whatever letters, is AWS's own and does not count).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

PREFIX = "sagedag:"
"""How the tags begin by which this tool knows what it deployed."""
KEYS = "sagedag:tags"
"""The keys of the tags that the definition asked for: those it drops are removed, tags that
others put there are left alone."""
MOST = 50
"""How many tags a pipeline can have."""
OWN = 8
"""How many tags say who deployed what, beside those that remember keys."""
_LONGEST = 256


def is_reserved(key: str) -> bool:
    """Whether a tag is not a definition's to set."""
    return key.lower().startswith(("aws:", PREFIX))


def room_for(keys: Iterable[str]) -> int:
    """Return how many tags of a definition there is room for, if they have these keys."""
    return MOST - OWN - len(remembered_keys(keys))


def remembered_keys(keys: Iterable[str]) -> dict[str, str]:
    """Return the tags that remember which keys a definition asked for."""
    words = [quote(key, safe="").replace("%", "=") for key in sorted(keys)]
    made: dict[str, str] = {}
    current = ""
    for word in words:
        longer = f"{current} {word}".strip()
        if len(longer) > _LONGEST:
            made[_nth(len(made))] = current
            longer = word[:_LONGEST]
        current = longer
    if current:
        made[_nth(len(made))] = current
    return made


def _nth(number: int) -> str:
    return KEYS if number == 0 else f"{KEYS}.{number + 1}"


def too_many(tags: Mapping[str, str]) -> str:
    """Return that there is no room for so many tags; empty where there is."""
    room = room_for(tags)
    if len(tags) <= room:
        return ""
    return f"{len(tags)} tags; a pipeline has room for {room} beside those that say who deployed it"
