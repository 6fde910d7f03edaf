"""One run, or one registered model, in full."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.definition import read_definition
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.lineage import Lineage
from pipelines.local.places import at, listed
from pipelines.local.registry import PackageRecord
from pipelines.local.store import Store
from pipelines.local.views.summary import clean_lines, summary
from pipelines.local.views.words import (
    clean,
    clock,
    columns,
    duration,
    metric_line,
    number,
    shown,
)

# A table's last column; the whole reason stands above it or in the step's log.
_NOTE = 100
# Of a search's training jobs; `--json` has them all.
_JOBS = 20


def details(store: Store, record: ExecutionRecord) -> Iterator[str]:
    """Write a run: when, how, with which parameters, its steps and what it left."""
    yield from columns(
        [
            ("Run", record.id),
            ("Pipeline", record.pipeline),
            ("Status", record.status),
            ("Started", clock(record.started)),
            ("Took", duration(record.seconds)),
            ("Isolation", record.isolation),
            ("ARN", record.arn),
        ]
    )
    if record.failure_reason:
        first, *rest = clean_lines(record.failure_reason)
        yield f"Reason     {first}"
        yield from (f"           {line}" for line in rest)
    if record.parameters:
        yield ""
        yield "Parameters"
        rows = [(name, clean(value)) for name, value in record.parameters.items()]
        yield from columns(rows, indent="  ")
    yield ""
    yield "Steps"
    steps = History(store).steps(record.id)
    depths = _depths(record, steps)
    ordered = in_tree(steps)
    table = (_step_row(step, depths[step.name]) for step in ordered)
    yield from columns(table, indent="  ", right=(3,))
    yield from _times(ordered)
    for step in ordered:
        yield from _trials(step)
    measured = [(step.name, metric_line(found)) for step in steps if (found := job_metrics(step))]
    if measured:
        yield ""
        yield "Metrics"
        yield from columns(measured, indent="  ")
    if record.status in ("Succeeded", "CompletedWithFailures"):
        yield from summary(store, record)[1:]
    yield from _lineage(Lineage(store), record)
    logs = [shown(Path(step.log)) for step in steps if Path(step.log).exists()]
    if logs:
        yield ""
        yield f"Logs: {shown(store.folder / 'logs' / record.id)}"


def in_tree(steps: Sequence[StepRecord]) -> list[StepRecord]:
    """Return steps in the order in which they started, those of rounds below their ForEach."""
    rounds: dict[str, list[StepRecord]] = {}
    for step in steps:
        if step.iteration:
            rounds.setdefault(step.iteration["ParentStepName"], []).append(step)
    made: list[StepRecord] = []
    for step in steps:
        if not step.iteration:
            inner = rounds.get(step.name, [])
            made += [step, *sorted(inner, key=lambda each: each.iteration.get("Index", 0))]
    return made


def _depths(record: ExecutionRecord, steps: Sequence[StepRecord]) -> dict[str, int]:
    """Return how deep each step stands: in branches, in rounds."""
    definition = read_definition(json.loads(record.definition))
    depths: dict[str, int] = {}
    for step in definition.steps:
        depths[step.name] = depths[step.branch.condition] + 1 if step.branch else 0
    for each in steps:
        if each.iteration:
            depths[each.name] = depths.get(each.iteration["ParentStepName"], 0) + 1
    return {step.name: depths.get(step.name, 0) for step in steps}


_PHASES = ("waiting", "preparing", "running", "storing")


def _times(steps: Sequence[StepRecord]) -> Iterator[str]:
    """Write where the time of steps with jobs went."""
    told = [(step.name, step.phases) for step in steps if step.phases and "running" in step.phases]
    if told:
        yield ""
        yield "Time"
        rows: list[tuple[str, ...]] = [("", *_PHASES)]
        for name, phases in told:
            spent = (duration(phases[phase]) if phase in phases else "" for phase in _PHASES)
            rows.append((name, *spent))
        yield from columns(rows, indent="  ", right=(1, 2, 3, 4))


def _trials(step: StepRecord) -> Iterator[str]:
    """Write the training jobs of a search, the best first."""
    told = step.properties if isinstance(step.properties, Mapping) else {}
    jobs = listed(told, "TrainingJobSummaries")
    if not jobs:
        return
    objective = at(jobs[0], "FinalHyperParameterTuningJobObjectiveMetric", "MetricName")
    yield ""
    by = f" by {objective}" if objective else ""
    yield f"Training jobs of {step.name}, the best first{by}"
    rows = []
    for job in jobs[:_JOBS]:
        value = at(job, "FinalHyperParameterTuningJobObjectiveMetric", "Value")
        tried = at(job, "TunedHyperParameters") or {}
        rows.append(
            (
                trial_number(job),
                number(float(value)) if value is not None else "-",
                str(job.get("TrainingJobStatus", "")),
                clean(" ".join(f"{name}={text}" for name, text in tried.items())),
            )
        )
    yield from columns(rows, indent="  ", right=(1,))
    if len(jobs) > _JOBS:
        yield f"  and {len(jobs) - _JOBS} more"


def trial_number(job: Mapping[str, Any]) -> str:
    """Return a training job's number within its search, which its name ends in: ``003``."""
    parts = str(job.get("TrainingJobName", "")).split("-")
    return parts[-2] if len(parts) > 1 else ""


