"""Fields that other steps fill: a step names the others, its kind says what goes where."""

from __future__ import annotations

import fnmatch

from pipelines.language.conform import conform
from pipelines.language.diagnostics import Report, suggest
from pipelines.language.expand import Expanded, walk
from pipelines.language.nodes import (
    MapNode,
    Node,
    Scalar,
    Sequence,
    get,
    mapping,
    plain,
    with_entry,
)
from pipelines.language.schema import definition_schema
from steps._contract import Fill, Step
from steps._expressions import Path


def fill(steps: list[Expanded], report: Report) -> None:
    """Write references to the steps that ``fills_from`` names into the fields that they fill.

    What is written there already stays. A reference stands where the step is named, so what is
    wrong with it is told there.

    Args:
        steps: all steps, those that others became included; they are changed in place.
    """
    by_name = {step.name: step for step in walk(steps)}
    for step in by_name.values():
        if step.kind.fills_from:
            _fill(step, by_name, report)


def _fill(step: Expanded, by_name: dict[str, Expanded], report: Report) -> None:
    field = step.kind.fills_from
    given = get(step.node, field)
    if not isinstance(given, Sequence):
        return
    named: dict[str, Scalar] = {}
    for item in given.items:
        if not isinstance(item, Scalar):
            continue  # which is told when the step is checked
        others = [name for name in by_name if name != step.name]
        found = [name for name in others if fnmatch.fnmatchcase(name, item.text)]
        for name in found:
            named.setdefault(name, item)
        if not found and "${" not in item.text:
            message = f"there is no step `{item.text}`"
            report.at(item, "unknown-step", message, suggest(item.text, others))
    places = list(named.values())
    written = step.node
    for made in step.kind.filled([_plain(by_name[name]) for name in named]):
        if not isinstance(made, Fill):
            index = made.path[1]
            assert isinstance(index, int)
            report.at(places[index], made.code, made.message, made.hint)
        elif get(written, *made.path) is None:
            at = places[made.by]
            value = Scalar(made.text, made.text, at.source, at.span, quoted=True)
            step.node = _with(step.node, made.path, value)


def _plain(step: Expanded) -> Step:
    schema = definition_schema()["definitions"][step.kind.name]
    return Step(step.name, step.kind.name, conform(plain(step.node), schema), step.own)


def _with(node: MapNode, path: Path, value: Node) -> MapNode:
    key, *rest = path
    if rest:
        below = get(node, key)
        if below is not None and not isinstance(below, MapNode):
            return node  # which is told when the step is checked
        value = _with(below or mapping({}, value), tuple(rest), value)
    return with_entry(node, str(key), value)
