"""Executions for tests: a deployed pipeline, states that follow each other, logs of jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from cloud_commands import Ran, sagedag
from moto_lacks import Execution
from moto_server import AwsServer, Fault, Request

ROLE = "arn:aws:iam::123456789012:role/pipelines"


def run(project: Path, command: str, *words: str, typed: str | None = None) -> Ran:
    """Run a command in the environment ``dev``."""
    return sagedag(project, command, *words, "--env", "dev", typed=typed)


def deploy(project: Path) -> None:
    """Deploy the project's definition with the tool itself."""
    ran = run(project, "upsert", "--yes")
    assert ran.code == 0, ran.err


def started(aws: AwsServer, status: str = "Executing", **more: Any) -> Execution:
    """Start ``line`` with boto3; what it comes to is the test's to set."""
    aws.lacks.first_status = status
    answer = boto3.client("sagemaker").start_pipeline_execution(PipelineName="line", **more)
    found = aws.lacks.executions[answer["PipelineExecutionArn"]]
    if status == "Executing":
        found.steps.clear()
    aws.forget_requests()
    return found


def step(name: str, status: str, seconds: float = 60, **more: Any) -> dict[str, Any]:
    """Return a step as ListPipelineExecutionSteps gives it."""
    begin = time.time() - 600
    made = {"StepName": name, "StepStatus": status, "StartTime": begin, "AttemptCount": 1, **more}
    if status in ("Succeeded", "Failed", "Stopped"):
        made["EndTime"] = begin + seconds
    return made


def job(kind: str, name: str) -> dict[str, Any]:
    """Return the metadata of a step that ran a job."""
    path = {"TrainingJob": "training-job", "ProcessingJob": "processing-job"}.get(kind, "tuning")
    return {kind: {"Arn": f"arn:aws:sagemaker:us-east-1:123456789012:{path}/{name}"}}


def script(aws: AwsServer, *acts: Callable[[], Fault | None]) -> None:
    """Let something happen at each question about an execution's state, then nothing more."""
    left = list(acts)

    def hook(request: Request) -> Fault | None:
        if request.call != "sagemaker:DescribePipelineExecution" or not left:
            return None
        return left.pop(0)()

    aws.hook = hook


def becomes(
    execution: Execution, status: str, *steps: dict[str, Any], failure: str = ""
) -> Callable[[], None]:
    """Return an act: the execution is in this state, with these steps."""

    def act() -> None:
        execution.status, execution.failure = status, failure
        execution.steps[:] = steps

    return act


def write_log(group: str, stream: str, *lines: str, age: float = 0) -> None:
    """Write lines into CloudWatch Logs; the last one ``age`` seconds ago."""
    client = boto3.client("logs")
    known = client.exceptions.ResourceAlreadyExistsException
    with suppress(known):
        client.create_log_group(logGroupName=group)
    with suppress(known):
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    now = int((time.time() - age) * 1000)
    for first in range(0, len(lines), 1000):
        part = lines[first : first + 1000]
        events = [
            {"timestamp": now - len(lines) + first + index, "message": text}
            for index, text in enumerate(part)
        ]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