def _lineage(lineage: Lineage, record: ExecutionRecord) -> Iterator[str]:
    """Write what a run recorded about where things come from."""
    entities = lineage.entities(execution=record.id)
    associations = lineage.associations(execution=record.id)
    if not entities and not associations:
        return
    yield ""
    yield "Lineage"
    rows = [
        (each.kind, clean(each.name), clean(each.type), clean(each.source)) for each in entities
    ]
    yield from columns(rows, indent="  ")
    names = {each.arn: each.name or each.source for each in entities}
    for each in associations:
        here, there = (names.get(arn, arn) for arn in (each.source, each.destination))
        word = f" {each.type}" if each.type else ""
        yield f"  {clean(here)} →{word} {clean(there)}"


def job_metrics(step: StepRecord) -> dict[str, float]:
    """Return the metrics that a training job reported."""
    found = step.properties.get("FinalMetricDataList") if step.properties else None
    return {
        clean(str(item["MetricName"])): float(item["Value"])
        for item in found or []
        if isinstance(item, dict) and "MetricName" in item and "Value" in item
    }


def _step_row(step: StepRecord, depth: int) -> tuple[str, str, str, str, str]:
    note = ""
    if step.cache_source:
        note = f"from run {step.cache_source.rpartition('/')[2]}"
    elif step.failure_reason:
        note = clean_lines(step.failure_reason)[0]
        note = note if len(note) <= _NOTE else note[: _NOTE - 1] + "…"
    elif step.type == "Condition" and step.properties:
        note = str(step.properties.get("Outcome", "")).lower()
    elif chosen := at(step.metadata, "ForEach", "Selector", "StepName"):
        note = f"chose {chosen}"
    if step.attempts > 1:
        why = f" after {', '.join(sorted(set(step.faults)))}" if step.faults else ""
        note = f"{step.attempts} attempts{why}" + (f"; {note}" if note else "")
    spent = duration((step.ended or time.time()) - step.started)
    status = "Reused" if step.cache_source else step.status
    return "  " * depth + step.name, step.type, status, spent, note


def package_details(store: Store, record: PackageRecord) -> Iterator[str]:
    """Write one version of a model package group."""
    yield from columns(
        [
            ("Group", record.group),
            ("Version", str(record.version)),
            ("Approval", record.approval),
            ("Registered", clock(record.created)),
            ("Run", f"{record.execution}, step {record.step}"),
            ("ARN", record.arn),
        ]
    )
    specification = record.description.get("InferenceSpecification")
    containers = specification.get("Containers") if isinstance(specification, dict) else None
    for container in containers or []:
        yield ""
        rows = [("Image", clean(str(container.get("Image", ""))))]
        uri = container.get("ModelDataUrl")
        if isinstance(uri, str):
            rows.append(("Model data", clean(uri)))
            path = store.objects / uri[5:]
            if uri.startswith("s3://") and path.exists():
                rows.append(("", shown(path)))
        yield from columns(rows)
    if record.metrics:
        yield ""
        yield "Metrics"
        rows = [(clean(name), number(value)) for name, value in record.metrics.items()]
        yield from columns(rows, indent="  ")
