"""RegisterModel: CreateModelPackage, into the local registry."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from pipelines.errors import SagedagError
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import dig, each
from pipelines.local.handlers.model import check_container

# Members of the request that the Describe response does not have
# (botocore: DescribeModelPackageOutput).
_NOT_DESCRIBED = ("Tags", "ClientToken", "ModelPackageName", "ModelPackageGroupName")

APPROVALS = ("PendingManualApproval", "Approved", "Rejected")

# The files of ModelMetrics, and what the metrics of each are called in the registry.
_SOURCES = (
    (("ModelQuality", "Statistics"), ""),
    (("ModelDataQuality", "Statistics"), "data."),
    (("Bias", "Report"), "bias."),
    (("Bias", "PreTrainingReport"), "bias.pre."),
    (("Bias", "PostTrainingReport"), "bias.post."),
)

_GROUP_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
MAX_METRICS = 200


class RegisterModelHandler(Handler):
    """Registers a model package version."""

    api_type = "RegisterModel"
    operation = "CreateModelPackage"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Register the next version of the group; its artefacts must exist."""
        group = _group(request)
        approval = request.get("ModelApprovalStatus", APPROVALS[0])
        if approval not in APPROVALS:
            raise StepError(f"ModelApprovalStatus is `{approval}`, none of {', '.join(APPROVALS)}")
        for container in each(dig(request, "InferenceSpecification", "Containers")):
            check_container(container, context)
        description = {
            **{key: value for key, value in request.items() if key not in _NOT_DESCRIBED},
            "ModelApprovalStatus": approval,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": bool(request.get("CertifyForMarketplace", False)),
        }
        record = context.registry.create_package(
            group,
            context.identity.arn(f"model-package-group/{group}"),
            context.identity.execution,
            context.step.name,
            description,
            dict(_metrics(request, context)),
        )
        return StepResult(dict(record.description), {"RegisterModel": {"Arn": record.arn}})


def _group(request: Mapping[str, Any]) -> str:
    given = request.get("ModelPackageGroupName")
    if not isinstance(given, str) or not given:
        raise StepError("the request lacks ModelPackageGroupName")
    name = given.partition(":model-package-group/")[2] if given.startswith("arn:") else given
    if not _GROUP_NAME.fullmatch(name):
        raise StepError(
            f"the model package group `{given}` must be 1 to 63 letters, digits and single hyphens"
        )
    return name


def _metrics(request: Mapping[str, Any], context: StepContext) -> Iterator[tuple[str, float]]:
    """Read the numbers of the files that ModelMetrics names; one that cannot be read is said."""
    for path, prefix in _SOURCES:
        uri = dig(request, "ModelMetrics", *path, "S3Uri")
        if not isinstance(uri, str):
            continue
        try:
            document = json.loads(context.objects.get(uri))
        except (SagedagError, OSError, ValueError, RecursionError) as error:
            context.say(f"metrics of {'.'.join(path)} are left out: {uri}: {error}")
            continue
        for name, value in list(flatten(document))[:MAX_METRICS]:
            yield prefix + name, value


def flatten(document: object) -> Iterator[tuple[str, float]]:
    """Find the numbers of a metrics file.

    Model Monitor's model-quality form, ``{"binary_classification_metrics": {"accuracy": {"value":
    0.97, …}}}``, gives ``accuracy``; other JSON gives its numbers by their dotted paths. Lists,
    curves, confusion matrices and the file's ``version`` are left out.
    """
    if not isinstance(document, Mapping):
        return
    groups = {name: value for name, value in document.items() if _is_group(name, value)}
    for value in groups.values():
        yield from _numbers(value, "")
    yield from _numbers({key: item for key, item in document.items() if key not in groups}, "")


def _is_group(name: object, value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether a member holds Model Monitor's metrics; they come first."""
    return (
        isinstance(value, Mapping)
        and str(name).endswith("_metrics")
        and any(isinstance(item, Mapping) for item in value.values())
    )


def _numbers(value: Mapping[str, Any], prefix: str, depth: int = 0) -> Iterator[tuple[str, float]]:
    for name, item in value.items():
        path = f"{prefix}{name}"
        if "confusion_matrix" in str(name) or str(name).endswith("_curve") or path == "version":
            continue
        number = _number(item.get("value") if isinstance(item, Mapping) else item)
        if number is not None:
            yield path, number
        elif isinstance(item, Mapping) and "value" not in item and depth < 3:
            yield from _numbers(item, path + ".", depth + 1)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
