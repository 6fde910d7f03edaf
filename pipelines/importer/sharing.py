"""Values that steps repeat, gathered under ``defaults``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.compiler import as_json
from pipelines.definition.normal_values import sort_key
from pipelines.importer.drafts import Draft, walk
from pipelines.language.merge import KEPT_WHOLE, STRUCTURE
from steps import all_fields
from steps._contract import Kind

SHARED = (
    "instance",
    "image",
    "role",
    "network",
    "kms_key",
    "environment",
    "tags",
    "max_runtime",
    "cache",
    "retry",
    "spot",
    "group",
    "approval",
)
"""Fields whose values are worth saying once; the others are what makes a step the step it is."""

_BY_KEY = ("instance", "network", "environment", "tags")
"""Maps that merge, so that a part of them may be shared."""


def gather(drafts: list[Draft], role: str = "") -> dict[str, Any]:
    """Take repeated values out of the steps; return the ``defaults`` that hold them.

    A default reaches every step of a kind that has the field, so a value is shared only where each
    of these steps says something there itself.

    Args:
        drafts: the steps; those whose values are gathered lose them.
        role: the pipeline's own role or its environment's, which steps have anyway.
    """
    found = [draft for draft in walk(drafts) if not draft.is_raw]
    _forget_role(found, role)
    made: dict[str, Any] = {}
    for name in SHARED:
        having = [draft for draft in found if _has(draft.kind, name)]
        own = _part(having, name, inherited=True)
        if own is not None:
            made[name] = own
    kinds = {draft.kind.name: draft.kind for draft in found}
    for kind in kinds.values():
        members = [draft for draft in found if draft.kind is kind]
        shared = {name: _part(members, name) for name in SHARED if _has(kind, name)}
        block = {name: value for name, value in shared.items() if value is not None}
        if block:
            made[kind.name] = block
    return made


def _forget_role(drafts: list[Draft], role: str) -> None:
    for draft in drafts:
        if role and draft.fields.get("role") == role:
            del draft.fields["role"]


def _has(kind: Kind, name: str) -> bool:
    return name in all_fields(kind) and name not in (*STRUCTURE, *KEPT_WHOLE)


def _part(drafts: list[Draft], name: str, *, inherited: bool = False) -> Any:
    """Return what is to be shared of a field, and take it out of the steps; None for nothing."""
    inherits = [draft for draft in drafts if name in draft.kind.inherits]
    if inherits and not inherited:
        return None  # what comes from the step that `model` refers to would win over it
    having = [draft for draft in drafts if draft not in inherits]
    if len(having) < 2:
        return None
    values = [_fields_of(draft, name).get(name) for draft in having]
    if name in _BY_KEY and all(isinstance(value, Mapping) for value in values):
        return _by_key(having, name)
    if name in _BY_KEY or any(value is None for value in values):
        return None
    key, count = _most_common([_key(value) for value in values])
    if count < 2:
        return None
    chosen = next(value for value in values if _key(value) == key)
    for draft in having:
        fields = _fields_of(draft, name)
        if _key(fields[name]) == key:
            del fields[name]
    return chosen


def _by_key(drafts: list[Draft], name: str) -> Any:
    maps = [dict(draft.fields[name]) for draft in drafts]
    shared: dict[str, Any] = {}
    for member in maps[0]:
        if not all(member in each for each in maps):
            continue
        key, count = _most_common([_key(each[member]) for each in maps])
        if count >= 2:
            shared[member] = next(e[member] for e in maps if _key(e[member]) == key)
    for draft, each in zip(drafts, maps, strict=True):
        rest = {k: v for k, v in each.items() if k not in shared or _key(v) != _key(shared[k])}
        if rest:
            draft.fields[name] = rest
        else:
            del draft.fields[name]
    return shared or None


def _fields_of(draft: Draft, name: str) -> dict[str, Any]:
    return draft.tail if name in ("cache", "retry") else draft.fields


def _most_common(keys: list[str]) -> tuple[str, int]:
    counts = {key: keys.count(key) for key in keys}
    return max(counts.items(), key=lambda item: item[1])


def _key(value: Any) -> str:
    return sort_key(as_json(value))
