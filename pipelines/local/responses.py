"""What the store holds, in the shapes of the SageMaker API's responses (botocore's models)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.local.encoding import moment
from pipelines.local.history import ExecutionRecord, StepRecord
from pipelines.local.registry import GroupRecord, PackageRecord

# A local run has no IAM identity; the shapes ask for the structure only.
NOBODY: dict[str, Any] = {}

# [U] Longest failure reason of DescribePipelineExecution (botocore: 1300) and of a step (1024).
MAX_EXECUTION_REASON = 1300
MAX_STEP_REASON = 1024


def describe_execution(record: ExecutionRecord) -> dict[str, Any]:
    """Return the response of DescribePipelineExecution."""
    response: dict[str, Any] = {
        "PipelineArn": record.pipeline_arn,
        "PipelineExecutionArn": record.arn,
        "PipelineExecutionDisplayName": f"execution-{int(record.started * 1000)}",
        "PipelineExecutionStatus": record.status,
        "CreationTime": moment(record.started),
        "LastModifiedTime": moment(record.ended or record.started),
        "CreatedBy": NOBODY,
        "LastModifiedBy": NOBODY,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": record.parallelism},
    }
    if record.experiment:
        response["PipelineExperimentConfig"] = dict(record.experiment)
    if record.failure_reason:
        response["FailureReason"] = record.failure_reason[:MAX_EXECUTION_REASON]
    return response


def summarise_execution(record: ExecutionRecord) -> dict[str, Any]:
    """Return one entry of ListPipelineExecutions."""
    summary: dict[str, Any] = {
        "PipelineExecutionArn": record.arn,
        "StartTime": moment(record.started),
        "PipelineExecutionStatus": record.status,
        "PipelineExecutionDisplayName": f"execution-{int(record.started * 1000)}",
    }
    if record.failure_reason:
        summary["PipelineExecutionFailureReason"] = record.failure_reason
    return summary


def list_executions(records: Iterable[ExecutionRecord]) -> dict[str, Any]:
    """Return the response of ListPipelineExecutions."""
    return {"PipelineExecutionSummaries": [summarise_execution(record) for record in records]}


def describe_step(record: StepRecord) -> dict[str, Any]:
    """Return one entry of ListPipelineExecutionSteps."""
    step: dict[str, Any] = {
        "StepName": record.name,
        "StartTime": moment(record.started),
        "StepStatus": record.status,
        "Metadata": record.metadata or {},
        "AttemptCount": record.attempts,
    }
    if record.display_name:
        step["StepDisplayName"] = record.display_name
    if record.description:
        step["StepDescription"] = record.description
    if record.ended is not None:
        step["EndTime"] = moment(record.ended)
    if record.cache_source:
        step["CacheHitResult"] = {"SourcePipelineExecutionArn": record.cache_source}
    if record.selective_source:
        step["SelectiveExecutionResult"] = {"SourcePipelineExecutionArn": record.selective_source}
    if record.iteration:
        step["IterationContext"] = dict(record.iteration)
    if record.failure_reason:
        step["FailureReason"] = record.failure_reason[:MAX_STEP_REASON]
    return step


def list_parameters(record: ExecutionRecord) -> dict[str, Any]:
    """Return the response of ListPipelineParametersForExecution."""
    return {
        "PipelineParameters": [
            {"Name": name, "Value": value} for name, value in record.parameters.items()
        ]
    }


def list_groups(records: Iterable[GroupRecord]) -> dict[str, Any]:
    """Return the response of ListModelPackageGroups."""
    return {
        "ModelPackageGroupSummaryList": [
            {
                "ModelPackageGroupName": record.name,
                "ModelPackageGroupArn": record.arn,
                "CreationTime": moment(record.created),
                "ModelPackageGroupStatus": "Completed",
            }
            for record in records
        ]
    }


def list_packages(records: Iterable[PackageRecord]) -> dict[str, Any]:
    """Return the response of ListModelPackages."""
    keys = (
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "ModelPackageStatus",
        "ModelApprovalStatus",
    )
    return {
        "ModelPackageSummaryList": [
            {key: record.description[key] for key in keys if key in record.description}
            for record in records
        ]
    }
