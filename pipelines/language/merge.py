"""Short forms made long, and layers laid over each other.

Both work on trees, so every value keeps the place where it was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipelines.language.diagnostics import nearest
from pipelines.language.nodes import (
    Entry,
    MapNode,
    Node,
    Scalar,
    Sequence,
    get,
    key_at,
    mapping,
    with_entry,
    without,
)
from steps import KINDS, all_fields, kind_named, kind_of_api
from steps._contract import Field, Kind, Short
from steps._expressions import Path

BRANCHES = ("then", "else", "steps")
"""The fields that hold steps."""

STRUCTURE = ("type", "matrix", *BRANCHES)
"""Fields that make steps instead of describing them: no default holds for them."""

KEPT_WHOLE = ("request", "step_fields", "pipeline_fields")
"""Maps in the API's own names: in them null means "delete from the request", so it is kept."""


def fields_by_name() -> dict[str, Field]:
    """Return every field of every kind; the first kind's where several have the name."""
    found: dict[str, Field] = {}
    for kind in KINDS:
        for name, field in all_fields(kind).items():
            found.setdefault(name, field)
    return found


# --- Short forms ---------------------------------------------------------------------------------


def lengthen(node: Node, short: Short) -> Node:
    """Return the long form of a field's value."""
    if short.names and isinstance(node, Sequence):
        entries: dict[str, Entry] = {}
        for item in node.items:
            if not isinstance(item, Scalar):
                return node
            key = Scalar(item.text, item.text, item.source, item.span)
            entries[item.text] = Entry(key, mapping({}, item))
        node = MapNode(entries, node.source, node.span)
    if short.each is not None and isinstance(node, MapNode):
        each = short.each
        long = {
            name: Entry(entry.key, lengthen(entry.value, each))
            for name, entry in node.entries.items()
        }
        return replace(node, entries=long)
    for name, member in short.members.items():
        value = get(node, name)
        if isinstance(node, MapNode) and value is not None and not is_null(value):
            node = with_entry(node, name, lengthen(value, member))
    if short.lists and isinstance(node, Sequence):
        return mapping({short.key: node}, node)
    if isinstance(node, Scalar):
        if node.value is None and (short.key or short.paths):
            return mapping({}, node)
        if short.paths and isinstance(node.value, str) and node.value.startswith("/"):
            return mapping({short.paths: node}, node)
        if short.key:
            return mapping({short.key: node}, node)
    return node


def lengthen_layer(layer: MapNode, kinds: Mapping[Path, Kind]) -> MapNode:
    """Return a layer (a file or an overlay) with every short form made long.

    Args:
        kinds: the kind of every step by its place, for layers that do not repeat the type.
    """
    parameters = get(layer, "parameters")
    if isinstance(parameters, MapNode):
        long = {
            name: Entry(e.key, _long_parameter(e.value)) for name, e in parameters.entries.items()
        }
        layer = with_entry(layer, "parameters", replace(parameters, entries=long))
    for name in ("defaults", "steps"):
        block = get(layer, name)
        if isinstance(block, MapNode):
            long_block = _long_defaults(block) if name == "defaults" else _long_steps(block, kinds)
            layer = with_entry(layer, name, long_block)
    return layer


def _long_parameter(node: Node) -> Node:
    return node if isinstance(node, MapNode) else mapping({"default": node}, node)


def _long_defaults(block: MapNode) -> MapNode:
    common = fields_by_name()
    made: dict[str, Entry] = {}
    for name, entry in block.entries.items():
        kind = kind_named(name)
        value = entry.value
        if kind is not None and isinstance(value, MapNode):
            value = _long_fields(value, all_fields(kind))
        elif name in common:
            value = _long_field(value, common[name])
        made[name] = Entry(entry.key, value)
    return replace(block, entries=made)


