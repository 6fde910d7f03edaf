"""YAML documents of other tools: CloudFormation templates with their tags, Kubernetes manifests.

Built from events with limits on size, depth and nodes, so that no text can exhaust anything.
Scalars follow the same grammar as definitions.
"""

from __future__ import annotations

from typing import Any

import yaml

from pipelines.errors import UsageError
from pipelines.language.source import resolve_plain

MAX_DEPTH = 90
MAX_NODES = 400_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SHORT = {"Ref": "Ref", "Condition": "Condition"}
"""Tags of CloudFormation whose long form has no ``Fn::`` before the name."""


def read_documents(text: str, name: str) -> list[Any]:
    """Return the documents of a YAML text; ``!Sub x`` becomes ``{"Fn::Sub": "x"}``.

    Args:
        name: how messages call it.

    Raises:
        UsageError: it can't be read.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{name}:{line} is neither JSON nor YAML: {error.problem}") from None
    except (_TooMuch, yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{name} can't be read: {error}") from None
    return builder.documents


class _TooMuch(Exception):
    pass


class _Builder:
    """Builds plain data without recursion."""

    def __init__(self) -> None:
        self.documents: list[Any] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.stack: list[tuple[Any, str, str, list[Any], int]] = []
        self.count = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and not (event.tag and event.tag.startswith("!"))
            value = resolve_plain(event.value) if plain else event.value
            self.place(value, event.tag, event.anchor, 1)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise _TooMuch(f"there is no anchor `{event.anchor}` above its alias")
            value, size = self.anchors[event.anchor]
            self.place(value, None, None, size)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self.stack) >= MAX_DEPTH:
                raise _TooMuch(f"it is nested deeper than {MAX_DEPTH} levels")
            kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
            self.stack.append((kind, event.tag or "", event.anchor or "", [], self.count))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            kind, tag, anchor, items, before = self.stack.pop()
            made: Any = items if kind == "list" else _mapping(items)
            self.place(made, tag, anchor, self.count - before + 1, counted=True)

    def place(
        self, value: Any, tag: str | None, anchor: str | None, size: int, *, counted: bool = False
    ) -> None:
        self.count += 1 if counted else size
        if self.count > MAX_NODES:
            raise _TooMuch(f"it has more than {MAX_NODES:,} values")
        value = _tagged(value, tag or "")
        if anchor:
            self.anchors[anchor] = (value, size)
        if self.stack:
            self.stack[-1][3].append(value)
        else:
            self.documents.append(value)


def _mapping(items: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        text = key if isinstance(key, str) else str(key)
        if text in made:
            raise _TooMuch(f"the key `{text[:80]}` stands twice in one map")
        made[text] = value
    return made


def _tagged(value: Any, tag: str) -> Any:
    if not tag.startswith("!") or tag == "!":
        return value
    name = tag[1:]
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {_SHORT.get(name, f"Fn::{name}"): value}
