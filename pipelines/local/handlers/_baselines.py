"""The baselines that checks compare with, and what becomes of a comparison.

Sources: Amazon SageMaker Developer Guide, "Baseline calculation, drift detection and lifecycle with
ClarifyCheck and QualityCheck steps"; API Reference, QualityCheckStepMetadata and
ClarifyCheckStepMetadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import SagedagError, UsageError
from pipelines.local.handlers._contract import StepContext, StepError
from pipelines.local.handlers._jobs import dig
from pipelines.local.registry import Registry

BASELINES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "DATA_QUALITY": {
        "statistics": ("ModelDataQuality", "Statistics"),
        "constraints": ("ModelDataQuality", "Constraints"),
    },
    "MODEL_QUALITY": {
        "statistics": ("ModelQuality", "Statistics"),
        "constraints": ("ModelQuality", "Constraints"),
    },
    "DATA_BIAS": {"constraints": ("Bias", "PreTrainingConstraints")},
    "MODEL_BIAS": {"constraints": ("Bias", "PostTrainingConstraints")},
    "MODEL_EXPLAINABILITY": {"constraints": ("Explainability", "Constraints")},
}
"""Where a version's DriftCheckBaselines have the files of each check."""

VIOLATIONS = "constraint_violations.json"
MAX_REASON = 3072
"""Longest FailureReason of a step (botocore: FailureReason of PipelineExecutionStep)."""

_SHOWN = 20


@dataclass(frozen=True)
class Check:
    """What a check step's members say.

    Attributes:
        kind: the service's word: ``DATA_QUALITY``, ….
        skip: compare with nothing.
        fail: whether a violation fails the step.
        register: whether what was calculated becomes what later checks compare with.
        group: the model package group; may be empty.
        previous: the URIs of the baseline by file; empty where there is none.
    """

    kind: str
    skip: bool
    fail: bool
    register: bool
    group: str
    previous: Mapping[str, str]


def read_check(members: Mapping[str, Any], registry: Registry) -> Check:
    """Read a check's members, and find the baseline: the one supplied, else the registry's."""
    kind = str(members.get("CheckType", ""))
    group = str(members.get("ModelPackageGroupName") or "")
    supplied = {
        file: str(members[name])
        for file, name in (
            ("statistics", "SuppliedBaselineStatistics"),
            ("constraints", "SuppliedBaselineConstraints"),
        )
        if members.get(name)
    }
    return Check(
        kind,
        _flag(members.get("SkipCheck"), default=False),
        _flag(members.get("FailOnViolation"), default=True),
        _flag(members.get("RegisterNewBaseline"), default=False),
        group,
        supplied or _registered(kind, group, registry),
    )


def _flag(value: object, *, default: bool) -> bool:
    """Read a boolean; a parameter may have it as text."""
    if value is None:
        return default
    return value.strip().lower() == "true" if isinstance(value, str) else bool(value)


def _registered(kind: str, group: str, registry: Registry) -> dict[str, str]:
    """Return the drift-check baselines of a group's latest approved version.

    Source: Developer Guide, as above: the latest approved model package of the group. [U] A latest
    version without baselines of this check has none; older ones are not asked.
    """
    name = group.partition(":model-package-group/")[2] if group.startswith("arn:") else group
    if not name:
        return {}
    try:
        versions = registry.packages(name)
    except UsageError:
        return {}
    latest = next((version for version in versions if version.approval == "Approved"), None)
    if latest is None:
        return {}
    found = {
        file: dig(latest.description, "DriftCheckBaselines", *path, "S3Uri")
        for file, path in BASELINES.get(kind, {}).items()
    }
    return {file: uri for file, uri in found.items() if isinstance(uri, str)}


def missing_baseline(check: Check) -> str:
    """Say why a check has nothing to compare with, or to hand on; empty where it has some.

    Source: QualityCheckStepMetadata: where SkipCheck or RegisterNewBaseline is false, the previous
    baseline of the check's type must be available.
    """
    if "constraints" in check.previous or (check.skip and check.register):
        return ""
    where = (
        f"the group `{check.group}` has no approved version with {_words(check)}"
        if check.group
        else "no model package group is named and no baseline supplied"
    )
    return (
        f"there is no baseline for the check {check.kind}: {where}. A first run calculates one and "
        "compares nothing: SkipCheck (skip_check) and RegisterNewBaseline (register_new_baseline) "
        "both true; RegisterModel (checks) puts it into the version, which counts once it "
        "is approved (approval: Approved)"
    )


def _words(check: Check) -> str:
    path = BASELINES.get(check.kind, {}).get("constraints", ("?",))
    return "DriftCheckBaselines." + ".".join(path)


def read_violations(uri: str, context: StepContext) -> list[dict[str, Any]]:
    """Read what a check's job found.

    Raises:
        StepError: there is no report, or it is none.
    """
    try:
        found = json.loads(context.objects.get(uri))["violations"]
    except (SagedagError, OSError) as error:
        raise StepError(f"the check left no report: {error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise StepError(f"{uri} is no report of violations") from None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def say_violations(found: list[dict[str, Any]], uri: str) -> str:
    """Say which constraints are broken."""
    lines = [f"- {_where(each)}: {each.get('description', '')}" for each in found[:_SHOWN]]
    more = f"\n- and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    several = "1 violation" if len(found) == 1 else f"{len(found)} violations"
    text = f"{several} of the baseline's constraints ({uri}):\n" + "\n".join(lines) + more
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"


def _where(violation: Mapping[str, Any]) -> str:
    """Name what a violation is about: a column, a metric, a facet's metric, a label."""
    parts = [
        violation.get(name)
        for name in ("feature_name", "facet", "facet_value", "label", "metric_name")
    ]
    check = violation.get("constraint_check_type", "")
    return " ".join([*(str(part) for part in parts if part), f"({check})"])
