"""Numbers and pictures that jobs left behind."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from pipelines.local.history import StepRecord
from pipelines.local.measures import files_below, place_of
from pipelines.local.places import at, listed, output_uris
from pipelines.local.store import Store
from pipelines.report.model import Excerpt, Output, Picture, Table

PICTURE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
MAX_PICTURE = 3 * 1024 * 1024
MAX_PICTURES = 12
"""Of one step: the page must stay one that a browser opens at once."""
MAX_EXCERPTS = 3
MAX_VIOLATIONS = 100
EXCERPT_LINES = 10
_LINE = 400
_MAX_TEXT = 16 * 1024 * 1024


def outputs_of(step: StepRecord, store: Store) -> tuple[Output, ...]:
    """Return a step's outputs as far as they lie on this machine."""
    made = []
    for name, uri in output_uris(step):
        path = place_of(uri, store)
        files = list(files_below(path)) if path is not None else []
        if name == "output" and uri.endswith("/output.tar.gz") and not files:
            continue  # a training job need not leave one
        size = sum(file.stat().st_size for file in files)
        made.append(Output(name, uri, str(path or ""), len(files), size))
    return tuple(made)


def pictures_of(step: StepRecord, store: Store) -> tuple[Picture, ...]:
    """Return the pictures in a step's outputs."""
    made: list[Picture] = []
    for name, uri in output_uris(step):
        folder = place_of(uri, store)
        for file in files_below(folder) if folder is not None else ():
            kind = PICTURE_TYPES.get(file.suffix.lower())
            if kind is None or file.stat().st_size > MAX_PICTURE:
                continue
            data = base64.b64encode(file.read_bytes()).decode()
            shown = file.name if file == folder else file.relative_to(str(folder)).as_posix()
            made.append(Picture(shown, name, f"data:{kind};base64,{data}"))
            if len(made) == MAX_PICTURES:
                return tuple(made)
    return tuple(made)


def excerpts_of(step: StepRecord, store: Store) -> tuple[Excerpt, ...]:
    """Return the first predictions of a batch transform."""
    if step.type != "Transform":
        return ()
    made: list[Excerpt] = []
    for _, uri in output_uris(step):
        folder = place_of(uri, store)
        for file in files_below(folder) if folder is not None else ():
            if len(made) == MAX_EXCERPTS or file.stat().st_size > _MAX_TEXT:
                break
            lines = file.read_bytes().decode("utf-8", "replace").splitlines()
            shown = "\n".join(line[:_LINE] for line in lines[:EXCERPT_LINES])
            made.append(Excerpt(file.name, shown, len(lines)))
    return tuple(made)


def jobs_table(step: StepRecord) -> Table | None:
    """Return the training jobs of a tuning step, the best first."""
    told = step.properties if isinstance(step.properties, Mapping) else {}
    jobs = listed(told, "TrainingJobSummaries")
    if not jobs:
        return None
    names = list(dict.fromkeys(name for job in jobs for name in job["TunedHyperParameters"]))
    metric = at(told, "HyperParameterTuningJobConfig", "HyperParameterTuningJobObjective") or {}
    head = (*names, str(metric.get("MetricName") or "objective"), "state")
    rows = []
    for job in jobs:
        value = at(job, "FinalHyperParameterTuningJobObjectiveMetric", "Value")
        shown = f"{value:.6g}" if isinstance(value, float | int) else "-"
        values = [str(job["TunedHyperParameters"].get(name, "")) for name in names]
        rows.append((*values, shown, str(job.get("TrainingJobStatus"))))
    return Table(f"{len(jobs)} training jobs, the best first", head, tuple(rows))


def violations_table(step: StepRecord, store: Store) -> Table | None:
    """Return what a check found against its baseline.

    Source: Developer Guide, "Schema for Violations (constraint_violations.json file)".
    """
    told = step.metadata if isinstance(step.metadata, Mapping) else {}
    uris = [part.get("ViolationReport") for part in told.values() if isinstance(part, Mapping)]
    uri = next((uri for uri in uris if isinstance(uri, str)), "")
    path = place_of(uri, store) if uri else None
    try:
        found = listed(json.loads(path.read_bytes()), "violations") if path is not None else []
    except (OSError, ValueError, RecursionError):
        return None
    if not found:
        return None
    what = ("feature_name", "facet", "facet_value", "label", "metric_name")
    rows = tuple(
        (
            " ".join(str(each[name]) for name in what if each.get(name)),
            str(each.get("constraint_check_type", "")),
            str(each.get("description", "")),
        )
        for each in found[:MAX_VIOLATIONS]
    )
    count = "1 violation" if len(found) == 1 else f"{len(found)} violations"
    return Table(f"{count} of the baseline's constraints", ("of", "check", "what"), rows)
