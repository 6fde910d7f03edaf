"""What the short fields don't say, as ``request`` and ``step_fields`` say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.compiler import as_json
from pipelines.definition.normal_values import Values
from pipelines.language.request_merge import NAME_MEMBERS

_EMPTY: tuple[Any, ...] = (None, {}, [])


class NotMergeable(Exception):
    """Nothing that is merged in makes one list of the other.

    Args:
        place: where, from the step's object down.
    """

    def __init__(self, place: tuple[Any, ...]) -> None:
        super().__init__(".".join(map(str, place)))
        self.place = place


def remainder(
    built: Mapping[str, Any],
    wanted: Mapping[str, Any],
    values: Values,
    place: tuple[Any, ...] = (),
    *,
    keep_empty: bool = False,
) -> dict[str, Any]:
    """Return what must be merged into ``built`` so that it means ``wanted``; null deletes.

    Raises:
        NotMergeable: a named list would have to lose an item.
    """

    def normal(value: Any) -> Any:
        return values.normal(as_json(value), keep_empty=keep_empty)

    made: dict[str, Any] = {}
    for name, value in wanted.items():
        here = (*place, name)
        absent = not keep_empty and normal({name: value}) == {}
        if name not in built:
            if not absent:
                made[name] = value
        elif normal({name: built[name]}) != normal({name: value}):
            made[name] = None if absent else _between(built[name], value, values, here, keep_empty)
    for name, value in built.items():
        if name not in wanted and (keep_empty or normal({name: value}) not in _EMPTY):
            made[name] = None
    return made


def _between(
    built: Any, wanted: Any, values: Values, place: tuple[Any, ...], keep_empty: bool
) -> Any:
    if isinstance(built, Mapping) and isinstance(wanted, Mapping):
        return remainder(built, wanted, values, place, keep_empty=keep_empty)
    if not isinstance(built, list) or not isinstance(wanted, list):
        return wanted
    member = _name_member(built)
    if not member or member != _name_member(wanted):
        return wanted
    low = {item[member]: item for item in built}
    high = {item[member]: item for item in wanted}
    if len(high) < len(wanted) or len(low) < len(built) or not set(low) <= set(high):
        raise NotMergeable(place)
    made = []
    for name, item in high.items():
        if name not in low:
            made.append(item)
        else:
            rest = remainder(low[name], item, values, (*place, name), keep_empty=keep_empty)
            if rest:
                made.append({member: name, **rest})
    return made


def _name_member(items: list[Any]) -> str:
    """Return the member by which a list merges; empty where it does not."""
    for member in NAME_MEMBERS:
        if items and all(isinstance(i, Mapping) and isinstance(i.get(member), str) for i in items):
            return member
    return ""
