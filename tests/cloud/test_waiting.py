"""What is said while AWS is silent, and how --timeout ends it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from cloud_commands import sagedag
from moto_server import AwsServer, Request
from weather_server import Weather

from pipelines.cli.executions import following
from pipelines.cloud import client, waiting
from pipelines.cloud.client import Place, connect
from pipelines.errors import AwsError


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 1.5)
    monkeypatch.setattr(client, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(waiting, "QUIET_SECONDS", 0.5)
    monkeypatch.setattr(waiting, "_TICK", 0.1)


def test_a_silent_server_is_told_of(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    debug: list[str] = []
    notices: list[str] = []
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with Weather(lambda _: None) as weather:
        monkeypatch.setenv("AWS_ENDPOINT_URL", weather.url)
        clients = connect(
            Place("dev", region="us-east-1"), tell=debug.append, notice=notices.append
        )
        with pytest.raises(AwsError):
            clients.call("sagemaker:DescribePipeline", "pipeline p", PipelineName="p")
    assert notices == [
        "waiting for SageMaker DescribePipeline",
        "waiting for SageMaker DescribePipeline, try 2 of 2",
    ]
    (retried, ended) = debug
    assert retried.startswith("aws sagemaker:DescribePipeline (pipeline p) try 2 of 2 after ")
    assert "ReadTimeoutError" in ended


def test_nothing_is_said_of_calls_that_are_answered(
    aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices: list[str] = []
    clients = connect(Place("dev", region="us-east-1"), notice=notices.append)
    for _ in range(3):
        clients.check_account()
        time.sleep(0.3)
    assert notices == []


def test_timeout_ends_a_call_under_way(
    aws: AwsServer, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sagedag(project, "upsert", "--env", "dev", "--yes").code == 0
    aws.lacks.first_status = "Executing"
    assert sagedag(project, "start", "line", "--env", "dev").code == 0
    monkeypatch.setattr(client, "READ_SECONDS", 30)
    monkeypatch.setattr(following, "GRACE_SECONDS", 0.1)
    asked = 0

    def hang(request: Request) -> None:
        nonlocal asked
        asked += request.call == "sagemaker:ListPipelineExecutionSteps"
        if asked:
            time.sleep(8)

    aws.hook = hang
    begun = time.monotonic()
    ran = sagedag(project, "wait", "line", "--env", "dev", "--timeout", "1")
    assert asked
    assert time.monotonic() - begun < 7
    assert ran.code == following.TIMED_OUT, ran.err
    assert "AWS gave no answer within 1 seconds" in ran.err
    assert "Wait for it again: sagedag wait line/" in ran.err
