"""Inputs from many steps: a glob becomes one input for each step that it matches."""

from __future__ import annotations

import fnmatch
from collections.abc import Set as AbstractSet
from dataclasses import replace

from pipelines.language.diagnostics import Report, suggest
from pipelines.language.expand import Expanded, walk
from pipelines.language.nodes import Entry, MapNode, Scalar, get, key_at, with_entry, without
from pipelines.language.repair import NOWHERE


def fan_in(steps: list[Expanded], report: Report, dropped: AbstractSet[str]) -> None:
    """Unfold ``inputs: {NAME: {each: GLOB, value: model}}`` into one input per matching step.

    Args:
        dropped: keys, as globs, of what could not be made a step, which was told.
    """
    names = [step.name for step in walk(steps)]
    for step in walk(steps):
        inputs = get(step.node, "inputs")
        if not isinstance(inputs, MapNode):
            continue
        entries: dict[str, Entry] = {}
        for name, entry in inputs.entries.items():
            glob = get(entry.value, "each")
            if isinstance(entry.value, MapNode) and isinstance(glob, Scalar):
                others = [other for other in names if other != step.name]
                found = [other for other in others if fnmatch.fnmatchcase(other, glob.text)]
                if not found and not fnmatch.filter(dropped, glob.text):
                    message = f"no step is called like `{glob.text}`"
                    report.at(glob, "unknown-step", message, suggest(glob.text, others))
                entries.update(_gathered(name, entry, glob, found))
            else:
                entries[name] = entry
        if list(entries) != list(inputs.entries):
            step.node = with_entry(step.node, "inputs", replace(inputs, entries=entries))


def _gathered(name: str, entry: Entry, glob: Scalar, found: list[str]) -> dict[str, Entry]:
    block = entry.value
    assert isinstance(block, MapNode)
    value, path = get(block, "value"), get(block, "path")
    what = value.text if isinstance(value, Scalar) else "model"
    folder = path.text if isinstance(path, Scalar) else f"/opt/ml/processing/{name}"
    at = value if isinstance(value, Scalar) else glob
    rest = without(block, "each", "value")

    def item(source: str, place: str) -> MapNode:
        made = with_entry(rest, "source", replace(at, value=source, text=source, quoted=True))
        return with_entry(made, "path", replace(glob, value=place, text=place, quoted=True))

    if not found:  # which was told; the rest of the input is judged
        return {name: Entry(entry.key, item(NOWHERE, folder))}
    return {
        f"{name}-{number}": Entry(
            key_at(f"{name}-{number}", entry.key),
            item(f"${{steps['{other}'].{what}}}", f"{folder}/{other}"),
        )
        for number, other in enumerate(found, start=1)
    }
