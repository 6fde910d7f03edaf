"""Values written as a person would write them in a definition."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9/_.(~^][\w/.:*@=<>+()|~-]*(?: [\w/.*@=<>+()|~-]+)*", re.ASCII)
_OTHER = re.compile(r"~|null|true|false|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.IGNORECASE)
"""Texts that would be read as something else than text."""


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and not _OTHER.fullmatch(value)
        return value if plain and not value.endswith(":") else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
