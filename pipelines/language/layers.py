"""From files to one merged tree: the ``extends`` chain, overlays, and the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.language.diagnostics import Report, suggest
from pipelines.language.environments import Setting, variable
from pipelines.language.merge import merge_layers, without_layer_nulls
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
)
from pipelines.language.project import Project, read_file, resolve_inside
from pipelines.language.schema import TOP
from pipelines.language.validation import describe

MAX_EXTENDS = 8


@dataclass(frozen=True)
class Merged:
    """The merged definition and the files it was read from, the definition first."""

    tree: MapNode
    files: tuple[Path, ...]


def read_layers(
    root: Node,
    path: Path,
    project: Project,
    setting: Setting,
    variables: Mapping[str, str],
    report: Report,
) -> Merged | None:
    """Return the definition with everything below and above it merged; None where it can't be.

    Args:
        root: the definition's own tree.
        variables: values of ``--var``, as text.
    """
    chain = _chain(root, path, project, report)
    if chain is None:
        return None
    layers: list[MapNode] = []
    if setting.layer is not None:
        layers.append(setting.layer)
    for _, tree in reversed(chain):
        layers.append(without(tree, "extends", "environments", *_ignored(tree)))
        overlay = _overlay(tree, setting, report)
        if overlay is not None:
            layers.append(overlay)
    merged = merge_layers([_mergeable(layer, report) for layer in layers])
    if variables:
        merged = _with_variables(merged, variables, [tree for _, tree in chain], report)
    final = without_layer_nulls(merged)
    assert isinstance(final, MapNode)
    own = chain[0][1]
    # The order of the keys is that of the definition's own file, its places are its own.
    final = replace(final, source=own.source, span=own.span)
    return Merged(_own_order(final, own), tuple(file for file, _ in chain))


def _chain(
    root: Node, path: Path, project: Project, report: Report
) -> list[tuple[Path, MapNode]] | None:
    """Return the definition and the files it extends, itself first."""
    chain: list[tuple[Path, MapNode]] = []
    node: Node | None = root
    while True:
        if not isinstance(node, MapNode):
            if node is not None:
                report.at(
                    node,
                    "wrong-type",
                    "a definition is a map of keys such as `pipeline` and `steps`",
                )
            return None
        chain.append((path, node))
        base = get(node, "extends")
        if base is None:
            return chain
        if not isinstance(base, Scalar) or not isinstance(base.value, str):
            report.at(
                base, "wrong-type", "`extends` names one file", "write `extends: ../base.yaml`"
            )
            return None
        found = resolve_inside(base, project, report, want="file")
        if found is None:
            return None
        if found in [file.resolve() for file, _ in chain]:
            report.at(base, "extends-cycle", f"`{base.value}` extends this file in turn")
            return None
        if len(chain) > MAX_EXTENDS:
            report.at(base, "too-large", f"more than {MAX_EXTENDS} files extend each other")
            return None
        path, node = found, read_file(found, report)


def _ignored(tree: MapNode) -> list[str]:
    return [name for name in tree.entries if name.startswith("x-")]


def _overlay(tree: MapNode, setting: Setting, report: Report) -> MapNode | None:
    """Return the file's own overlay for the environment; unknown environments are reported."""
    block = get(tree, "environments")
    if not isinstance(block, MapNode):
        if block is not None and not (isinstance(block, Scalar) and block.value is None):
            report.at(block, "wrong-type", f"`environments` is a map, not {_kind(block)}")
        return None
    for name, entry in block.entries.items():
        if name not in setting.names:
            report.at(
                entry.key,
                "unknown-environment",
                f"there is no environment `{name}`",
                suggest(name, setting.names) or "environments.yaml lists them",
            )
        _check_overlay(name, entry.value, report)
    overlay = get(block, setting.environment.name)
    return _of_overlay(overlay) if isinstance(overlay, MapNode) else None


_NOT_IN_OVERLAYS = ("extends", "environments", "pipeline")


def _of_overlay(overlay: MapNode) -> MapNode:
    return without(overlay, *_NOT_IN_OVERLAYS, *_ignored(overlay))


