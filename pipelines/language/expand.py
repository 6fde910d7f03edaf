"""Steps made ready: defaults merged in, matrices unfolded, templates rendered, fields inherited."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.language.diagnostics import Report, nearest
from pipelines.language.foreign import settle
from pipelines.language.merge import BRANCHES, apply_defaults, inherit, is_null, kind_meant
from pipelines.language.nodes import (
    Entry,
    MapNode,
    Node,
    Scalar,
    Sequence,
    get,
    mapping,
    plain,
    with_entry,
    without,
    written,
)
from pipelines.language.references import referenced_steps
from pipelines.language.rendering import Names, render, render_scalar
from pipelines.language.schema import MAX_STEPS
from pipelines.language.validation import describe
from steps import KINDS, all_fields, kind_named
from steps._contract import Kind
from steps._expressions import Path

TYPELESS = next(kind for kind in KINDS if kind.name == "Raw")
"""Stands for the kind of a step that has none: Raw, which takes most."""

_KINDS = "the kinds are " + ", ".join(kind.name for kind in KINDS)


@dataclass
class Expanded:
    """A step as a tree, ready to be checked.

    Args:
        node: its fields, branches included.
        own: the fields written at the step itself.
        path: where it stands in the definition's tree.
        branch: the conditions and branches around it, outermost first.
        key: its key as written.
        names: what its templates can name.
        typeless: whether its kind is not known, so that only its references can be judged.
    """

    name: str
    kind: Kind
    node: MapNode
    own: frozenset[str]
    path: Path
    branch: tuple[tuple[str, str], ...]
    key: Scalar
    names: Names
    typeless: bool = False
    then: list[Expanded] = field(default_factory=list)
    otherwise: list[Expanded] = field(default_factory=list)
    body: list[Expanded] = field(default_factory=list)

    def branches(self) -> Iterator[tuple[str, list[Expanded]]]:
        """Yield the branch fields with their steps."""
        yield "then", self.then
        yield "else", self.otherwise
        yield "steps", self.body


def walk(steps: list[Expanded]) -> Iterator[Expanded]:
    """Yield the steps and those in their branches, in the order of the file."""
    for step in steps:
        yield step
        yield from walk(step.then)
        yield from walk(step.otherwise)
        yield from walk(step.body)


class Expander:
    """Turns the merged tree's steps into :class:`Expanded` ones."""

    def __init__(self, defaults: Node | None, names: Names, report: Report) -> None:
        self.defaults = defaults
        self.names = names
        self.report = report
        self.seen: dict[str, Scalar] = {}
        self.count = 0
        self.dropped: set[str] = set()
        """Keys, as globs, of what could not be made a step; references to them are not told a
        second time."""

    def expand(self, block: Node | None) -> list[Expanded]:
        """Return the steps of the ``steps`` block."""
        if not isinstance(block, MapNode):
            return []
        steps = self.steps(block, ("steps",), (), self.names)
        inherit_fields(steps)
        return steps

    def steps(
        self, block: MapNode, path: Path, branch: tuple[tuple[str, str], ...], names: Names
    ) -> list[Expanded]:
        """Return the steps of a block, matrices unfolded, branches included."""
        made: list[Expanded] = []
        for name, entry in block.entries.items():
            node = entry.value
            if not isinstance(node, MapNode):
                message = f"the step `{name}` is a map of fields, not {describe(plain(node))}"
                field = name in all_fields(TYPELESS)
                hint = (
                    "as a field of the step above it stands further to the right" if field else ""
                )
                self.report.at(node, "wrong-type", message, hint)
                self.drop(name)
                continue
            kind = self.kind_of(name, entry, node)
            combinations = self.combinations(node, kind or TYPELESS, names)
            if kind is None or not combinations:
                self.drop(name)
            for combination in combinations:
                local = names if combination is None else _within(names, combination)
                step = self.step(entry, node, kind, path, branch, local)
                if step is not None:
                    made.append(step)
                if self.count > MAX_STEPS:
                    return made
        return made

    def kind_of(self, name: str, entry: Entry, node: MapNode) -> Kind | None:
        """Return the step's kind; None (and a diagnostic) where it has none."""
        near = nearest("type", node.entries)
        stated = get(node, near)
        if stated is None:
            self.report.at(
                entry.key,
                "missing-key",
                f"the step `{name}` has no `type`",
                _KINDS,
            )
            return None
        if not isinstance(stated, Scalar):
            what = f"`type` is the name of a step kind, not {describe(plain(stated))}"
            self.report.at(stated, "wrong-type", what)
            return None
        kind = kind_named(stated.value)
        if kind is None:
            # What else is wrong with the step is told as if it had been spelt right.
            kind = kind_meant(stated.value)
            hint = f"did you mean `{kind.name}`?" if kind is not None else _KINDS
            self.report.at(stated, "unknown-kind", f"there is no step kind `{stated.value}`", hint)
        return kind

    def step(
        self,
        entry: Entry,
        node: MapNode,
        kind: Kind | None,
        path: Path,
        branch: tuple[tuple[str, str], ...],
        names: Names,
    ) -> Expanded | None:
        """Return one step with its defaults merged and its templates rendered."""
        key = render_scalar(entry.key, names, self.report)
        name = str(settle(str(key.value)))
        if key is entry.key and "{{" in name:
            self.drop(name)  # its template is wrong, which was told
            return None
        self.count += 1
        if self.count > MAX_STEPS:
            self.report.at(entry.key, "too-many", f"more than {MAX_STEPS:,} steps")
            return None
        first = self.seen.get(name)
        if first is not None:
            self.duplicate(entry, name, first, names)
            return None
        self.seen[name] = entry.key
        typeless = kind is None
        kind = kind or TYPELESS
        merged = apply_defaults(node, kind, self.defaults)
        fields = render(without(merged, "matrix", "if", *BRANCHES), names, self.report)
        assert isinstance(fields, MapNode)
        stated = get(fields, "type")
        word = stated if isinstance(stated, Scalar) else entry.key  # wrong, which was told
        fields = with_entry(fields, "type", replace(word, value=kind.name, text=kind.name))
        condition = get(merged, "if")
        if isinstance(condition, Scalar):
            condition = render_scalar(condition, names, self.report, condition=True)
        if condition is not None:
            fields = with_entry(fields, "if", condition, merged.entries["if"].key)
        own = frozenset(n for n, e in node.entries.items() if not is_null(e.value))
        made = Expanded(name, kind, fields, own, (*path, name), branch, entry.key, names, typeless)
        for field_name, target in made.branches():
            given = meant(merged, field_name, kind)
            inner = given.value if given is not None else None
            if isinstance(inner, MapNode) and (field_name in kind.fields or typeless):
                inner_branch = (*branch, (name, field_name))
                target.extend(self.steps(inner, (*made.path, field_name), inner_branch, names))
            elif inner is not None:
                made.node = with_entry(made.node, field_name, inner)
        return made

    def duplicate(self, entry: Entry, name: str, first: Scalar, names: Names) -> None:
        """Report a second step of the same name."""
        if first is entry.key:
            keys = ", ".join(f"{{{{ matrix.{k} }}}}" for k in names.values.get("matrix", {}))
            self.report.at(
                entry.key,
                "duplicate-step",
                f"the matrix makes the step `{name}` more than once",
                f"its key must contain {keys}",
            )
            return
        where = f"the first one is in line {first.span.line} of {first.source.name}"
        self.report.at(entry.key, "duplicate-step", f"there are two steps called `{name}`", where)

    def drop(self, name: str) -> None:
        """Remember a key that is no step; what its templates would have made is not known."""
        self.dropped.add(re.sub(r"\{\{.*?\}\}", "*", name))

    def combinations(self, node: MapNode, kind: Kind, names: Names) -> list[dict[str, Any] | None]:
        """Return the matrix's combinations; a single None where the step has no matrix."""
        entry = meant(node, "matrix", kind)
        if entry is None:
            return [None]
        block, key = entry.value, entry.key
        data = plain(render(block, names, self.report))
        if not isinstance(data, dict) or not data:
            message = "`matrix` is a map of names to lists of values"
            self.report.at(block, "wrong-type", message, "such as `{depth: [4, 8]}`")
            return []
        for name, values in list(data.items()):
            if not self.is_list(block, name, values):
                # One combination stands for those that are meant.
                data[name] = [] if name in ("include", "exclude") else [values]
        include, exclude = data.pop("include", []), data.pop("exclude", [])
        size = math.prod(len(values) for values in data.values()) + len(include)
        if size > MAX_STEPS:
            message = f"the matrix has {size:,} combinations; {MAX_STEPS:,} is the most"
            self.report.at(key, "too-many", message)
            return []
        made: list[dict[str, Any] | None] = []
        for values in itertools.product(*data.values()):
            combination = dict(zip(data, values, strict=True))
            if not any(_matches(combination, rule) for rule in exclude):
                made.append(combination)
        made.extend(include)
        if not made:
            self.report.at(key, "bad-value", "the matrix leaves no combination")
        return made

    def is_list(self, block: Node, name: str, values: Any) -> bool:
        """Whether a member of a matrix has the form that it needs; reports where it has not."""
        rules = name in ("include", "exclude")
        fits = isinstance(values, list) and bool(values)
        if fits and rules:
            fits = all(isinstance(rule, dict) and rule for rule in values)
        if not fits:
            wanted = "a list of combinations" if rules else "a list of values"
            hint = "such as `[{depth: 4}]`" if rules else "such as `[4, 8]`"
            self.report.at(get(block, name) or block, "wrong-type", f"`{name}` is {wanted}", hint)
        return fits


