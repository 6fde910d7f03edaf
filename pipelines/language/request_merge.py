"""``request``: the API's own fields, merged into what the short fields made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def _name_member(items: list[Any]) -> str:
    """Return the member that names the items of a list; empty where they have none."""
    for member in NAME_MEMBERS:
        if items and all(isinstance(i, Mapping) and isinstance(i.get(member), str) for i in items):
            return member
    return ""


def _merge_named(low: list[Any], high: list[Any], member: str) -> list[Any]:
    made = {item[member]: item for item in low}
    for item in high:
        made[item[member]] = merge_request(made.get(item[member]), item)
    return list(made.values())
