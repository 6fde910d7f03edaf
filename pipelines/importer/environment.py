"""The environment that an imported definition was written for, as far as its literals tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+")
_REGION = re.compile(
    r"[0-9]{12}\.dkr\.ecr\.([a-z]{2}(?:-[a-z]+)+-[0-9])\."
    r"|arn:aws[a-z-]*:[a-z0-9-]+:([a-z]{2}(?:-[a-z]+)+-[0-9]):[0-9]{12}:"
)
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/|$)")

NAME = "aws"
"""What the suggested environment is called."""


@dataclass(frozen=True)
class Suggested:
    """An environment, as far as it is known; empty texts for the rest."""

    account: str = ""
    region: str = ""
    role: str = ""
    bucket: str = ""

    def entry(self) -> dict[str, str]:
        """Return the environment's entry in ``environments.yaml``."""
        return {name: value for name, value in vars(self).items() if value}


def suggest_environment(definition: Mapping[str, Any], role: str = "") -> Suggested:
    """Return the environment whose account, region, role and bucket a definition names most.

    Args:
        role: the pipeline's own role, where it is known.
    """
    roles: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    buckets: Counter[str] = Counter()
    for text in _texts(definition):
        roles.update(match[0] for match in _ROLE.finditer(text))
        regions.update(match[1] or match[2] for match in _REGION.finditer(text))
        buckets.update(match[1] for match in _BUCKET.finditer(text))
    chosen = role if _ROLE.fullmatch(role) else _first(roles)
    found = _ROLE.fullmatch(chosen)
    return Suggested(found[1] if found else "", _first(regions), chosen, _first(buckets))


def _first(counts: Counter[str]) -> str:
    return counts.most_common(1)[0][0] if counts else ""


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, str):
            yield each
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