def _long_steps(block: MapNode, kinds: Mapping[Path, Kind], path: Path = ()) -> MapNode:
    common = fields_by_name()
    made: dict[str, Entry] = {}
    for name, entry in block.entries.items():
        value = entry.value
        if isinstance(value, MapNode):
            kind = kinds.get((*path, name))
            value = _long_fields(value, all_fields(kind) if kind else common)
            for branch in BRANCHES:
                inner = get(value, branch)
                if isinstance(inner, MapNode):
                    long = _long_steps(inner, kinds, (*path, name, branch))
                    value = with_entry(value, branch, long)
        made[name] = Entry(entry.key, value)
    return replace(block, entries=made)


def _long_fields(step: MapNode, fields: Mapping[str, Field]) -> MapNode:
    made = {
        name: Entry(e.key, _long_field(e.value, fields[name]) if name in fields else e.value)
        for name, e in step.entries.items()
    }
    return replace(step, entries=made)


def _long_field(node: Node, field: Field) -> Node:
    if field.short is None or (isinstance(node, Scalar) and node.value is None):
        return node
    return lengthen(node, field.short)


def kind_meant(word: Any) -> Kind | None:
    """Return the kind that a ``type`` names, or probably was to name."""
    names = [kind.name for kind in KINDS]
    return kind_named(word) or kind_of_api(str(word)) or kind_named(nearest(str(word), names))


def kinds_of_steps(layers: list[MapNode]) -> dict[Path, Kind]:
    """Return the kind of every step by its place, from whichever layer says its type."""
    found: dict[Path, Kind] = {}

    def visit(block: Node | None, path: Path) -> None:
        if not isinstance(block, MapNode):
            return
        for name, entry in block.entries.items():
            stated = get(entry.value, "type")
            kind = kind_meant(stated.value) if isinstance(stated, Scalar) else None
            if kind is not None:
                found[(*path, name)] = kind
            for branch in BRANCHES:
                visit(get(entry.value, branch), (*path, name, branch))

    for layer in layers:
        visit(get(layer, "steps"), ())
    return found


# --- Merging -------------------------------------------------------------------------------------


def merge(low: Node, high: Node, *, whole: frozenset[str], keep_null: bool = False) -> Node:
    """Return ``high`` laid over ``low``: maps merge, everything else replaces, null deletes.

    Args:
        whole: the keys whose values replace even where both are maps.
        keep_null: null stays as it is, for maps in the API's own words.
    """
    if not isinstance(low, MapNode) or not isinstance(high, MapNode):
        return high
    entries = dict(low.entries)
    for name, entry in high.entries.items():
        value = entry.value
        if isinstance(value, Scalar) and value.value is None and not keep_null:
            entries.pop(name, None)
            continue
        known = entries.get(name)
        if known is not None and name not in whole:
            inner = keep_null or name in KEPT_WHOLE
            value = merge(known.value, value, whole=whole, keep_null=inner)
        # The key's place is where the value was last written: that is what a message must show.
        entries[name] = Entry(entry.key, value)
    return replace(high, entries=entries)


def without_nulls(node: Node, *, keep: bool = False) -> Node:
    """Return ``node`` without the keys whose value is null; they delete, and nothing is below."""
    if not isinstance(node, MapNode) or keep:
        return node
    made = {
        name: Entry(entry.key, without_nulls(entry.value, keep=name in KEPT_WHOLE))
        for name, entry in node.entries.items()
        if not (isinstance(entry.value, Scalar) and entry.value.value is None)
    }
    return replace(node, entries=made)


def is_null(node: Node) -> bool:
    """Say whether a node is a null."""
    return isinstance(node, Scalar) and node.value is None


def _merge_steps(low: Node, high: Node) -> Node:
    """Return one layer's steps laid over another's.

    Null takes a step out. In a step it stays, because it may also take a default away.
    """
    if not isinstance(low, MapNode) or not isinstance(high, MapNode):
        return _steps_without_nulls(high)
    entries = dict(low.entries)
    for name, entry in high.entries.items():
        if is_null(entry.value):
            entries.pop(name, None)
            continue
        known = entries.get(name)
        value = _merge_step(known.value if known else mapping({}, entry.value), entry.value)
        entries[name] = Entry(entry.key, value)
    return replace(high, entries=entries)


