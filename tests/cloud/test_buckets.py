"""Buckets that can't take what a plan uploads: shown by the plan, and nothing is begun."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from cloud_commands import Ran, sagedag
from moto_server import AwsServer, Fault, Request


def without_bucket(aws: AwsServer) -> None:
    boto3.client("s3").delete_bucket(Bucket="dev-bucket")
    aws.forget_requests()


def plan(project: Path, *words: str) -> Ran:
    return sagedag(project, "plan", "--env", "dev", *words)


def upsert(project: Path) -> Ran:
    return sagedag(project, "upsert", "--env", "dev", "--yes")


def test_a_missing_bucket_is_told_by_the_plan(project: Path, aws: AwsServer) -> None:
    without_bucket(aws)
    ran = plan(project, "--detailed-exitcode")
    assert ran.code == 3
    told = (
        "! the bucket `dev-bucket` does not exist: create it (`aws s3 mb s3://dev-bucket --region "
        "us-east-1`), or correct `bucket` of the environment `dev` in environments.yaml"
    )
    assert told in ran.out.splitlines()
    assert "**!** ``the bucket `dev-bucket`" in plan(project, "--markdown").out.replace("`` ", "``")
    document = json.loads(plan(project, "--json").out)
    assert [each["stops"] for each in document["obstacles"]] == [True]
    done = upsert(project)
    assert done.code == 4
    assert "the bucket `dev-bucket` does not exist; nothing was written" in done.err
    assert "aws s3 mb s3://dev-bucket" in done.err
    assert aws.writes == []
    assert aws.count()["s3:HeadBucket"] == 4  # four plans, one bucket


def test_a_deploy_does_not_begin_either(project: Path, aws: AwsServer) -> None:
    without_bucket(aws)
    dry = sagedag(project, "deploy", "--env", "dev", "--dry-run")
    assert dry.code == 0
    assert "! the bucket `dev-bucket` does not exist" in dry.out + dry.err
    ran = sagedag(project, "deploy", "--env", "dev")
    assert ran.code == 4
    assert "does not exist; nothing was written" in ran.out + ran.err
    assert aws.writes == []


def test_what_a_saved_plan_met_may_be_mended(project: Path, aws: AwsServer) -> None:
    without_bucket(aws)
    assert plan(project, "--out", "dev.plan").code == 0
    refused = sagedag(project, "upsert", "--plan", "dev.plan")
    assert refused.code == 4
    assert "the bucket `dev-bucket` does not exist" in refused.err
    boto3.client("s3").create_bucket(Bucket="dev-bucket")
    assert sagedag(project, "upsert", "--plan", "dev.plan").code == 0


def test_a_bucket_elsewhere(project: Path, aws: AwsServer) -> None:
    without_bucket(aws)
    place = {"LocationConstraint": "eu-west-1"}
    client = boto3.client("s3", region_name="eu-west-1")
    client.create_bucket(Bucket="dev-bucket", CreateBucketConfiguration=place)
    told = "the bucket `dev-bucket` is in eu-west-1, the environment in us-east-1"
    assert f"! {told}: SageMaker wants both in the same region" in plan(project).out
    aws.forget_requests()
    ran = upsert(project)
    assert ran.code == 4
    assert f"{told}; nothing was written" in ran.err
    assert aws.writes == []


def owners(aws: AwsServer) -> list[bool]:
    """Let HeadBucket be denied once; return whether each named the owner that it expects."""
    asked: list[bool] = []

    def hook(request: Request) -> Fault | None:
        if request.call != "s3:HeadBucket":
            return None
        asked.append(len(asked) == 0)
        return Fault("403", 403) if len(asked) == 1 else None

    aws.hook = hook
    return asked


def test_a_bucket_of_another_account_may_be_meant(project: Path, aws: AwsServer) -> None:
    asked = owners(aws)
    ran = plan(project)
    told = "! the bucket `dev-bucket` belongs to another account than 123456789012: if that is"
    assert told in ran.out
    assert len(asked) == 2
    owners(aws)
    assert upsert(project).code == 0


def test_the_owner_is_asked_for(
    project: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.cloud.client import Clients

    asked: list[object] = []
    call = Clients.call

    def listening(self: Clients, operation: str, resource: str, /, **request: object) -> object:
        if operation == "s3:HeadBucket":
            asked.append(request.get("ExpectedBucketOwner"))
        return call(self, operation, resource, **request)

    monkeypatch.setattr(Clients, "call", listening)
    plan(project)
    assert asked == ["123456789012"]


def test_a_bucket_that_is_closed(project: Path, aws: AwsServer) -> None:
    aws.hook = lambda r: Fault("403", 403) if r.call.startswith("s3:Head") else None
    ran = plan(project)
    assert ran.code == 4
    assert "s3:HeadObject" in ran.err
    assert "access to the bucket `dev-bucket` is denied" in ran.err
    assert "it is another account's (names of buckets are unique over all of AWS)" in ran.err
    assert "allow s3:ListBucket" in ran.err
    # An object that may not be seen in a bucket that may: the bucket is not the cause.
    aws.hook = lambda r: Fault("403", 403) if r.call == "s3:HeadObject" else None
    ran = plan(project)
    assert ran.code == 4
    assert "allow the action s3:GetObject" in ran.err


def test_nothing_to_upload_asks_no_bucket(project: Path, aws: AwsServer) -> None:
    assert upsert(project).code == 0
    aws.forget_requests()
    assert plan(project).code == 0
    assert aws.count()["s3:HeadBucket"] == 0
