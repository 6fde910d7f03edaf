"""Numbers and pictures that jobs left behind."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.definition import Step
from pipelines.local.history import StepRecord
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
MAX_METRICS = 60
MAX_EXCERPTS = 3
EXCERPT_LINES = 10
_LINE = 400
_MAX_TEXT = 16 * 1024 * 1024
MAX_FILES = 5_000
_MAX_JSON = 2 * 1024 * 1024


def outputs_of(step: StepRecord, store: Store) -> tuple[Output, ...]:
    """Return a step's outputs as far as they lie on this machine."""
    made = []
    for name, uri in output_uris(step):
        path = _place(uri, store)
        files = list(_files(path)) if path is not None else []
        size = sum(file.stat().st_size for file in files)
        made.append(Output(name, uri, str(path or ""), len(files), size))
    return tuple(made)


def metrics_of(record: StepRecord, step: Step | None, store: Store) -> dict[str, float]:
    """Return what a training job reported, and the numbers in a step's property files."""
    found: dict[str, float] = {}
    told = record.properties if isinstance(record.properties, Mapping) else {}
    for metric in listed(told, "FinalMetricDataList"):
        _put(found, str(metric.get("MetricName")), metric.get("Value"))
    best = at(told, "BestTrainingJob", "FinalHyperParameterTuningJobObjectiveMetric")
    if isinstance(best, Mapping):
        _put(found, str(best.get("MetricName")), best.get("Value"))
    uris = dict(output_uris(record))
    for file in step.property_files if step is not None else ():
        if file.output in uris:
            path = _place(f"{uris[file.output].rstrip('/')}/{file.path}", store)
            found.update(_numbers(path))
    return dict(list(found.items())[:MAX_METRICS])


def pictures_of(step: StepRecord, store: Store) -> tuple[Picture, ...]:
    """Return the pictures in a step's outputs."""
    made: list[Picture] = []
    for name, uri in output_uris(step):
        folder = _place(uri, store)
        for file in _files(folder) if folder is not None else ():
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
        folder = _place(uri, store)
        for file in _files(folder) if folder is not None else ():
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


def _put(found: dict[str, float], name: str, value: Any) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        found[name] = float(value)


def _numbers(path: Path | None) -> dict[str, float]:
    """Return the numbers of a JSON file, by their paths."""
    try:
        if path is None or not path.is_file() or path.stat().st_size > _MAX_JSON:
            return {}
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    found: dict[str, float] = {}
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting and len(found) < MAX_METRICS:
        name, value = waiting.pop(0)
        if not isinstance(value, Mapping):
            _put(found, name, value)
        elif isinstance(value.get("value"), int | float):
            # Model Monitor's form of a metric: its deviation is a detail of the file.
            _put(found, name, value["value"])
        else:
            prefix = f"{name}." if name else ""
            waiting[:0] = [(f"{prefix}{key}", each) for key, each in value.items()]
    return found


def _place(uri: str, store: Store) -> Path | None:
    """Return where an object or prefix lies in the store; None outside of it."""
    if not uri.startswith("s3://"):
        return None
    path = store.objects / uri[5:].rstrip("/")
    inside = path.resolve().is_relative_to(store.objects.resolve())
    return path if inside else None


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files below a folder, in order; links are not followed."""
    if path.is_file() and not path.is_symlink():
        yield path
        return
    if not path.is_dir():
        return
    for count, file in enumerate(sorted(path.rglob("*"))):
        if count >= MAX_FILES:
            return
        if file.is_file() and not file.is_symlink():
            yield file
