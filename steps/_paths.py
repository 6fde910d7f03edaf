"""Paths into JSON as SageMaker writes them; standard library only."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def json_path(segments: Sequence[str | int]) -> str:
    """Return the path of ``Std:JsonGet``: ``a.b[0]['odd name']``."""
    written = ""
    for segment in segments:
        if isinstance(segment, int):
            written += f"[{segment}]"
        elif _WORD.match(segment):
            written += f".{segment}" if written else segment
        else:
            written += f"['{segment}']"
    return written