def meant(node: MapNode, name: str, kind: Kind) -> Entry | None:
    """Return a step's field, even where its key is misspelt, which is told by the schema."""
    known = all_fields(kind)
    keys = (key for key in node.entries if key not in known and nearest(key, known) == name)
    return node.entries.get(name if name in node.entries else next(keys, ""))


def _within(names: Names, combination: dict[str, Any]) -> Names:
    """Return the names with a combination's values; those of a matrix around it stay."""
    return names.with_values(matrix={**names.values.get("matrix", {}), **combination})


def _matches(combination: dict[str, Any], rule: Any) -> bool:
    return all(name in combination and combination[name] == value for name, value in rule.items())


def inherit_fields(steps: list[Expanded]) -> None:
    """Give steps the fields that they take from the step their ``model`` refers to."""
    by_name = {step.name: step for step in walk(steps)}
    for step in by_name.values():
        for name, givers in step.kind.inherits.items():
            # What belongs to a step's image is of no use beside another image.
            if "containers" not in step.own and not (name != "image" and "image" in step.own):
                model = meant(step.node, "model", step.kind)
                value = _given(model, name, givers, by_name)
                step.node = inherit(step.node, name, value, own=name in step.own)
        containers = get(step.node, "containers")
        if isinstance(containers, Sequence) and step.kind.inherits:
            items = tuple(_container(item, step.kind, by_name) for item in containers.items)
            step.node = with_entry(step.node, "containers", replace(containers, items=items))


