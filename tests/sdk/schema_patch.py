"""A JSON schema and the errata that bring it up to date.

Each `Erratum` is a JSON patch (RFC 6902: add, replace, remove) with its reason and a witness: a
value that the schema refuses without this erratum and takes with it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft7Validator

Schema = dict[str, Any]
DEFINITIONS = "/definitions"


@dataclass(frozen=True)
class Operation:
    """One JSON patch operation; `path` is a JSON pointer."""

    op: str
    path: str
    value: Any = None


@dataclass(frozen=True)
class Witness:
    """A value for the schema's part `of` (a definition's name, or "" for the whole)."""

    of: str
    value: Any


@dataclass(frozen=True)
class Erratum:
    """Operations that repair one thing, why, and what shows it."""

    reason: str
    operations: tuple[Operation, ...]
    witness: Witness


def additions(parent: str, members: dict[str, Any]) -> tuple[Operation, ...]:
    """Operations that add the members to the object at `parent`."""
    return tuple(Operation("add", f"{parent}/{name}", value) for name, value in members.items())


def step(kind: str, arguments: Any, **more: Any) -> dict[str, Any]:
    """A small step for a witness."""
    return {"Name": "a", "Type": kind, "Arguments": arguments, **more}


def patched(schema: Schema, errata: Iterable[Erratum]) -> Schema:
    """A copy of the schema with the errata applied; `KeyError` where an operation fits nothing."""
    made: Schema = copy.deepcopy(schema)
    for erratum in errata:
        for operation in erratum.operations:
            _apply(made, operation)
    return made


def problems(schema: Schema, definition: Any) -> list[str]:
    """What the schema finds wrong with the definition: JSON path and message, sorted."""
    found = Draft7Validator(schema).iter_errors(definition)
    return sorted(f"{error.json_path}: {error.message[:200]}" for error in found)


def _apply(schema: Schema, operation: Operation) -> None:
    *parents, last = _tokens(operation.path)
    target: Any = schema
    for token in parents:
        target = target[int(token)] if isinstance(target, list) else target[token]
    value = copy.deepcopy(operation.value)
    if isinstance(target, list):
        if operation.op != "add" or last != "-":
            raise KeyError(f"{operation.op} {operation.path}: lists are only added to")
        target.append(value)
        return
    if (last in target) == (operation.op == "add"):
        raise KeyError(f"{operation.op} {operation.path}: the schema differs from what is expected")
    if operation.op == "remove":
        del target[last]
    else:
        target[last] = value


def _tokens(pointer: str) -> Sequence[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
