"""JSON for the store: exact for what API responses hold, times included."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

_TIME = "$datetime"


def encode(value: object) -> str:
    """Write a response or request as one line of JSON; times are kept apart from text."""
    text = json.dumps(value, default=_tag, separators=(",", ":"), ensure_ascii=False)
    # Half a surrogate pair, which a job's JSON may hold, becomes the escape that JSON has for it.
    return text.encode("utf-8", "backslashreplace").decode()


def decode(text: str | None) -> Any:
    """Read what :func:`encode` wrote; None stays None."""
    return None if text is None else json.loads(text, object_hook=_untag)


def plain(value: object) -> Any:
    """Return the value with times as ISO 8601 text, for printing as JSON."""
    return json.loads(json.dumps(value, default=_iso))


def moment(seconds: float) -> datetime:
    """Return a time of the store as API responses carry it: aware, UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def isoformat(time: datetime) -> str:
    """Write a time as ISO 8601 in UTC with milliseconds: ``2026-01-31T12:00:00.000Z``."""
    if time.tzinfo is not None:
        time = time.astimezone(timezone.utc)
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _tag(value: object) -> object:
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    raise TypeError(f"{type(value).__name__} is not JSON")


def _untag(value: dict[str, Any]) -> Any:
    if len(value) == 1 and isinstance(value.get(_TIME), str):
        try:
            return datetime.fromisoformat(value[_TIME])
        except ValueError:
            return value
    return value


def _iso(value: object) -> object:
    if isinstance(value, datetime):
        return isoformat(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
