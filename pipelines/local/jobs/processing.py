"""A processing job: inputs laid out, the container's command run, outputs stored.

Source of the contract: Amazon SageMaker Developer Guide, "How Amazon SageMaker Processing runs your
processing container image" and "Build your own processing container".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.isolation import Container
from pipelines.local.jobs.archive import ArchiveRefused, unpack
from pipelines.local.jobs.context import JobContext, JobFailed, JobStopped
from pipelines.local.jobs.drivers import find_processing_driver
from pipelines.local.jobs.images import parse_image
from pipelines.local.jobs.interpreters import Interpreter
from pipelines.local.jobs.material import (
    HOST,
    NETWORK_INTERFACE,
    inside,
    note_instances,
    prepare_folder,
    read_message,
    s3_source,
    write_json,
)
from pipelines.local.jobs.outputs import LinkLeaves, upload_output
from pipelines.local.jobs.process import Command, Overdue, run_command

EXIT_MESSAGE_LENGTH = 1024
"""How much of ``/opt/ml/output/message`` becomes the ExitMessage. Source: DescribeProcessingJob."""

WORKING_DIRECTORY = "/tmp"  # noqa: S108 - the job's own
"""**[U]** The images' working directory; a job may rely on nothing but its being writable."""

_DESCRIBED = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)


def run_processing(
    request: Mapping[str, Any],
    context: JobContext,
    instead: Callable[[JobContext], Command] | None = None,
) -> dict[str, Any]:
    """Run a processing job.

    Args:
        request: the resolved arguments of CreateProcessingJob, judged by its shape already; the
            job's name is the context's.
        context: where and as what it runs.
        instead: prepares and returns another command than the container's, once inputs are there.

    Returns:
        The response of DescribeProcessingJob for the completed job.

    Raises:
        JobFailed: it could not be prepared or started, its process failed or ran too long, or its
            outputs could not be stored; ``description`` is the Describe response.
        JobStopped: the caller cancelled it.
    """
    created = datetime.now(timezone.utc)
    description = _describe(request, context, created)
    try:
        command = _command(request, context) if instead is None else None
        prepare_folder(context)
        _materialise(request, context)
        if instead is not None:
            command = _limited(instead(context), request)
        assert command is not None
        if not context.isolation.runs_images:
            command = replace(command, interpreter=_interpreter(request, context))
        description["ProcessingStartTime"] = datetime.now(timezone.utc)
        context.enter("running")
        _run(command, context, description)
        context.enter("storing")
        _store_outputs(request, context)
    except (JobFailed, JobStopped) as ending:
        stopped = isinstance(ending, (JobStopped, Overdue))
        _end(description, "Stopped" if stopped else "Failed")
        if isinstance(ending, JobFailed):
            description["FailureReason"] = ending.reason[:EXIT_MESSAGE_LENGTH]
        ending.description = description
        raise
    _end(description, "Completed")
    return description


def _interpreter(request: Mapping[str, Any], context: JobContext) -> Interpreter:
    """The Python for the image, with what the code beside the script asks for.

    The SDK's processors of frameworks put the code there, as a folder or as one archive.
    """
    code = context.ml / "processing/input/code"
    listed = [code / "requirements.txt"]
    archive = code / "sourcedir.tar.gz"
    if context.environments.name != "current" and archive.is_file():
        # Unpacked once more, for its requirements alone: the job unpacks it itself.
        unpacked = context.folder / "source"
        try:
            unpack(archive, unpacked)
        except ArchiveRefused as problem:
            raise JobFailed(f"ClientError: the code: {problem}", context.log) from None
        listed.append(unpacked / "requirements.txt")
    image = str(request.get("AppSpecification", {}).get("ImageUri", ""))
    return context.environments.interpreter(image, listed, context, installs_itself=True)


def describe_processing(request: Mapping[str, Any], context: JobContext) -> dict[str, Any]:
    """The response of DescribeProcessingJob for a job of which only the results were recorded."""
    now = datetime.now(timezone.utc)
    description = _describe(request, context, now)
    description["ProcessingStartTime"] = now
    _end(description, "Completed")
    return description


def _run(command: Command, context: JobContext, description: dict[str, Any]) -> None:
    """Run the process and take the message it left."""
    code = run_command(command, context)
    message = read_message(context.ml / "output" / "message", EXIT_MESSAGE_LENGTH)
    if message:
        description["ExitMessage"] = message
    if code != 0:
        raise JobFailed(_failure(code, message), context.log, code)


def _describe(request: Mapping[str, Any], context: JobContext, created: datetime) -> dict[str, Any]:
    described = {name: request[name] for name in _DESCRIBED if name in request}
    return {
        **described,
        "ProcessingJobName": context.name,
        "ProcessingJobArn": context.arn,
        "ProcessingJobStatus": "InProgress",
        "CreationTime": created,
        "LastModifiedTime": created,
    }


