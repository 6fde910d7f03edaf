"""The server that the other tests here stand on."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.exceptions
import pytest
from moto_server import AwsServer, Fault

from pipelines.cloud.client import Clients

DEFINITION = '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {}}]}'


def create(**more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = boto3.client("sagemaker").create_pipeline(
        PipelineName="p",
        PipelineDefinition=DEFINITION,
        RoleArn="arn:aws:iam::123456789012:role/pipelines",
        Tags=[{"Key": "a", "Value": "1"}],
        **more,
    )
    return answer


def test_requests_are_named_and_counted(aws: AwsServer) -> None:
    create()
    sagemaker, s3, scheduler = (boto3.client(n) for n in ("sagemaker", "s3", "scheduler"))
    sagemaker.describe_pipeline(PipelineName="p")
    s3.put_object(Bucket="dev-bucket", Key="k", Body=b"text")
    s3.head_object(Bucket="dev-bucket", Key="k")
    s3.list_objects_v2(Bucket="dev-bucket")
    scheduler.create_schedule_group(Name="g")
    scheduler.list_schedules(GroupName="g")
    boto3.client("sts").get_caller_identity()
    assert aws.calls == [
        "sagemaker:CreatePipeline",
        "sagemaker:DescribePipeline",
        "s3:PutObject",
        "s3:HeadObject",
        "s3:ListObjectsV2",
        "scheduler:CreateScheduleGroup",
        "scheduler:ListSchedules",
        "sts:GetCallerIdentity",
    ]
    assert aws.writes == [
        "sagemaker:CreatePipeline",
        "s3:PutObject",
        "scheduler:CreateScheduleGroup",
    ]


def test_state_is_of_one_test(aws: AwsServer) -> None:
    assert boto3.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_versions_and_aliases(aws: AwsServer) -> None:
    arn = create(PipelineVersionAliases=["live"])["PipelineArn"]
    client = boto3.client("sagemaker")
    other = DEFINITION.replace('"a"', '"b"')
    made = client.update_pipeline(PipelineName="p", PipelineDefinition=other)
    assert made["PipelineVersionId"] == 2
    with pytest.raises(client.exceptions.ClientError, match="cannot be added"):
        client.update_pipeline_version(
            PipelineArn=arn,
            PipelineVersionId=2,
            PipelineVersionAliasOperations={"Add": ["live"]},
        )
    client.update_pipeline_version(
        PipelineArn=arn, PipelineVersionId=1, PipelineVersionAliasOperations={"Remove": ["live"]}
    )
    client.update_pipeline_version(
        PipelineArn=arn,
        PipelineVersionId=2,
        PipelineVersionDescription="commit abc",
        PipelineVersionAliasOperations={"Add": ["live"]},
    )
    # A change that is none of the definition makes no version.
    assert "PipelineVersionId" not in client.update_pipeline(
        PipelineName="p", PipelineDescription="other"
    )
    listed = client.list_pipeline_versions(PipelineName="p")["PipelineVersionSummaries"]
    assert [(v["PipelineVersionId"], v["PipelineVersionAliases"]) for v in listed] == [
        (2, ["live"]),
        (1, []),
    ]
    first = client.describe_pipeline(PipelineName="p", PipelineVersionId=1)
    assert first["PipelineDefinition"] == DEFINITION
    live = client.describe_pipeline(PipelineName="p", PipelineVersionAlias="live")
    assert live["PipelineDefinition"] == other
    assert live["PipelineVersionDescription"] == "commit abc"


def test_tags_are_replaced_and_tokens_are_idempotent(aws: AwsServer) -> None:
    token = "t" * 32
    arn = create(ClientRequestToken=token)["PipelineArn"]
    assert create(ClientRequestToken=token)["PipelineArn"] == arn
    client = boto3.client("sagemaker")
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]


def test_an_execution_is_scripted(aws: AwsServer) -> None:
    create()
    client = boto3.client("sagemaker")
    aws.lacks.first_status = "Executing"
    arn = client.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]
    described = client.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Executing"
    steps = client.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    assert [s["StepName"] for s in steps["PipelineExecutionSteps"]] == ["a"]
    client.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="s" * 32)
    assert aws.lacks.executions[arn].status == "Stopped"
    client.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="r" * 32)
    assert aws.lacks.executions[arn].status == "Executing"


def test_faults(aws: AwsServer) -> None:
    client = boto3.client("sagemaker")
    aws.fail_on("sagemaker:CreatePipeline", Fault("ThrottlingException", 400), times=1)
    with pytest.raises(client.exceptions.ClientError, match="Throttling"):
        create()
    aws.fail_at(1, Fault(drop=True))
    with pytest.raises(botocore.exceptions.BotoCoreError):
        create()
    aws.fail_at(2, Fault(after=True))
    with pytest.raises(client.exceptions.ClientError):
        create()
    # It took effect although its answer was lost.
    assert client.describe_pipeline(PipelineName="p")["PipelineName"] == "p"


def test_the_tools_own_clients(clients: Clients, aws: AwsServer) -> None:
    assert clients.check_account().account == "123456789012"
    assert list(clients.pages("sagemaker:ListPipelines", "pipelines", "PipelineSummaries")) == []
    assert aws.writes == []