def _check_overlay(name: str, overlay: Node, report: Report) -> None:
    """Report what is wrong with an overlay on its top level, whether it is chosen or not."""
    if not isinstance(overlay, MapNode):
        if not isinstance(overlay, Scalar) or overlay.value is not None:
            report.at(overlay, "wrong-type", f"the overlay `{name}` is a map, not {_kind(overlay)}")
        return
    for key in _NOT_IN_OVERLAYS:
        if key in overlay.entries:
            message = f"`{key}` can't stand in an overlay"
            report.at(overlay.entries[key].key, "unknown-key", message)
    _mergeable(_of_overlay(overlay), report)


def _kind(node: Node) -> str:
    return describe(plain(node))


def _mergeable(layer: MapNode, report: Report) -> MapNode:
    """Return a layer in which the blocks that merging looks into are maps.

    Reports those that are none, and what is unknown on top.
    """
    made = layer
    for name, entry in layer.entries.items():
        field = TOP.get(name)
        if field is None:
            hint = suggest(name, TOP) or "keys of your own begin with `x-`"
            if name != name.strip():
                hint = "the space before it is none of YAML's; type it anew"
            report.at(entry.key, "unknown-key", f"unknown key `{name}`", hint)
            continue
        wants_map = name in ("vars", "parameters", "defaults", "steps", "tags")
        if wants_map and not isinstance(entry.value, MapNode):
            if isinstance(entry.value, Scalar) and entry.value.value is None:
                continue
            message = f"`{name}` is a map, not {_kind(entry.value)}"
            report.at(entry.value, "wrong-type", message, _without_dashes(entry.value))
            report.blame((name,))
            meant = _as_map(entry.value)
            made = with_entry(made, name, meant) if meant else without(made, name)
    return made


def _as_map(node: Node) -> MapNode | None:
    """Return the map that a list of maps was meant to be: by its only keys or their names."""
    entries: dict[str, Entry] = {}
    for item in node.items if isinstance(node, Sequence) else ():
        name = get(item, "name")
        if isinstance(item, MapNode) and isinstance(name, Scalar):
            entries[name.text] = Entry(name, without(item, "name"))
        elif isinstance(item, MapNode) and len(item.entries) == 1:
            entries.update(item.entries)
        else:
            return None
    return MapNode(entries, node.source, node.span) if entries else None


def _without_dashes(node: Node) -> str:
    meant = _as_map(node)
    first = next(iter(meant.entries), "") if meant else ""
    return f"write each as `NAME: …` without the `-`, beginning with `{first}:`" if first else ""


def _with_variables(
    tree: MapNode, variables: Mapping[str, str], files: list[MapNode], report: Report
) -> MapNode:
    """Return the definition with the command line's variables; unknown ones are reported."""
    block = get(tree, "vars")
    known: MapNode = block if isinstance(block, MapNode) else mapping({}, tree)
    declared = list(known.entries)
    for name, text in variables.items():
        given = variable(name, text)
        used = any(re.search(rf"vars\W+{re.escape(name)}\b", f.source.text) for f in files)
        if name not in declared and not used:
            report.at(
                given,
                "unknown-variable",
                f"the definition has no variable `{name}`",
                suggest(name, declared),
            )
        # One that only the command line gives comes first: the file's own may use it.
        made = {name: Entry(key_at(name, given), given)}
        known = replace(known, entries={**made, **known.entries, **made})
    return with_entry(tree, "vars", known)


def _own_order(tree: MapNode, own: MapNode) -> MapNode:
    """Return the steps in the order of the definition; those only extended come first."""
    steps, written = get(tree, "steps"), get(own, "steps")
    if not isinstance(steps, MapNode) or not isinstance(written, MapNode):
        return tree
    inherited = {n: e for n, e in steps.entries.items() if n not in written.entries}
    own_steps = {n: steps.entries[n] for n in written.entries if n in steps.entries}
    ordered: dict[str, Entry] = {**inherited, **own_steps}
    return with_entry(tree, "steps", replace(steps, entries=ordered))
