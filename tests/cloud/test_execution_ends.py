"""Describing and deleting pipelines, and comparing executions."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from executing import ROLE, deploy, job, run, started, step
from moto_server import AwsServer, Fault


@pytest.fixture
def deployed(project: Path, aws: AwsServer) -> Path:
    deploy(project)
    aws.forget_requests()
    return project


def schedules() -> list[str]:
    return [each["Name"] for each in boto3.client("scheduler").list_schedules()["Schedules"]]


def test_a_pipeline_is_described(deployed: Path, aws: AwsServer) -> None:
    found = started(aws, "Failed")
    out = run(deployed, "describe", "line").out
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert rows[0] == "Pipeline line (newest version 1)"
    assert f"Role {ROLE}" in rows
    assert "From line/pipeline.yaml" in rows
    assert "Rows Integer 100" in rows
    assert "Mode String fast one of fast, exact" in rows
    assert "train Training after split" in rows
    assert "line.nightly cron(0 3 * * ? *) UTC enabled" in rows
    assert any(row.startswith(f"{found.arn[-12:]} failed") for row in rows)
    document = json.loads(run(deployed, "describe", "line", "--json").out)
    assert [each["Name"] for each in document["definition"]["Steps"]] == ["split", "train"]
    assert aws.writes == []
    assert "there is no pipeline `other`" in run(deployed, "describe", "other").err


def test_an_execution_is_described(deployed: Path, aws: AwsServer) -> None:
    values = [{"Name": "Rows", "Value": "3"}, {"Name": "ApiToken", "Value": "hunter2hunter2"}]
    found = started(aws, "Succeeded", PipelineParameters=values)
    found.steps[:] = [step("train", "Succeeded", Metadata=job("TrainingJob", "t-1"))]
    out = run(deployed, "describe", f"line/{found.arn[-12:]}").out
    assert "  Rows      3\n" in out
    assert "hunter2" not in out
    assert "train  succeeded in 1 min 00 s" in out
    assert f"sagedag logs line/{found.arn[-12:]} train --env dev" in out


def test_deleting_takes_schedules_along(deployed: Path, aws: AwsServer) -> None:
    client = boto3.client("scheduler")
    client.create_schedule(
        Name="of-others",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": ROLE},
    )
    started(aws, "Succeeded")
    unasked = run(deployed, "delete", "line")
    assert unasked.code == 2
    assert "nobody is there to confirm" in unasked.err
    refused = run(deployed, "delete", "line", typed="n\n")
    assert refused.code == 1
    assert "- line  to be deleted" in refused.out
    assert "- schedules.nightly" in refused.out
    assert "the record of its 1 execution goes with it" in refused.out
    assert aws.writes == []
    done = run(deployed, "delete", "line", typed="y\n")
    assert done.code == 0, done.err
    assert done.out.endswith("line  deleted\n")
    assert schedules() == ["of-others"]
    gone = run(deployed, "delete", "line", "--yes")
    assert gone.code == 4
    assert "there is no pipeline `line`" in gone.err


def test_running_executions_are_shown_and_stopped_first(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    busy = run(deployed, "delete", "line", "--yes")
    assert busy.code == 2
    assert f"Under way: {found.arn[-12:]}, running since" in busy.out
    assert "1 of its executions run; SageMaker deletes no pipeline then" in busy.err
    assert aws.writes == []
    done = run(deployed, "delete", "line", "--yes", "--stop")
    assert done.code == 0, done.err
    assert aws.writes == [
        "sagemaker:StopPipelineExecution",
        "scheduler:DeleteSchedule",
        "sagemaker:DeletePipeline",
    ]


def test_a_deletion_that_was_cut_off_is_completed(deployed: Path, aws: AwsServer) -> None:
    aws.fail_on("sagemaker:DeletePipeline", Fault(status=500), times=1)
    assert run(deployed, "delete", "line", "--yes").code == 4
    assert schedules() == []
    assert run(deployed, "delete", "line", "--yes").code == 0
    assert boto3.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_executions_are_no_pipelines(deployed: Path, aws: AwsServer) -> None:
    found = started(aws)
    ran = run(deployed, "delete", f"line/{found.arn[-12:]}", "--yes")
    assert ran.code == 2
    assert "executions can't be deleted" in ran.err


def train_job(name: str, value: float) -> None:
    client = boto3.client("sagemaker")
    client.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingInputMode": "File", "TrainingImage": "i"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://dev-bucket/o"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    from moto.backends import get_backend

    backend = get_backend("sagemaker")["123456789012"]["us-east-1"]
    backend.training_jobs[name].final_metric_data_list = [
        {"MetricName": "auc", "Value": value, "Timestamp": 1_700_000_000.0}
    ]


def test_two_executions_are_compared(deployed: Path, aws: AwsServer) -> None:
    parameters = [{"Name": "Rows", "Value": "100"}, {"Name": "ApiKey", "Value": "abcdefgh1234"}]
    before = started(aws, "Succeeded", PipelineParameters=parameters)
    train_job("t-1", 0.9)
    before.steps[:] = [
        step("split", "Succeeded", seconds=100),
        step("train", "Succeeded", seconds=200, Metadata=job("TrainingJob", "t-1")),
    ]
    file = deployed / "line" / "pipeline.yaml"
    file.write_text(file.read_text().replace("max_depth: 6", "max_depth: 8"))
    deploy(deployed)
    after = started(
        aws,
        "Failed",
        PipelineParameters=[{"Name": "Rows", "Value": "500"}, {"Name": "ApiKey", "Value": "other"}],
    )
    train_job("t-2", 0.92)
    cached = {"CacheHitResult": {"SourcePipelineExecutionArn": before.arn}}
    after.steps[:] = [
        step("split", "Succeeded", seconds=1, **cached),
        step("train", "Failed", seconds=300, Metadata=job("TrainingJob", "t-2")),
        step("notify", "Succeeded", seconds=1),
    ]
    aws.forget_requests()
    first, second = before.arn[-12:], after.arn[-12:]
    ran = run(deployed, "diff-run", f"line/{first}", second)
    assert ran.code == 0, ran.err
    rows = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert rows[0] == f"{first} {second}"
    assert "Status succeeded failed" in rows
    assert "Version 1 2" in rows
    assert "Rows: 100 → 500" in rows
    assert "ApiKey: (sensitive value) → (sensitive value)" in rows
    assert "~ steps.train.hyperparameters.max_depth: 6 → 8" in rows
    assert f"split succeeded 1 min 40 s reused from {first}" in rows
    assert "train succeeded 3 min 20 s failed 5 min 00 s +50%" in rows
    assert "notify - succeeded 1.0 s" in rows
    assert "train: auc 0.9 0.92 +0.02" in rows
    assert aws.writes == []
    # Of a pipeline's name alone: the last two.
    document = json.loads(run(deployed, "diff-run", "line", "--json").out)
    assert [document[side]["id"] for side in ("before", "after")] == [first, second]
    assert document["parameters"]["Rows"] == ["100", "500"]
    same = run(deployed, "diff-run", f"line/{second}", "line").out
    assert "Parameters: the same\nDefinition: the same\n" in same
    lone = run(deployed, "diff-run", f"line/{second}")
    assert lone.code == 2
    assert "compare it with which?" in lone.err
