"""Numbers and files that the jobs of a step left behind."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.definition import Step
from pipelines.local.history import StepRecord
from pipelines.local.places import at, listed, output_uris
from pipelines.local.store import Store

MAX_METRICS = 60
MAX_FILES = 5_000
_MAX_JSON = 2 * 1024 * 1024


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
            path = place_of(f"{uris[file.output].rstrip('/')}/{file.path}", store)
            found.update(_numbers(path))
    return dict(list(found.items())[:MAX_METRICS])


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


def place_of(uri: str, store: Store) -> Path | None:
    """Return where an object or prefix lies in the store; None outside of it."""
    if not uri.startswith("s3://"):
        return None
    path = store.objects / uri[5:].rstrip("/")
    inside = path.resolve().is_relative_to(store.objects.resolve())
    return path if inside else None


def files_below(path: Path) -> Iterator[Path]:
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
