"""``request``: the API's own fields, merged into what the short fields made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steps._expressions import Path

NAME_MEMBERS = (
    "InputName",
    "OutputName",
    "ChannelName",
    "MetricName",
    "ContainerHostname",
    "VariantName",
    "ActionName",
    "ArtifactName",
    "ContextName",
    "Name",
    "Key",
)
"""Members by which lists of the API merge: an item of the same name is changed, not repeated."""


def merge_request(low: Any, high: Any) -> Any:
    """Return ``high`` merged into ``low``: maps merge, named lists merge by name, null deletes."""
    if isinstance(low, Mapping) and isinstance(high, Mapping):
        made = dict(low)
        for name, value in high.items():
            if value is None:
                made.pop(name, None)
            else:
                made[name] = merge_request(made.get(name), value)
        return made
    if isinstance(high, Mapping):
        return {k: merge_request(None, v) for k, v in high.items() if v is not None}
    if isinstance(high, list):
        member = _name_member(high)
        if member and isinstance(low, list) and _name_member(low) == member:
            return _merge_named(low, high, member)
        return [merge_request(None, item) for item in high]
    return high


def given_at(request: Any, merged: Any, path: Path) -> Path | None:
    """Return where ``request`` itself says what stands at ``path`` of the merged arguments.

    Items of named lists are found by their name: their place in the request is another one.
    None where the request says nothing there.
    """
    found: list[str | int] = []
    for segment in path:
        key: str | int = segment
        if isinstance(request, list) and isinstance(segment, int):
            if not isinstance(merged, list) or segment >= len(merged):
                return None
            key = _same_item(request, merged[segment], segment)
            if not 0 <= key < len(request):
                return None
        elif not isinstance(request, Mapping) or segment not in request:
            return None
        request = request[key]
        merged = merged[segment] if _holds(merged, segment) else None
        found.append(key)
    return tuple(found)


def _same_item(items: list[Any], item: Any, index: int) -> int:
    """Return which of a request's items became ``item``; -1 where none did."""
    member = _name_member(items)
    if not member:
        return index
    name = item.get(member) if isinstance(item, Mapping) else None
    return next((n for n, given in enumerate(items) if given[member] == name), -1)


def _holds(value: Any, segment: str | int) -> bool:
    if isinstance(value, Mapping):
        return segment in value
    return isinstance(value, list) and isinstance(segment, int) and segment < len(value)


def _name_member(items: list[Any]) -> str:
    """Return the member that names the items of a list; empty where none tells them apart."""
    for member in NAME_MEMBERS:
        names = [item.get(member) if isinstance(item, Mapping) else None for item in items]
        if names and all(isinstance(name, str) for name in names):
            # Merged by a name that they share, all but one of them would be lost.
            return member if len(set(names)) == len(names) else ""
    return ""


def _merge_named(low: list[Any], high: list[Any], member: str) -> list[Any]:
    made = {item[member]: item for item in low}
    for item in high:
        made[item[member]] = merge_request(made.get(item[member]), item)
    return list(made.values())