def _container(item: Node, kind: Kind, by_name: dict[str, Expanded]) -> Node:
    if not isinstance(item, MapNode):
        return item
    own = item.entries.keys()
    made = item
    for name, givers in kind.inherits.items():
        if name == "image" or "image" not in own:
            value = _given(item.entries.get("model"), name, givers, by_name)
            made = inherit(made, name, value, own=name in own)
    return made


def _given(
    entry: Entry | None, name: str, givers: tuple[str, ...], by_name: dict[str, Expanded]
) -> Node | None:
    model = entry.value if entry is not None else None
    if not isinstance(model, Scalar) or not isinstance(model.value, str):
        return None
    for referred in referenced_steps(model.value):
        giver = by_name.get(referred)
        if giver is not None and giver.kind.name in givers:
            given = giver.kind.gives(referred)
            if name in given:
                return written(given[name], model)
            found = meant(giver.node, name, giver.kind)
            return found.value if found is not None else None
    return None


def rebuilt(block: MapNode, steps: list[Expanded]) -> MapNode:
    """Return the ``steps`` block as a tree of the expanded steps."""
    entries: dict[str, Entry] = {}
    for step in steps:
        node = step.node
        for name, inner in step.branches():
            if inner:
                node = with_entry(node, name, rebuilt(mapping({}, node), inner))
        entries[step.name] = Entry(replace(step.key, value=step.name, text=step.name), node)
    return replace(block, entries=entries)
