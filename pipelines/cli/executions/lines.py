"""An execution as lines of text, and as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from pipelines.cloud.executions.jobs import console_url, log_url
from pipelines.cloud.executions.logs import Line
from pipelines.cloud.executions.records import Execution, StepRecord, execution_id
from pipelines.cloud.masking import masked
from pipelines.cloud.redaction import redact
from pipelines.definition import Definition
from pipelines.local.views.words import clean, columns, duration, plural

MARKS = {
    "Succeeded": "✓",
    "Failed": "✗",
    "Stopped": "■",
    "Stopping": "■",
    "Executing": "▸",
    "Starting": "▸",
}
WORDS = {"CompletedWithFailures": "completed with failures", "Executing": "running"}


def safe(text: str) -> str:
    """Return a line that came from outside without credentials, and safe to print."""
    return clean(redact(text))


def now() -> datetime:
    """The time that running steps are measured by."""
    return datetime.now(timezone.utc)


def moment(when: datetime | None) -> str:
    """Write a time of AWS as local date and time."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if when is not None else "?"


def state(status: str) -> str:
    """Write a state in words."""
    return WORDS.get(status, status.lower())


def header(execution: Execution) -> Iterator[str]:
    """Write what an execution is."""
    version = f"version {execution.version}" if execution.version is not None else ""
    aliases = ", ".join(f"alias {each}" for each in execution.aliases)
    beside = ", ".join(filter(None, [version, aliases]))
    rows = [
        ("Pipeline", execution.pipeline + (f" ({beside})" if beside else "")),
        ("Execution", execution.id + (f", {execution.name}" if execution.name else "")),
    ]
    if execution.started is not None:
        taken = execution.seconds(now())
        verb = "took" if execution.is_over else "running for"
        spent = f", {verb} {duration(taken)}" if taken is not None else ""
        by = f", by {clean(execution.by)}" if execution.by else ""
        rows.append(("Started", moment(execution.started) + spent + by))
    if execution.selected:
        from_ = f", results of others from {execution_id(execution.source)}"
        listed = ", ".join(execution.selected)
        rows.append(("Only", listed + (from_ if execution.source else "")))
    rows.append(("Status", state(execution.status)))
    yield from columns(rows)
    if execution.failure:
        for text in execution.failure.splitlines():
            yield f"  {safe(text)}"


def step_table(execution: Execution, definition: Definition | None) -> Iterator[str]:
    """Write the steps: those that have begun, and those that the definition has besides."""
    rows = [
        (MARKS.get(step.status, "·"), step.label, *step_cells(step)) for step in execution.steps
    ]
    rows += [("·", name, waiting(execution), "", "") for name in unbegun(execution, definition)]
    yield from columns(rows, indent="  ", right=(3,))


def step_cells(step: StepRecord) -> tuple[str, str, str]:
    """Write a step's state, how long it took, and what is notable."""
    seconds = step.seconds(now())
    spent = duration(seconds) if seconds is not None else ""
    if step.cached_from:
        spent = ""
    return step_state(step), spent, step_note(step)


def step_state(step: StepRecord) -> str:
    """Write a step's state in a word."""
    if step.status == "Succeeded" and (step.cached_from or step.selected_from):
        return "reused"
    return state(step.status)


def step_note(step: StepRecord) -> str:
    """Write what is notable of a step, on one line."""
    notes = []
    if step.cached_from or step.selected_from:
        notes.append(f"from {execution_id(step.cached_from or step.selected_from)}")
    if step.outcome:
        notes.append(step.outcome.lower())
    if step.attempts > 1:
        notes.append(f"attempt {step.attempts}")
    if step.failure:
        notes.append(safe(step.failure.splitlines()[0]))
    return ", ".join(notes)


def unbegun(execution: Execution, definition: Definition | None) -> list[str]:
    """Return the names of the steps that have not begun."""
    if definition is None:
        return []
    begun = {step.name for step in execution.steps}
    chosen = set(execution.selected)
    return [
        step.name
        for step in definition.steps
        if step.name not in begun and (not chosen or step.name in chosen)
    ]


def waiting(execution: Execution) -> str:
    """Say of steps that have not begun what they do."""
    return "not run" if execution.is_over else "waiting"


def closing(execution: Execution) -> str:
    """Write the sentence that ends an execution."""
    spent = execution.seconds(now())
    reused = sum(1 for step in execution.steps if step.cached_from or step.selected_from)
    count = plural(len(execution.steps), "step") + (f", {reused} reused" if reused else "")
    took = f" in {duration(spent)}" if spent is not None else ""
    return f"{state(execution.status).capitalize()}{took} ({count})"


def failure(
    step: StepRecord, tail: Sequence[Line], place: str, logs: str, region: str
) -> Iterator[str]:
    """Write why a step failed.

    Args:
        tail: the last lines of its log.
        place: where the step was written; empty where that is not known.
        logs: the command that prints the whole log.
        region: where it ran.
    """
    reason = [safe(text) for text in step.failure.splitlines()] or ["no reason was given"]
    yield ""
    yield f"{step.label} failed" + (f"  {place}" if place else "")
    for text in reason:
        yield f"  {text}"
    for line in tail:
        yield f"  | {clean(line.text)}"
    if tail:
        yield f"  The whole log: {logs}"
    for job in step.jobs:
        if job.note:
            yield f"  {job.kind}: {clean(job.note)}"
        url = console_url(job) or log_url(job, region)
        if url:
            yield f"  {url}"


def document(execution: Execution, definition: Definition | None = None) -> dict[str, Any]:
    """Return an execution as one JSON document."""
    at = now()
    return {
        "arn": execution.arn,
        "id": execution.id,
        "pipeline": execution.pipeline,
        "status": execution.status,
        "name": execution.name,
        "description": execution.description,
        "started": stamp(execution.started),
        "ended": stamp(execution.changed) if execution.is_over else None,
        "seconds": execution.seconds(at),
        "failure": redact(execution.failure),
        "version": execution.version,
        "aliases": list(execution.aliases),
        "source": execution.source,
        "selected": list(execution.selected),
        "by": execution.by,
        "role": execution.role,
        "parallel": execution.parallel,
        "parameters": masked(execution.parameters),
        "steps": [_step_document(step, at, execution.region) for step in execution.steps],
        "unbegun": unbegun(execution, definition),
    }


def _step_document(step: StepRecord, at: datetime, region: str) -> Mapping[str, Any]:
    return {
        "name": step.name,
        "label": step.label,
        "status": step.status,
        "started": stamp(step.started),
        "ended": stamp(step.ended),
        "seconds": step.seconds(at),
        "failure": redact(step.failure),
        "attempts": step.attempts,
        "cachedFrom": step.cached_from,
        "selectedFrom": step.selected_from,
        "outcome": step.outcome,
        "jobs": [
            {
                "kind": job.kind,
                "name": job.name,
                "arn": job.arn,
                "logGroup": job.group,
                "console": console_url(job) or log_url(job, region),
            }
            for job in step.jobs
        ],
    }


def stamp(when: datetime | None) -> str | None:
    """Write a time for machines."""
    return when.astimezone(timezone.utc).isoformat() if when is not None else None
