"""Whether a plan's calls are about what the plan shows: a saved one may have been changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.cloud.client import Place
from pipelines.cloud.plan import Call, Plan
from pipelines.cloud.schedules import PIPELINE_ARN
from pipelines.errors import UsageError


def check_calls(plan: Plan, place: Place) -> None:
    """Refuse a plan that would touch more than the pipelines and the bucket it is for.

    Raises:
        UsageError: a call or an upload is about something else.
    """
    for upload in plan.uploads:
        if not str(upload.uri).startswith(f"{place.root}/"):
            raise _foreign(f"uploads to {upload.uri}", place.environment)
    for call in plan.before:
        if call.operation != "scheduler:CreateScheduleGroup":
            raise _foreign(f"calls {call.operation} before its pipelines", place.environment)
    for each in plan.changed:
        for call in each.calls:
            if not _is_about(call, each.name, plan, place):
                raise _foreign(
                    f"lists {call.operation} of something else under `{each.name}`",
                    place.environment,
                )


def _is_about(call: Call, name: str, plan: Plan, place: Place) -> bool:
    request: Any = call.request
    if not isinstance(request, Mapping):
        return False
    if call.operation == "s3:PutObject":
        return _is_ours(request, "Key", place)
    if call.operation.startswith("scheduler:"):
        target = request.get("Target", {"Arn": PIPELINE_ARN})
        of = target.get("Arn") if isinstance(target, Mapping) else None
        return request.get("GroupName") == plan.group and _is_arn(of, name, plan)
    given = request.get("PipelineDefinitionS3Location")
    if given is not None and not (
        isinstance(given, Mapping) and _is_ours(given, "ObjectKey", place)
    ):
        return False
    if "PipelineName" in request:
        return bool(request["PipelineName"] == name)
    return _is_arn(request.get("PipelineArn") or request.get("ResourceArn"), name, plan)


def _is_ours(request: Mapping[str, Any], key: str, place: Place) -> bool:
    return f"s3://{request.get('Bucket')}/{request.get(key)}".startswith(f"{place.root}/")


def _is_arn(arn: Any, name: str, plan: Plan) -> bool:
    # The service writes names in small letters into ARNs.
    ours = f":sagemaker:{plan.region}:{plan.account}:pipeline/{name}".lower()
    return arn == PIPELINE_ARN or (isinstance(arn, str) and arn.lower().endswith(ours))


def _foreign(what: str, environment: str) -> UsageError:
    return UsageError(
        f"the plan {what}, which a plan for `{environment}` does not; nothing was written",
        "the file was changed since it was made: make a new one with `sagedag plan --out FILE`",
    )
