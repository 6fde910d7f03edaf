"""Folders of servers that people started: one each, beside what runs write."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pipelines.local.jobs import discard


def serving_folder(store: Path) -> Path:
    """Make a folder for one server, and remove those of servers that were killed.

    Args:
        store: the store's folder; a run that starts clears its own ``work`` there, not this.
    """
    place = store / "serving"
    place.mkdir(parents=True, exist_ok=True)
    for other in place.iterdir():
        process = other.name.partition("-")[0]
        if process.isdigit() and not _lives(int(process)):
            discard(other)
    made = place / f"{os.getpid()}-{secrets.token_hex(4)}"
    made.mkdir()
    return made


def _lives(process: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
    return True
