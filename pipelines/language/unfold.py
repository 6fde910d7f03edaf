"""Steps that become several: a kind says which, and every part keeps the places it came from."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import Any

from pipelines.language.conform import conform
from pipelines.language.diagnostics import Report
from pipelines.language.expand import Expanded, walk
from pipelines.language.merge import WHOLE_FIELDS, apply_defaults, merge
from pipelines.language.nodes import (
    Entry,
    MapNode,
    Node,
    Scalar,
    Sequence,
    get,
    key_at,
    mapping,
    plain,
    with_entry,
    without,
    written,
)
from pipelines.language.rendering import render
from pipelines.language.repair import Repair
from pipelines.language.schema import MAX_STEPS, definition_schema
from pipelines.language.validation import problems_of_step
from steps import kind_named
from steps._contract import Changed, Kind, Part, Step, Taken
from steps._expressions import Path


def unfold(
    steps: list[Expanded], defaults: Node | None, report: Report, dropped: set[str]
) -> list[Expanded]:
    """Return the steps with those that become several replaced by what they become.

    Args:
        steps: the steps, their inherited fields included; their branches are changed in place.
        defaults: the definition's defaults, templates not yet evaluated.
        dropped: takes the names of parts that could not be made; what refers to them is not wrong
            for that.
    """
    unfolder = _Unfolder(defaults, report, {step.name: step for step in walk(steps)}, dropped)
    return unfolder.unfold(steps)


@dataclass
class _Unfolder:
    defaults: Node | None
    report: Report
    names: dict[str, Expanded]
    dropped: set[str]

    def unfold(self, steps: list[Expanded]) -> list[Expanded]:
        made: list[Expanded] = []
        for step in steps:
            for _, branch in step.branches():
                branch[:] = self.unfold(branch)
            made += self.parts(step)
        return made

    def parts(self, step: Expanded) -> list[Expanded]:
        """Return what one step becomes; the step itself where it stays as it is."""
        if type(step.kind).unfold is Kind.unfold:
            return [step]
        made = self.made(step)
        if not made:
            given = conform(plain(step.node), definition_schema()["definitions"][step.kind.name])
            repair = Repair(step.kind)
            # What would be taken from the step that `model` refers to is not known.
            fields = {**{name: repair.field(name) for name in step.kind.inherits}, **given}
            whole = Step(step.name, step.kind.name, repair.fields(fields), step.own)
            parts = [part for part in step.kind.unfold(whole) if isinstance(part, Part)]
            names = {part.name for part in parts}
            names.update(step.name + suffix for suffix in step.kind.part_suffixes)
            self.dropped.update(names - set(self.names))
        return made or [step]

    def made(self, step: Expanded) -> list[Expanded]:
        """Return a step's parts; none where it stays as it is, or is wrong."""
        fields = conform(plain(step.node), definition_schema()["definitions"][step.kind.name])
        if any(True for _ in problems_of_step(fields, step.kind.name)):
            return []  # which is told when the step is checked
        parts = step.kind.unfold(Step(step.name, step.kind.name, fields, step.own))
        names = [part.name for part in parts if isinstance(part, Part)]
        free = [self.is_free(step, name) for name in names]  # every one that is not is told
        if not all(free):
            return []
        return [self.part(step, part) for part in parts]

    def part(self, step: Expanded, part: Part | Changed) -> Expanded:
        if isinstance(part, Changed):
            node: Node = step.node
            for path, value in part.changes.items():
                node = _with(node, path, value, step)
            assert isinstance(node, MapNode)
            step.node = node
            return step
        kind = kind_named(part.kind)
        assert kind is not None
        made = _fields(part.fields, step)
        made = with_entry(made, "type", written(kind.name, step.key))
        low = render(apply_defaults(mapping({}, step.key), kind, self.defaults), step.names,
                     self.report)  # fmt: skip
        node = merge(low, made, whole=WHOLE_FIELDS)
        assert isinstance(node, MapNode)
        own = frozenset(made.entries)
        path = (*step.path[:-1], part.name)
        new = Expanded(part.name, kind, node, own, path, step.branch, step.key, step.names)
        self.names[part.name] = new
        return new

    def is_free(self, step: Expanded, name: str) -> bool:
        """Whether a part's name is free; reports where it is not."""
        taken = self.names.get(name)
        if taken is not None:
            at = taken.key if taken.key.span > step.key.span else step.key
            self.report.at(
                at,
                "duplicate-step",
                f"`{step.name}` brings along the step `{name}`, and there is one already",
                f"the step in line {taken.key.span.line} needs another name",
            )
        elif len(self.names) >= MAX_STEPS:
            self.report.at(step.key, "too-many", f"more than {MAX_STEPS:,} steps")
        else:
            return True
        return False


def _fields(fields: Any, step: Expanded) -> MapNode:
    """Return a part's fields as a tree; what the step does not have is left out."""
    entries: dict[str, Entry] = {}
    for name, value in fields.items():
        node = _node(value, step)
        if node is not None:
            entries[name] = Entry(_key(name, value, node, step), node)
    return MapNode(entries, step.key.source, step.key.span)


def _key(name: str, value: Any, node: Node, step: Expanded) -> Scalar:
    """Return a field's key; it stands where the taken one was written."""
    around = get(step.node, *value.path[:-1]) if isinstance(value, Taken) else None
    if isinstance(around, MapNode):
        return replace(around.entries[str(value.path[-1])].key, value=name, text=name)
    return key_at(name, node)


def _node(value: Any, step: Expanded) -> Node | None:
    """Return a value as a tree; None where it is taken from where nothing is."""
    if isinstance(value, Taken):
        return get(step.node, *value.path)
    if isinstance(value, dict):
        return _fields(value, step)
    if isinstance(value, list):
        items = [_node(item, step) for item in value]
        found = tuple(item for item in items if item is not None)
        return Sequence(found, step.key.source, step.key.span)
    return written(value, step.key)


def _with(node: Node, path: Path, value: Any, step: Expanded) -> Node:
    """Return a tree with the value at ``path`` replaced, or taken away where it is None."""
    key, *rest = path
    known = get(node, key)
    if rest:
        below = known if known is not None else mapping({}, step.key)
        inner: Node | None = _with(below, tuple(rest), value, step)
    elif value is None:
        return without(node, str(key)) if isinstance(node, MapNode) else node
    elif isinstance(known, Scalar) and isinstance(value, str):
        # A text stands where the one stood that it replaces.
        inner = written(value, known)
    else:
        inner = _node(value, step)
    if inner is None:
        return node
    if isinstance(node, Sequence) and isinstance(key, int):
        items: Items[Node] = [inner if i == key else item for i, item in enumerate(node.items)]
        return replace(node, items=tuple(items))
    assert isinstance(node, MapNode)
    return with_entry(node, str(key), inner)
