"""What a run came to: for people, and as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.local import responses
from pipelines.local.encoding import plain
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.lineage import Lineage, list_associations
from pipelines.local.places import output_uris
from pipelines.local.registry import Registry
from pipelines.local.store import RESUMED, Store
from pipelines.local.views.words import (
    clean,
    columns,
    duration,
    metric_line,
    plural,
    shown,
    tail,
)


def summary(store: Store, record: ExecutionRecord) -> list[str]:
    """Write how a run ended, what it registered and where its outputs are."""
    steps = History(store).steps(record.id)
    lines = [closing(record, steps)]
    lines += _registered(store, record)
    found = [
        (step, name, shown(path)) for step, name, path in outputs(store, steps) if path.exists()
    ]
    if found:
        lines += ["", "Outputs", *columns(found, indent="  ")]
    return lines


def closing(record: ExecutionRecord, steps: list[StepRecord]) -> str:
    """Write the sentence that ends a run."""
    spent = duration(record.seconds)
    reused = sum(1 for step in steps if step.cache_source)
    ran = plural(len(steps), "step") + (f", {reused} reused" if reused else "")
    words = {"CompletedWithFailures": "Completed with failures"}.get(record.status, record.status)
    return f"{words} in {spent} ({ran})"


def failure(store: Store, record: ExecutionRecord) -> list[str]:
    """Write why a run did not succeed: each failed step, its log's tail and where the log is."""
    lines: list[str] = []
    for step in History(store).steps(record.id):
        if step.status != "Failed":
            continue
        reason = clean_lines(step.failure_reason or "no reason was given")
        lines += ["", f"{step.name} failed: {reason[0]}", *(f"  {text}" for text in reason[1:])]
        log = Path(step.log)
        end = tail(log)
        if RESUMED in end:  # what comes before is of an attempt that was taken back
            end = end[len(end) - end[::-1].index(RESUMED) :]
        if end:
            lines += [f"  | {text}" for text in end]
            lines.append(f"  the whole log: {shown(log)}")
    return lines


def clean_lines(text: str) -> list[str]:
    """Split text that came from outside into lines that are safe to print."""
    return [clean(line) for line in text.splitlines()] or [""]


def _registered(store: Store, record: ExecutionRecord) -> Iterator[str]:
    registry = Registry(store)
    packages, models = registry.packages_of(record.id), registry.models_of(record.id)
    if not packages and not models:
        return
    yield ""
    for package in packages:
        yield f"Registered {package.group} version {package.version} ({package.approval})"
        if package.metrics:
            yield f"  {metric_line(package.metrics)}"
    for model in models:
        yield f"Created model {model.name}"


def outputs(store: Store, steps: list[StepRecord]) -> Iterator[tuple[str, str, Path]]:
    """Find where the outputs of jobs stand: step, output, path."""
    for step in steps:
        if step.status != "Succeeded":
            continue
        for name, uri in output_uris(step):
            if uri.startswith("s3://"):
                yield step.name, name, store.objects / uri[5:].rstrip("/")


def document(store: Store, record: ExecutionRecord) -> dict[str, Any]:
    """Return a run as one JSON document; its parts have the shapes of the API's responses."""
    steps, registry = History(store).steps(record.id), Registry(store)
    lineage = Lineage(store)
    found: dict[str, Any] = plain(
        {
            "run": record.id,
            "pipeline": record.pipeline,
            "status": record.status,
            "store": str(store.folder),
            "isolation": record.isolation,
            "execution": responses.describe_execution(record),
            "parameters": responses.list_parameters(record)["PipelineParameters"],
            "steps": [
                {**responses.describe_step(step), "StepType": step.type, "Log": step.log}
                for step in steps
            ],
            "modelPackages": [
                {**package.description, "Metrics": package.metrics}
                for package in registry.packages_of(record.id)
            ],
            "models": [model.description for model in registry.models_of(record.id)],
            "lineage": {
                "entities": [each.description for each in lineage.entities(execution=record.id)],
                **list_associations(lineage, lineage.associations(execution=record.id)),
            },
            "outputs": [
                {"step": step, "output": name, "path": str(path)}
                for step, name, path in outputs(store, steps)
            ],
        }
    )
    return found