def _end(description: dict[str, Any], status: str) -> None:
    now = datetime.now(timezone.utc)
    description["ProcessingJobStatus"] = status
    description["ProcessingEndTime"] = description["LastModifiedTime"] = now


def _failure(code: int, message: str | None) -> str:
    reason = f"AlgorithmError: the job's process ended with exit code {code}"
    return f"{reason}: {message}" if message else reason


def _command(request: Mapping[str, Any], context: JobContext) -> Command:
    """What the container would run, by Docker's rules: entry point, then arguments.

    Raises:
        JobFailed: the request leaves the entry point to the image, which is not here.
    """
    application = request.get("AppSpecification", {})
    entry = [str(part) for part in application.get("ContainerEntrypoint") or ()]
    arguments = [str(part) for part in application.get("ContainerArguments") or ()]
    uri = str(application.get("ImageUri", ""))
    container = Container(uri, tuple(entry), tuple(arguments))
    if not entry and not context.isolation.runs_images:
        image = parse_image(str(application.get("ImageUri", "")))
        driver = find_processing_driver(image, request)
        if driver is not None:
            return _limited(driver.command(request, context), request)
        raise JobFailed(
            f"ImageNotRunnable: the request has no ContainerEntrypoint, and what the image "
            f"{image.name!r} runs by itself is not known on this machine",
            context.log,
            hint="Give AppSpecification.ContainerEntrypoint, as ['python3', '/opt/ml/processing/"
            "input/code/script.py'], or run with --job-env docker, or name a stand-in for this "
            "image in the handlers file.",
        )
    command = Command((*entry, *arguments), {}, WORKING_DIRECTORY, None, container=container)
    return _limited(command, request)


def _limited(command: Command, request: Mapping[str, Any]) -> Command:
    """A command with the variables and the time limit of the request."""
    limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    return replace(
        command,
        environment={name: str(value) for name, value in request.get("Environment", {}).items()},
        seconds=float(limit) if limit is not None else command.seconds,
    )


def _materialise(request: Mapping[str, Any], context: JobContext) -> None:
    """Write the configuration files, copy the inputs, make the output folders."""
    configuration = {
        "ProcessingJobArn": context.arn,
        "ProcessingJobName": context.name,
        **{name: request[name] for name in _DESCRIBED if name in request},
    }
    write_json(context, "config/processingjobconfig.json", configuration)
    cluster = request.get("ProcessingResources", {}).get("ClusterConfig", {})
    resources = {
        "current_host": HOST,
        "current_instance_type": cluster.get("InstanceType", "local"),
        "hosts": [HOST],
        "network_interface_name": NETWORK_INTERFACE,
    }
    write_json(context, "config/resourceconfig.json", resources)
    (context.ml / "output").mkdir(exist_ok=True)
    note_instances(context, cluster.get("InstanceCount"))
    inputs = [_input(given, context) for given in request.get("ProcessingInputs") or ()]
    for path, uri, name in sorted(inputs, key=lambda each: len(PurePosixPath(each[0]).parts)):
        folder = inside(context, path, f"input {name!r}")
        try:
            context.objects.download(uri, folder)
        except (ExecutionFailed, OSError) as problem:
            raise JobFailed(
                f"ClientError: input {name!r}: {problem}",
                context.log,
                hint=getattr(problem, "hint", ""),
            ) from None
    for path, _, name in _outputs(request):
        inside(context, path, f"output {name!r}").mkdir(parents=True, exist_ok=True)


def _input(given: Mapping[str, Any], context: JobContext) -> tuple[str, str, str]:
    """(path in the container, S3 URI, name) of an input."""
    name = str(given["InputName"])
    source = given.get("S3Input", {})
    uri = s3_source(context, source, f"input {name!r}")
    if "LocalPath" not in source:
        raise JobFailed(f"ClientError: input {name!r} has no LocalPath", context.log)
    return str(source["LocalPath"]), uri, name


def _outputs(request: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(path in the container, S3 URI, name) of every output that goes to S3."""
    configured = request.get("ProcessingOutputConfig", {}).get("Outputs") or ()
    return [
        (given["S3Output"]["LocalPath"], given["S3Output"]["S3Uri"], str(given["OutputName"]))
        for given in configured
        if given.get("S3Output", {}).get("LocalPath")
    ]


def _store_outputs(request: Mapping[str, Any], context: JobContext) -> None:
    """Upload what the job wrote; EndOfJob and Continuous alike, now that it has ended."""
    for path, uri, name in _outputs(request):
        folder: Path = inside(context, path, f"output {name!r}")
        try:
            upload_output(folder, uri, context.objects, context.ml)
        except (ExecutionFailed, LinkLeaves, OSError) as problem:
            raise JobFailed(f"ClientError: output {name!r}: {problem}", context.log) from None
