"""From the store to a report."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.definition import Definition, read_definition
from pipelines.draw.svg import svg
from pipelines.local.encoding import plain
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.measures import metrics_of
from pipelines.local.registry import Registry
from pipelines.local.store import Store
from pipelines.local.views.runs import in_tree
from pipelines.local.views.words import clock, duration
from pipelines.report.comparison import changes
from pipelines.report.graph import graph_of_run
from pipelines.report.lineage import artefacts, lineage_of
from pipelines.report.measures import (
    excerpts_of,
    jobs_table,
    outputs_of,
    pictures_of,
    violations_table,
)
from pipelines.report.model import Comparison, Made, Report, Setting, StepPart
from pipelines.report.notebooks import notebook_pictures
from pipelines.report.phases import phases_of, ready_times

LOG_BYTES = 256 * 1024
"""How much of a log's end the page holds."""


def gather(store: Store, record: ExecutionRecord, other: ExecutionRecord | None) -> Report:
    """Return the report of a run.

    Args:
        store: where it is recorded.
        record: the run.
        other: an earlier run to compare with; None for none.
    """
    definition = read_definition(json.loads(record.definition))
    records = in_tree(History(store).steps(record.id))
    steps = _parts(store, record, definition, records)
    comparison, before = None, {}
    if other is not None:
        then = read_definition(json.loads(other.definition))
        others = _parts(store, other, then, History(store).steps(other.id))
        before = dict(other.parameters)
        differences = changes((before, others), (record.parameters, steps))
        comparison = Comparison(other.id, clock(other.started), tuple(differences))
    states = {step.name: _state_words(step) for step in steps}
    return Report(
        run=record.id,
        pipeline=record.pipeline,
        status=record.status,
        reason=record.failure_reason or "",
        arn=record.arn,
        started=clock(record.started),
        seconds=max(0.0, (record.ended or time.time()) - record.started),
        took=record.seconds,
        isolation=record.isolation,
        parallelism=record.parallelism,
        settings=tuple(
            Setting(name, value, _before(name, value, before, other))
            for name, value in record.parameters.items()
        ),
        steps=steps,
        made=_made(store, record, records),
        comparison=comparison,
        picture=svg(graph_of_run(record.pipeline, definition, states)),
    )


def earlier(store: Store, record: ExecutionRecord) -> ExecutionRecord | None:
    """Return the run of the same pipeline before this one, or None."""
    runs = History(store).executions(pipeline=record.pipeline)
    return next((run for run in runs if run.number < record.number), None)


def _before(
    name: str, value: str, before: Mapping[str, str], other: ExecutionRecord | None
) -> str | None:
    """Return a parameter's value in the other run where it is another one."""
    if other is None or before.get(name) == value:
        return None
    return before.get(name, "not set")


def _state_words(step: StepPart) -> str:
    if step.state == "Succeeded":
        return duration(step.seconds)
    return "reused" if step.state == "Reused" else step.state.lower()


def _parts(
    store: Store,
    execution: ExecutionRecord,
    definition: Definition,
    records: Sequence[StepRecord],
) -> tuple[StepPart, ...]:
    ready = ready_times(definition, records, execution)
    return tuple(
        _part(store, execution, definition, record, ready.get(record.name, record.started))
        for record in records
    )


def _part(
    store: Store,
    execution: ExecutionRecord,
    definition: Definition,
    record: StepRecord,
    ready: float,
) -> StepPart:
    reused = record.cache_source is not None
    log, left_out = _log(record.log)
    return StepPart(
        name=record.name,
        type=record.type,
        state="Reused" if reused else record.status,
        start=record.started - execution.started,
        seconds=(record.ended or time.time()) - record.started,
        note=_note(record),
        reason=record.failure_reason or "",
        attempts=record.attempts,
        faults=tuple(record.faults or ()),
        phases=phases_of(record, ready, execution.started),
        request=json.dumps(plain(record.request), indent=2, ensure_ascii=False)
        if record.request
        else "",
        log=log,
        log_left_out=left_out,
        metrics=metrics_of(record, definition.by_name.get(record.name), store),
        pictures=(*pictures_of(record, store), *notebook_pictures(record, store)),
        excerpts=excerpts_of(record, store),
        outputs=outputs_of(record, store),
        table=jobs_table(record) or violations_table(record, store),
        depth=1 if record.iteration else 0,
    )


def _note(record: StepRecord) -> str:
    if record.cache_source:
        return f"from run {record.cache_source.rpartition('/')[2]}"
    told = record.properties if isinstance(record.properties, Mapping) else {}
    if record.type == "Condition" and "Outcome" in told:
        return f"the condition was {str(told['Outcome']).lower()}"
    if "ModelPackageVersion" in told:
        return f"{told.get('ModelPackageGroupName')} version {told['ModelPackageVersion']}"
    return ""


def _log(path: str) -> tuple[str, int]:
    """Return the end of a log, and how many bytes come before it."""
    try:
        with Path(path).open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - LOG_BYTES))
            data = stream.read()
    except OSError:
        return "", 0
    left_out = max(0, size - LOG_BYTES)
    if left_out:
        # Begin with a whole line.
        cut = data.find(b"\n") + 1
        left_out, data = left_out + cut, data[cut:]
    return data.decode("utf-8", "replace"), left_out


def _made(store: Store, record: ExecutionRecord, steps: Sequence[StepRecord]) -> tuple[Made, ...]:
    registry = Registry(store)
    made = [
        Made(
            f"{package.group} version {package.version} ({package.approval})",
            package.arn,
            package.metrics,
            lineage_of(artefacts(package.description), steps),
        )
        for package in registry.packages_of(record.id)
    ]
    made += [
        Made(
            f"model {model.name}",
            str(model.description.get("ModelArn", "")),
            {},
            lineage_of(artefacts(model.description), steps),
        )
        for model in registry.models_of(record.id)
    ]
    return tuple(made)
