"""The fields ``cache`` and ``retry`` as the API writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from steps._contract import Retry
from steps._durations import DurationError, parse, to_iso
from steps._expressions import as_text, is_expression
from steps._shared_fields import RETRY_REASONS

DEFAULT_CACHE = "30d"
"""``cache: true``; the Developer Guide's own example of ExpireAfter ("Caching pipeline steps")."""


def cache_age(given: Any) -> str:
    """Return ExpireAfter of a ``cache`` field; empty for no cache."""
    if given is None or given is False or is_expression(given):
        return ""  # an expression is reported by `judge`
    return DEFAULT_CACHE if given is True else expire_after(as_text(given))


def retry_policy(policy: Mapping[str, Any]) -> Retry:
    """Return one policy of a ``retry`` field in the API's measures."""
    expire = _seconds(policy.get("expire"))
    attempts = policy.get("attempts")
    return Retry(
        tuple(RETRY_REASONS[reason] for reason in policy["on"] if reason in RETRY_REASONS),
        max(1, _seconds(policy.get("interval")) or 1),
        float(policy.get("backoff", 2.0)),
        None if expire is not None and attempts is None else int(attempts or 5),
        None if expire is None else max(1, round(expire / 60)),
    )


def _seconds(text: Any) -> int | None:
    try:
        return None if text is None else parse(as_text(text))
    except DurationError:
        return None  # reported by `judge`


def expire_after(text: str) -> str:
    """Return a cache's age as the API wants it.

    Whole days stay in the form of the Developer Guide's own example (``30d``), ISO 8601 stays as
    it is; everything else becomes ISO 8601.
    """
    if re.fullmatch(r"[1-9][0-9]*d", text):
        return text
    if text[:1] in "Pp":
        return text.upper()
    try:
        return to_iso(parse(text))
    except DurationError:
        return text  # reported by `judge`
