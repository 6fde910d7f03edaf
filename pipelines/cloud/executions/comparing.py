"""Two executions side by side: what they were given, what they ran, how they went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.cloud.client import Clients
from pipelines.cloud.definition_changes import DefinitionChanges, compare_definitions
from pipelines.cloud.executions.reading import read_execution, read_run_definition
from pipelines.cloud.executions.records import Execution, StepRecord
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.refusals import Missing
from pipelines.cloud.wanted import NoSources, SourceLookup


@dataclass(frozen=True)
class Side:
    """One step in one execution.

    Args:
        state: in a word; empty where it did not run there.
        seconds: how long it took; None where it did not run or its result was reused.
        reused: the execution that its result came from; empty: it ran.
        metrics: the last value of each metric of its training job.
    """

    state: str = ""
    seconds: float | None = None
    reused: str = ""
    metrics: Mapping[str, float] | None = None


@dataclass(frozen=True)
class StepComparison:
    """One step in both executions."""

    name: str
    before: Side
    after: Side


@dataclass(frozen=True)
class Comparison:
    """Two executions.

    Args:
        parameters: those whose values differ, with both; None where one has none.
        changes: how the definition changed in between; None where one of them can't be had.
        steps: all steps of both.
    """

    before: Execution
    after: Execution
    parameters: Mapping[str, tuple[str | None, str | None]]
    changes: DefinitionChanges | None
    steps: tuple[StepComparison, ...]


def compare_executions(
    clients: Clients, before: str, after: str, words: SourceLookup | None = None
) -> Comparison:
    """Return two executions side by side.

    Args:
        before, after: their ARNs.
        words: what the parts of a definition are called.

    Raises:
        Missing: there is no such execution.
        Refused: a call was refused.
    """

    def read(arn: str) -> Execution:
        return read_execution(clients, arn, parameters=True)

    old, new = in_parallel(read, [before, after])
    definitions = in_parallel(lambda arn: read_run_definition(clients, arn), [before, after])
    changes = None
    if definitions[0] is not None and definitions[1] is not None:
        changes = compare_definitions(
            definitions[0].source, definitions[1].source, words or NoSources()
        )
    names = dict.fromkeys([*new.parameters, *old.parameters])
    pairs = {name: (old.parameters.get(name), new.parameters.get(name)) for name in names}
    return Comparison(
        old,
        new,
        {name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
        changes,
        _steps(clients, old, new),
    )


def _steps(clients: Clients, old: Execution, new: Execution) -> tuple[StepComparison, ...]:
    before = {step.label: step for step in old.steps}
    after = {step.label: step for step in new.steps}
    names = list(dict.fromkeys([*before, *after]))
    found = [steps.get(name) for name in names for steps in (before, after)]
    sides = in_parallel(lambda step: _side(clients, step), found)
    return tuple(
        StepComparison(name, sides[2 * index], sides[2 * index + 1])
        for index, name in enumerate(names)
    )


def _side(clients: Clients, step: StepRecord | None) -> Side:
    if step is None:
        return Side()
    reused = step.cached_from or step.selected_from
    seconds = None
    if not reused and step.ended is not None:
        seconds = step.seconds(step.ended)
    metrics = _metrics(clients, [job.name for job in step.jobs if job.kind == "TrainingJob"])
    return Side("reused" if reused else step.status.lower(), seconds, reused, metrics)


def _metrics(clients: Clients, jobs: Sequence[str]) -> Mapping[str, float] | None:
    """Return the last value of each metric of training jobs (FinalMetricDataList)."""
    found: dict[str, float] = {}
    for job in jobs:
        try:
            answer = clients.call(
                "sagemaker:DescribeTrainingJob", f"training job {job}", TrainingJobName=job
            )
        except Missing:
            continue
        for metric in answer.get("FinalMetricDataList") or ():
            found[str(metric["MetricName"])] = float(metric["Value"])
    return found or None
