"""Reading and writing the JSON files of an analysis, and ending a job with a message."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .problems import UserError

MESSAGE = Path("/opt/ml/output/message")


def read_json(path: str | Path, what: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        UserError: it is not there, or is none.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"{what} is not there ({Path(path).name})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{what} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f"{what} is no JSON object")
    return value


def write_json(folder: Path, name: str, value: Mapping[str, Any]) -> None:
    """Write a JSON file; numbers that JSON has not become texts, as the images write them."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False)
    (folder / name).write_text(text + "\n", encoding="utf-8")
    print(f"wrote {name}", flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def run(analyse: Callable[[Mapping[str, str]], None], needs: str) -> int:
    """Run an analysis; a mistake of the user's becomes the job's message.

    Args:
        analyse: called with the job's variables.
        needs: the extra of the product that brings what it imports.
    """
    try:
        import numpy  # noqa: F401 - to tell early
        import pandas  # noqa: F401
    except ImportError as error:
        return _fail(f"this check needs numpy and pandas where jobs run: {needs} ({error})")
    try:
        analyse(os.environ)
    except UserError as error:
        return _fail(str(error))
    return 0


def _fail(reason: str) -> int:
    MESSAGE.write_text(reason, encoding="utf-8")
    print(f"ERROR: {reason}", file=sys.stderr, flush=True)
    return 1
