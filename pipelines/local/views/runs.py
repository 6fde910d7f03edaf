"""One run, or one registered model, in full."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.lineage import Lineage
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


def details(store: Store, record: ExecutionRecord) -> Iterator[str]:
    """Write a run: when, how, with which parameters, its steps and what it left."""
    yield from columns(
        [
            ("Run", record.id),
            ("Pipeline", record.pipeline),
            ("Status", record.status),
            ("Started", clock(record.started)),
            ("Took", duration((record.ended or time.time()) - record.started)),
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
    yield from columns((_step_row(step) for step in steps), indent="  ", right=(3,))
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


def _step_row(step: StepRecord) -> tuple[str, str, str, str, str]:
    note = ""
    if step.cache_source:
        note = f"from run {step.cache_source.rpartition('/')[2]}"
    elif step.failure_reason:
        note = clean_lines(step.failure_reason)[0]
        note = note if len(note) <= _NOTE else note[: _NOTE - 1] + "…"
    elif step.type == "Condition" and step.properties:
        note = str(step.properties.get("Outcome", "")).lower()
    if step.attempts > 1:
        note = f"{step.attempts} attempts" + (f"; {note}" if note else "")
    spent = duration((step.ended or time.time()) - step.started)
    status = "Reused" if step.cache_source else step.status
    return step.name, step.type, status, spent, note


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
