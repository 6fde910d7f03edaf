"""Judging a step's resolved request the way the service does before it starts anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.service.checking import Mismatch, check
from pipelines.service.shapes import input_shape

# What makes the service refuse a request. Left out are patterns and lengths, because local paths
# and stand-ins take the place of URIs and ARNs here, and unknown members and words of an enum (an
# instance type), because a definition may be newer than the installed model of the API.
_REFUSED = frozenset({"type", "missing-member", "count"})
_SHOWN = 8


def refusal(
    request: Mapping[str, object],
    operation: str,
    name_field: str,
    expression_type: Callable[[Any], str | None] = lambda _: None,
) -> str:
    """Say what is wrong with a request.

    Args:
        request: the arguments, every reference resolved.
        operation: the API's operation.
        name_field: the member that the service fills in.
        expression_type: tells the type of a value that is not known yet; None for a known one.

    Returns:
        One or more sentences; empty where nothing is wrong.
    """
    shape = input_shape(operation)
    found = [
        mismatch
        for mismatch in check(
            request, shape, expression_type=expression_type, ignore_missing=(name_field,)
        )
        if mismatch.kind in _REFUSED
    ]
    if not found:
        return ""
    rest = f" (and {len(found) - _SHOWN} more)" if len(found) > _SHOWN else ""
    return f"{operation} refuses the request: " + "; ".join(map(_say, found[:_SHOWN])) + rest


def _say(mismatch: Mismatch) -> str:
    # A message names the member; what leads there helps where it is deep.
    names = [str(segment) for segment in mismatch.path]
    where = f" ({'.'.join(names)})" if len(names) > 1 else ""
    return mismatch.message + where
