"""Text from outside the definition (git, ``--var``), kept from being read as the language.

Such text is plain data: it must never become a reference, end a quoted text or name a value in a
condition, whatever it holds. Its signs that could do so are exchanged for characters that no YAML
text may hold (Unicode's noncharacters) until references and conditions have been read.
"""

from __future__ import annotations

import re
from typing import Any

_SIGNS = "$'\".["
_MARKS = "".join(chr(0xFDD0 + number) for number in range(len(_SIGNS)))
_MARKED = re.compile(f"[{_MARKS}]")
_PROTECT = str.maketrans(_SIGNS[:3], _MARKS[:3])
_PROTECT_WORDS = str.maketrans(_SIGNS, _MARKS)
_SETTLE = str.maketrans(_MARKS, _SIGNS)


def protect(text: str, *, words: bool = False) -> str:
    """Return foreign text so that it can neither begin a reference nor leave one.

    Args:
        words: keep it from naming a value too, for conditions, which need no ``${}``.
    """
    return text.translate(_PROTECT_WORDS if words else _PROTECT)


def settle(value: Any) -> Any:
    """Return data with the signs of foreign text put back."""
    if isinstance(value, str):
        return value.translate(_SETTLE) if _MARKED.search(value) else value
    if isinstance(value, dict):
        return {settle(k): settle(v) for k, v in value.items()}
    if isinstance(value, list):
        return [settle(item) for item in value]
    return value