def _merge_step(low: Node, high: Node) -> Node:
    if not isinstance(low, MapNode) or not isinstance(high, MapNode):
        return high
    rest = merge(low, without(high, *STRUCTURE), whole=WHOLE_FIELDS, keep_null=True)
    assert isinstance(rest, MapNode)
    entries = dict(rest.entries)
    for name in STRUCTURE:
        entry = high.entries.get(name)
        if entry is None:
            continue
        if is_null(entry.value):
            entries.pop(name, None)
        elif name in BRANCHES:
            known = low.entries.get(name)
            below = known.value if known else mapping({}, entry.value)
            entries[name] = Entry(entry.key, _merge_steps(below, entry.value))
        else:
            entries[name] = entry
    # The order of the keys is that in which they were first written.
    names = dict.fromkeys([*low.entries, *high.entries])
    return replace(high, entries={name: entries[name] for name in names if name in entries})


def _steps_without_nulls(steps: Node) -> Node:
    if not isinstance(steps, MapNode):
        return steps
    return _merge_steps(mapping({}, steps), steps)


def without_layer_nulls(layer: Node) -> Node:
    """Return a layer without nulls; in its steps' fields they stay, to take defaults away."""
    steps = get(layer, "steps")
    if not isinstance(layer, MapNode) or steps is None:
        return without_nulls(layer)
    cleaned = without_nulls(without(layer, "steps"))
    assert isinstance(cleaned, MapNode)
    if is_null(steps):
        return cleaned
    entry = layer.entries["steps"]
    inner = Entry(entry.key, _steps_without_nulls(steps))
    entries = {**cleaned.entries, "steps": inner}
    ordered = {name: entries[name] for name in layer.entries if name in entries}
    return replace(layer, entries=ordered)


WHOLE_FIELDS = frozenset(name for name, field in fields_by_name().items() if field.replace)


def merge_layers(layers: list[MapNode]) -> MapNode:
    """Return the layers, low to high, laid over each other."""
    kinds = kinds_of_steps(layers)
    result: Node = without_layer_nulls(lengthen_layer(layers[0], kinds))
    for layer in layers[1:]:
        long = lengthen_layer(layer, kinds)
        below, above = get(result, "steps"), get(long, "steps")
        result = merge(result, long, whole=WHOLE_FIELDS)
        assert isinstance(result, MapNode)
        if isinstance(above, MapNode):
            steps = _merge_steps(below or mapping({}, above), above)
            result = with_entry(result, "steps", steps)
    assert isinstance(result, MapNode)
    return result


def apply_defaults(step: MapNode, kind: Kind, defaults: Node | None) -> MapNode:
    """Return a step laid over the defaults that hold for its kind.

    A general default reaches only kinds that have the field; what stands under a kind's name is
    taken as it is, so that an unknown field there is found by the schema.
    """
    if not isinstance(defaults, MapNode):
        bare = without_nulls(step)
        assert isinstance(bare, MapNode)
        return bare
    names = all_fields(kind)
    general = {
        name: entry
        for name, entry in defaults.entries.items()
        if name in names and kind_named(name) is None and name != "type"
    }
    result: Node = replace(defaults, entries=general)
    own = get(defaults, kind.name)
    if isinstance(own, MapNode):
        result = merge(result, own, whole=WHOLE_FIELDS)
    result = without_nulls(merge(result, step, whole=WHOLE_FIELDS))
    assert isinstance(result, MapNode)
    # Keep the step's own place and the order in which its keys were written.
    first = {name: result.entries[name] for name in step.entries if name in result.entries}
    return replace(result, entries={**first, **result.entries}, span=step.span, source=step.source)


def inherit(step: MapNode, name: str, value: Node | None, *, own: bool) -> MapNode:
    """Return ``step`` with a field taken over from another step.

    Args:
        value: the field's value there; None where there is none.
        own: the step itself says the field. It is then merged over the value, or replaces it.
    """
    known = get(step, name)
    if value is None or (own and (name in WHOLE_FIELDS or not isinstance(known, MapNode))):
        return step
    if known is not None and name not in WHOLE_FIELDS:
        low, high = (value, known) if own else (known, value)
        value = merge(low, high, whole=WHOLE_FIELDS)
    return with_entry(step, name, value, key_at(name, value))
