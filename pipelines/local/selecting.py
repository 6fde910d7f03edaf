"""Selective execution: some steps run, the results of the others come from another execution.

Source: AWS, "Selective execution of pipeline steps". There the chosen steps must hang together;
here they need not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.definition import Definition
from pipelines.definition.step_graph import StepGraph
from pipelines.errors import UsageError
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.options import Selection


@dataclass(frozen=True)
class Selected:
    """What a selective execution runs, and what it takes from where.

    Attributes:
        steps: the names of the steps that run.
        source: the execution that the others' results come from; None where none are needed.
        given: the records of those results, by step.
    """

    steps: frozenset[str]
    source: ExecutionRecord | None = None
    given: Mapping[str, StepRecord] | None = None


def select(
    definition: Definition,
    selection: Selection,
    history: History | None,
    pipeline: str,
    sample: int | None,
) -> Selected:
    """Decide what runs, and find the results of the rest.

    Args:
        definition: all steps.
        selection: what was asked for.
        history: the executions; None where nothing has run yet.
        pipeline: the pipeline's name.
        sample: the size of this run's sample; by default only a source with the same one counts.

    Raises:
        UsageError: there is no such step, nothing is selected, or no execution has the results
            that are needed; the message lists them.
    """
    graph = StepGraph(definition)
    steps = _chosen(graph, selection, definition)
    needed = graph.needed(steps)
    source = _source(history, pipeline, selection.source, sample)
    if source is None:
        if needed:
            raise UsageError(
                f"no run of pipeline `{pipeline}` has succeeded here, and these results are "
                f"needed:\n{_listed(needed)}",
                "run the whole pipeline first, or name a run with --source RUN",
            )
        return Selected(steps)
    assert history is not None
    records = {
        record.name: record
        for record in history.steps(source.id)
        if record.status == "Succeeded"
        and record.name in definition.by_name
        and record.type == definition.by_name[record.name].type
    }
    missing = {name: users for name, users in needed.items() if name not in records}
    if missing:
        raise UsageError(
            f"run {source.id} has no results of steps that are needed:\n{_listed(missing)}",
            "select them too, or name another run with --source RUN",
        )
    upstream = graph.before(steps) - steps
    return Selected(steps, source, {name: records[name] for name in upstream if name in records})


def _source(
    history: History | None, pipeline: str, text: str, sample: int | None
) -> ExecutionRecord | None:
    if history is None:
        return None
    if text and text != "latest":
        record = history.find(text)
        if record.pipeline != pipeline:
            raise UsageError(f"run {record.id} is one of pipeline `{record.pipeline}`")
        return record
    for record in history.executions(pipeline=pipeline):
        succeeded = record.status == "Succeeded" or (text == "latest" and record.ended)
        if succeeded and (record.options or {}).get("sample") == sample:
            return record
    return None


def _listed(needed: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"  {name}, for {', '.join(users)}" for name, users in needed.items())


def _chosen(graph: StepGraph, selection: Selection, definition: Definition) -> frozenset[str]:
    """Return the steps that a selection means."""
    for name in (*selection.only, *selection.start, *selection.end):
        graph.check(name)
    found: set[str] = set()
    if selection.start or selection.end:
        found = set(definition.by_name)
    if selection.start:
        found &= graph.after(selection.start)
    if selection.end:
        found &= graph.before(selection.end) | set(selection.end)
    found |= graph.with_branches(selection.only)
    if not found:
        raise UsageError(
            "nothing is selected: no step lies between "
            f"{', '.join(selection.start)} and {', '.join(selection.end)}"
        )
    return frozenset(found)
