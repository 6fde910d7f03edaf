"""A training job: channels laid out, the container's command run, model and output stored.

Source of the contract: Amazon SageMaker Developer Guide, "How Amazon SageMaker AI Provides Training
Information" and "How Amazon SageMaker AI Processes Training Output".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.isolation import ML
from pipelines.local.jobs.archive import pack
from pipelines.local.jobs.context import JobContext, JobFailed, JobStopped
from pipelines.local.jobs.material import (
    inside,
    note_instances,
    prepare_folder,
    read_message,
    resource_configuration,
    s3_source,
    write_json,
)
from pipelines.local.jobs.metrics import final_metrics
from pipelines.local.jobs.outputs import LinkLeaves, output_files, upload_output
from pipelines.local.jobs.process import Command, Overdue, run_command
from pipelines.local.jobs.toolkit import training_command

FAILURE_REASON_LENGTH = 1024
"""Longest FailureReason. Source: DescribeTrainingJob."""

_DESCRIBED = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "ExperimentConfig",
    "Environment",
    "RetryStrategy",
)


def run_training(
    request: Mapping[str, Any],
    context: JobContext,
    instead: Callable[[JobContext], Command] | None = None,
) -> dict[str, Any]:
    """Run a training job.

    Args:
        request: the resolved arguments of CreateTrainingJob, judged by its shape already; the
            job's name is the context's.
        context: where and as what it runs.
        instead: prepares and returns another command than the container's, once channels are there.

    Returns:
        The response of DescribeTrainingJob for the completed job.

    Raises:
        JobFailed: it could not be prepared or started, its process failed or ran too long, or its
            model could not be stored; ``description`` is the Describe response.
        JobStopped: the caller cancelled it.
    """
    description = _describe(request, context)
    try:
        _enter(description, "Downloading", "Preparing the job's folder")
        prepare_folder(context)
        _materialise(request, context)
        command = (instead or partial(training_command, request))(context)
        _enter(description, "Training", "Running the job's process")
        description["TrainingStartTime"] = description["LastModifiedTime"]
        context.enter("running")
        _run(command, request, context)
        _enter(description, "Uploading", "Storing the model")
        context.enter("storing")
        _store(request, context)
        metrics = final_metrics(request, context, description["LastModifiedTime"])
        if metrics:
            description["FinalMetricDataList"] = metrics
    except (JobFailed, JobStopped) as ending:
        if isinstance(ending, JobFailed):
            description["FailureReason"] = ending.reason[:FAILURE_REASON_LENGTH]
        if isinstance(ending, Overdue):
            _finish(description, "Stopped", "MaxRuntimeExceeded")
        else:
            _finish(description, "Stopped" if isinstance(ending, JobStopped) else "Failed")
        ending.description = description
        raise
    _finish(description, "Completed")
    return description


def describe_training(request: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """The response of DescribeTrainingJob for a job of which only the results were recorded."""
    description = _describe(request, context)
    _finish(description, "Completed")
    return description


def _run(command: Command, request: Mapping[str, Any], context: JobContext) -> None:
    """Run the process; a failing one may have left its reason, and any one its checkpoints."""
    try:
        code = run_command(command, context)
    finally:
        _store_checkpoints(request, context)
    if code != 0:
        reason = read_message(context.ml / "output" / "failure", FAILURE_REASON_LENGTH)
        raise JobFailed(_failure(code, reason), context.log, code)


def _describe(request: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    described = {name: request[name] for name in _DESCRIBED if name in request}
    output = str(request["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
    now = datetime.now(timezone.utc)
    return {
        **described,
        "TrainingJobName": context.name,
        "TrainingJobArn": context.arn,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "ModelArtifacts": {"S3ModelArtifacts": f"{output}/{context.name}/output/model.tar.gz"},
        "CreationTime": now,
        "LastModifiedTime": now,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": now, "StatusMessage": "Preparing"}
        ],
    }


def _enter(description: dict[str, Any], status: str, message: str) -> None:
    """Go on to the next secondary status."""
    now = datetime.now(timezone.utc)
    transitions = description["SecondaryStatusTransitions"]
    transitions[-1]["EndTime"] = now
    transitions.append({"Status": status, "StartTime": now, "StatusMessage": message})
    description["SecondaryStatus"] = status
    description["LastModifiedTime"] = now


def _finish(description: dict[str, Any], status: str, secondary: str = "") -> None:
    message = description.get("FailureReason", f"Training job {status.lower()}")
    _enter(description, secondary or status, message)
    now = description["LastModifiedTime"]
    description["SecondaryStatusTransitions"][-1]["EndTime"] = now
    description["TrainingJobStatus"] = status
    started = description.get("TrainingStartTime")
    if started is not None:
        description["TrainingEndTime"] = now
        seconds = max(1, round((now - started).total_seconds()))
        description["TrainingTimeInSeconds"] = description["BillableTimeInSeconds"] = seconds


def _failure(code: int, reason: str | None) -> str:
    text = f"AlgorithmError: the job's process ended with exit code {code}"
    return f"AlgorithmError: {reason}, exit code: {code}" if reason else text


def _materialise(request: Mapping[str, Any], context: JobContext) -> None:
    """Write the configuration files, copy the channels, make the output folders."""
    channels = {
        str(channel["ChannelName"]): channel for channel in request.get("InputDataConfig") or ()
    }
    names = {str(name): str(value) for name, value in request.get("HyperParameters", {}).items()}
    write_json(context, "input/config/hyperparameters.json", names)
    write_json(
        context,
        "input/config/inputdataconfig.json",
        {name: _channel_configuration(channel) for name, channel in channels.items()},
    )
    write_json(context, "input/config/resourceconfig.json", resource_configuration(request))
    for folder in ("model", "output/data", "code"):
        (context.ml / folder).mkdir(parents=True, exist_ok=True)
    _fetch_checkpoints(request, context)
    note_instances(context, request.get("ResourceConfig", {}).get("InstanceCount"))
    for name, channel in channels.items():
        if "/" in name or name in ("", ".", "..") or "\0" in name:
            raise JobFailed(f"ClientError: {name!r} cannot be a channel's name", context.log)
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        uri = s3_source(context, source, f"channel {name!r}")
        if channel.get("InputMode", _input_mode(request)) == "Pipe":
            raise JobFailed(
                f"ClientError: channel {name!r} is to be piped; only files can be prepared here",
                context.log,
                hint="Take the input mode File or FastFile.",
            )
        try:
            context.objects.download(uri, context.ml / "input" / "data" / name)
        except (ExecutionFailed, OSError) as problem:
            raise JobFailed(
                f"ClientError: channel {name!r}: {problem}",
                context.log,
                hint=getattr(problem, "hint", ""),
            ) from None


def _input_mode(request: Mapping[str, Any]) -> str:
    return str(request.get("AlgorithmSpecification", {}).get("TrainingInputMode", "File"))


def _channel_configuration(channel: Mapping[str, Any]) -> dict[str, str]:
    source = channel.get("DataSource", {}).get("S3DataSource", {})
    configuration = {
        "TrainingInputMode": channel.get("InputMode", "File"),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        configuration["ContentType"] = channel["ContentType"]
    return configuration


def _checkpoints(request: Mapping[str, Any], context: JobContext) -> tuple[Path, str] | None:
    """The folder of checkpoints and where they are kept between jobs, if the request keeps any.

    Source: API reference, CheckpointConfig: copied from S3 at the start, to S3 as they are written.
    """
    configuration = request.get("CheckpointConfig")
    if not configuration:
        return None
    path = str(configuration.get("LocalPath") or f"{ML}/checkpoints")
    return inside(context, path.rstrip("/"), "checkpoints"), str(configuration["S3Uri"])


def _fetch_checkpoints(request: Mapping[str, Any], context: JobContext) -> None:
    kept = _checkpoints(request, context)
    if kept is None:
        return
    folder, uri = kept
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if context.objects.exists(uri):
            context.objects.download(uri, folder)
    except (ExecutionFailed, OSError) as problem:
        raise JobFailed(f"ClientError: checkpoints: {problem}", context.log) from None


def _store_checkpoints(request: Mapping[str, Any], context: JobContext) -> None:
    kept = _checkpoints(request, context)
    if kept is None:
        return
    try:
        upload_output(*kept, context.objects, context.ml)
    except (ExecutionFailed, LinkLeaves, OSError) as problem:
        raise JobFailed(f"ClientError: checkpoints: {problem}", context.log) from None


def _store(request: Mapping[str, Any], context: JobContext) -> None:
    """Pack and store the model, and the further output if there is any."""
    base = str(request["OutputDataConfig"]["S3OutputPath"]).rstrip("/")
    prefix = f"{base}/{context.name}/output"
    for name, folder in (("model", "model"), ("output", "output/data")):
        archive = context.folder / f"{name}.tar.gz"
        try:
            files = list(output_files(context.ml / folder, context.ml))
            if name == "output" and not files:
                continue
            pack(files, archive)
            context.objects.put(f"{prefix}/{archive.name}", archive)
        except (ExecutionFailed, LinkLeaves, OSError) as problem:
            raise JobFailed(f"ClientError: {folder}: {problem}", context.log) from None
        finally:
            archive.unlink(missing_ok=True)
