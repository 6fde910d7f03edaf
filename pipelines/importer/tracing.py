"""Which field of a step a part of its object comes from, found by changing the fields.

For what no probe finds: a field that becomes several parts, or part of a text or of a document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from pipelines.definition.normal import compare
from pipelines.importer.building import build
from pipelines.importer.context import NOWHERE, Comparing
from pipelines.importer.naming import at_place, common_path
from steps._contract import Code, Document, Kind, Step
from steps._expressions import LoopRef, Path, is_expression

_MARK = LoopRef("mark.other", "string")


def traced(kind: Kind, name: str, fields: Mapping[str, Any], path: Path) -> Path:
    """Return the part of a field whose change changes a part of the step's object.

    Args:
        name: the step's.
        fields: in long form, with expressions.
        path: of the part, from the step's object down.

    Returns:
        The path from the fields down; empty where none was found.
    """
    base = build(kind, name, fields, _Telling())
    found: list[tuple[int, Path]] = []
    for leaf in _leaves(fields, ()):
        built = build(kind, name, _changed(fields, leaf), _Telling())
        if built is not None and at_place(built, path) != at_place(base, path):
            found.append((_extent(base, built), leaf))
    # A word more in a command line moves all words behind it: what changes least is meant.
    least = min((count for count, _ in found), default=0)
    nearest = [leaf for count, leaf in found if count == least]
    # A document holds one field and little of others: its format, say.
    met = [leaf[0] for leaf in nearest]
    main = max(met, key=met.count, default=None)
    return common_path([leaf for leaf in nearest if leaf[0] == main])


class _Telling(Comparing):
    """A context whose answers differ where what was asked differs."""

    def code(self, step: Step, path: Path) -> Code | None:
        """Return places that tell the field."""
        place = f"{NOWHERE}/{at_place(step.fields, path)}"
        return Code(place, f"{place}.tar.gz", "entry.py", has_requirements=False)

    def asset(self, step: Step, path: Path) -> str:
        """Return a place that tells the field."""
        return f"{NOWHERE}/{at_place(step.fields, path)}"

    def module(self, step: Step, path: Path) -> tuple[str, str]:
        """Return a place that tells the field."""
        return self.asset(step, path), ""

    def shipped(self, file: FilePath) -> str:
        """Return a place that tells the file's name."""
        return f"{NOWHERE}/{file.name}"

    def document(self, document: Document) -> str:
        """Return a place that tells the document's content."""
        digest = hashlib.sha256(document.content).hexdigest()
        return f"{NOWHERE}/{digest}/{document.name}"


def _extent(before: Any, after: Any) -> int:
    """Return how much differs; in a list that is longer, all of it."""
    lists = (d.before for d in compare(before, after))
    return sum(len(each) if isinstance(each, list) else 1 for each in lists)


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    elif path:
        yield path
    for key, item in items:
        yield from _leaves(item, (*path, key))


def _changed(value: Any, path: Path) -> Any:
    """Return fields with another value at a path."""
    if not path:
        return _other(value)
    head, *below = path
    if isinstance(value, list):
        made = list(value)
        made[int(head)] = _changed(value[int(head)], tuple(below))
        return made
    return {**value, head: _changed(value[head], tuple(below))}


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return _MARK if is_expression(value) or not isinstance(value, str) else f"{value}2"
