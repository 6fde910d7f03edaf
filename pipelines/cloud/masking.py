"""Values that sound like secrets by their names, and are shown nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASKED = "(sensitive value)"
_SENSITIVE = re.compile(
    r"(?i)passw(or)?d|passphrase|secret|credential|(api|access|private|license)[_-]?key"
    # Not `max_tokens`, `tokenizer` or `pad_token`, which are a model's.
    r"|^token$|(auth|access|api|session|bearer|hf|hub|git|github|gitlab|slack|refresh|id)[_-]?token$"
)
_FACTS = ("default", "enum", "type")
"""Last names that say nothing: what is before them decides."""
_VALUES = ("DefaultValue", "EnumValues", "Value")
"""Members that hold the value of what `Name` or `Key` beside them names."""


def is_sensitive(place: str) -> bool:
    """Whether what a place holds sounds like a secret, by its last name."""
    names = [name for name in place.split(".") if name not in _FACTS]
    return bool(names and _SENSITIVE.search(names[-1]))


def masked(value: Any, name: str = "") -> Any:
    """Return a document's part without the texts and numbers that sound like secrets.

    Args:
        name: what holds the value.
    """
    if isinstance(value, Mapping):
        told = str(value.get("Name") or value.get("Key") or "")
        return {
            key: masked(item, told if key in _VALUES and told else str(key))
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [masked(item, name) for item in value]
    hidden = value is not None and not isinstance(value, bool) and is_sensitive(name)
    return MASKED if hidden else value
