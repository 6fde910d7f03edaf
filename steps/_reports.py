"""Reports of a model version: its metrics, what monitors compare with, and checks that fill them.

Standard library only. Which property of a check goes where is the Developer Guide's, "Baseline
calculation, drift detection and lifecycle with ClarifyCheck and QualityCheck steps".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Field, Fill, Problem, Step
from steps._expressions import Path
from steps._jobs import Arguments, present

Groups = Mapping[str, tuple[str, tuple[str, ...]]]
"""Kinds of reports: the API's name of each, and its files."""

SOURCES: Groups = {
    "model_quality": ("ModelQuality", ("statistics", "constraints")),
    "model_data_quality": ("ModelDataQuality", ("statistics", "constraints")),
    "bias": ("Bias", ("report", "pre_training_report", "post_training_report")),
    "explainability": ("Explainability", ("report",)),
}
BASELINES: Groups = {
    "bias": ("Bias", ("config_file", "pre_training_constraints", "post_training_constraints")),
    "explainability": ("Explainability", ("config_file", "constraints")),
    "model_quality": ("ModelQuality", ("statistics", "constraints")),
    "model_data_quality": ("ModelDataQuality", ("statistics", "constraints")),
}

_OF_CHECKS: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, str]]] = {
    "data_quality": (
        "model_data_quality",
        {"statistics": "statistics", "constraints": "constraints"},
        {"statistics": "statistics", "constraints": "constraints"},
    ),
    "model_quality": (
        "model_quality",
        {"statistics": "statistics", "constraints": "constraints"},
        {"statistics": "statistics", "constraints": "constraints"},
    ),
    "data_bias": (
        "bias",
        {"pre_training_report": "constraints"},
        {"pre_training_constraints": "constraints", "config_file": "config"},
    ),
    "model_bias": (
        "bias",
        {"post_training_report": "constraints"},
        {"post_training_constraints": "constraints", "config_file": "config"},
    ),
    "model_explainability": (
        "explainability",
        {"report": "constraints"},
        {"constraints": "constraints", "config_file": "config"},
    ),
}
"""By check: the kind of report, its files among the metrics and among the baselines, each with what
the check has for it."""

CHECKS = Field(
    f.listing(
        "Check steps, by name or glob, whose results fill `metrics` and `drift_check_baselines` "
        "where nothing is written there.",
        f.text("A QualityCheck or ClarifyCheck step's name, or a glob.", "*-quality", literal=True),
        ["data-quality", "data-bias"],
        minItems=1,
    )
)


def reports_field(description: str, api: str, groups: Groups) -> Field:
    """Return the field ``metrics`` or ``drift_check_baselines``."""
    parts = {
        name: f.block(
            f"{api_name} files.",
            {
                kind: f.s3(f"S3 URI of the {kind.replace('_', ' ')}.", "s3://bucket/report.json")
                for kind in kinds
            },
            {kinds[0]: "s3://bucket/report.json"},
        )
        for name, (api_name, kinds) in groups.items()
    }
    example = {"model_quality": {"statistics": "s3://bucket/m.json"}}
    return Field(f.block(description, parts, example), api=api)


def reports(given: Any, groups: Groups) -> Arguments:
    """Return ModelMetrics or DriftCheckBaselines: every URI becomes a source with its type."""
    made: Arguments = {}
    for name, files in (given or {}).items():
        api, _ = groups[name]
        made[api] = {
            "".join(part.title() for part in kind.split("_")): present(
                ContentType=None if kind == "config_file" else "application/json", S3Uri=uri
            )
            for kind, uri in files.items()
        }
    return made


def fills(field: str, checks: Sequence[Step]) -> Iterator[Fill | Problem]:
    """Yield what check steps fill in, and which of them fill nothing.

    Args:
        field: the field that names the steps; problems are told at its items.
    """
    givers: dict[Path, Step] = {}
    for index, step in enumerate(checks):
        check = str(step.fields.get("check", ""))
        if step.kind not in ("QualityCheck", "ClarifyCheck"):
            message = f"`{step.name}` is a {step.kind} step, which checks nothing"
            hint = "name QualityCheck and ClarifyCheck steps"
            yield Problem("bad-value", (field, index), message, hint)
            continue
        if check not in _OF_CHECKS:
            continue  # which is told at the check
        group, metrics, baselines = _OF_CHECKS[check]
        twin = next((s for s in checks[:index] if s.fields.get("check") == check), None)
        if twin is not None:
            yield Problem(
                "either-or",
                (field, index),
                f"`{twin.name}` and `{step.name}` are both checks of {check.replace('_', ' ')}",
                "a version has room for one",
            )
            continue
        for target, files in (("metrics", metrics), ("drift_check_baselines", baselines)):
            for file, source in files.items():
                where = {"metrics": "calculated", "drift_check_baselines": "baseline"}[target]
                word = source if source == "config" else f"{where}.{source}"
                path: Path = (target, group, file)
                # A bias check of the model knows what the one of the data does.
                if path not in givers or check == "model_bias":
                    givers[path] = step
                    yield Fill(path, f"${{steps['{step.name}'].{word}}}", index)
