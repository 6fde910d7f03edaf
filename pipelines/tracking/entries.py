"""What of a step, or of a run, MLflow is told: parameters, metrics, tags, files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.definition import Step
from pipelines.local.history import ExecutionRecord, StepRecord
from pipelines.local.measures import files_below, metrics_of, place_of
from pipelines.local.places import at, listed, output_uris
from pipelines.local.store import Store

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
MAX_FILE = 50 * 1024 * 1024
"""Larger pictures and property files are not copied; models are linked, whatever their size."""

_MAX_TEXT = 6000
"""MLflow's limit for a parameter's value. Source: mlflow.utils.validation, MAX_PARAM_VAL_LENGTH."""


def parameters_of(step: StepRecord) -> dict[str, str]:
    """Return a step's hyperparameters; of a search, those that do not change."""
    asked = step.request if isinstance(step.request, Mapping) else {}
    found = at(asked, "HyperParameters")
    if found is None:
        found = at(asked, "TrainingJobDefinition", "StaticHyperParameters")
    return hyperparameters(found)


def hyperparameters(found: object) -> dict[str, str]:
    """Return hyperparameters without those of script mode; JSON texts lose their quotes."""
    made: dict[str, str] = {}
    for name, value in found.items() if isinstance(found, Mapping) else ():
        if not str(name).startswith(("sagemaker_", "_tuning")):
            made[str(name)] = _decoded(str(value))[:_MAX_TEXT]
    return made


def _decoded(text: str) -> str:
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def measures_of(record: StepRecord, step: Step | None, store: Store) -> dict[str, float]:
    """Return a step's metrics and the numbers of its property files, under names MLflow takes."""
    return {metric_name(name): value for name, value in metrics_of(record, step, store).items()}


def metric_name(name: str) -> str:
    """Return a metric's name in the letters that MLflow allows."""
    return "".join(sign if sign.isalnum() or sign in "_-. :/" else "_" for sign in name)[:250]


def tags_of(record: StepRecord) -> dict[str, str]:
    """Return what else is worth finding a step by."""
    tags = {"sagedag.step": record.name, "sagedag.type": record.type}
    if record.cache_source:
        tags["sagedag.reused_from"] = record.cache_source.rpartition("/")[2]
    if record.attempts > 1:
        tags["sagedag.attempts"] = str(record.attempts)
    if record.failure_reason:
        tags["sagedag.failure"] = record.failure_reason[:1000]
    told = record.properties if isinstance(record.properties, Mapping) else {}
    if "ModelPackageArn" in told:
        version = f"{told.get('ModelPackageGroupName')} version {told.get('ModelPackageVersion')}"
        tags["sagedag.model_package"] = str(told["ModelPackageArn"])
        tags["sagedag.model_version"] = version
    elif "Outcome" in told:
        tags["sagedag.outcome"] = str(told["Outcome"])
    return tags


def files_of(record: StepRecord, step: Step | None, store: Store) -> Iterator[tuple[str, Path]]:
    """Yield the files that MLflow shows of a step: path among its artefacts, place on the disk.

    Property files, pictures, and a model's archive.
    """
    files = {(file.output, file.path) for file in (step.property_files if step else ())}
    for name, uri in output_uris(record):
        place = place_of(uri, store)
        for path in files_below(place) if place is not None else ():
            within = path.name if path == place else path.relative_to(str(place)).as_posix()
            wanted = (name, within) in files or path.suffix.lower() in PICTURES
            if path.name == "model.tar.gz" or (wanted and path.stat().st_size <= MAX_FILE):
                yield f"{name}/{within}", path


def trials_of(record: StepRecord) -> list[Mapping[str, Any]]:
    """Return the training jobs of a search."""
    return listed(record.properties, "TrainingJobSummaries")


def run_tags(record: ExecutionRecord, folder: Path) -> dict[str, str]:
    """Return the tags of a whole run."""
    tags = {"sagedag.run": record.id, "sagedag.pipeline": record.pipeline}
    commit = _commit(folder)
    if commit:
        tags["mlflow.source.git.commit"] = commit
    return {**tags, "sagedag.arn": record.arn, "sagedag.isolation": record.isolation}


def _commit(folder: Path) -> str:
    """Return the commit that a folder is checked out at; empty where there is none."""
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""
