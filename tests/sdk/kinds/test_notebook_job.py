"""NotebookJob steps equal those of the SDK's class, but for what carries a time there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs
from surroundings import ROLE

pytestmark = pytest.mark.slow  # for importing the SDK

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:1-cpu"
DEFINITION = f"""
parameters: {{Night: monday}}
defaults: {{image: "{IMAGE}", kernel: python3}}
steps:
  plain:
    type: NotebookJob
    notebook: explore.ipynb
    output: "s3://books/kinds/${{execution.id}}/plain"
  full:
    type: NotebookJob
    notebook: explore.ipynb
    arguments: {{night: "${{parameters.Night}}", seed: "7"}}
    dependencies: [survey.py, tables]
    setup: setup.sh
    instance: {{type: ml.m5.xlarge, volume_gb: 50, kms_key: alias/volumes}}
    output: "s3://books/kinds/${{execution.id}}/full"
    environment: {{LEVEL: info}}
    network: {{subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], encryption: false}}
    kms_key: alias/outputs
    tags: {{team: astro}}
    max_runtime: 3h
    retry: [{{on: [throttling], attempts: 3}}]
    request: {{RetryStrategy: {{MaximumRetryAttempts: 3}}}}
"""
Json = dict[str, Any]


def no_job_name(step: Json) -> None:
    """The SDK names the job as the notebook's job; here the service makes the name."""
    step["Arguments"].pop("TrainingJobName", None)


def no_input_place(step: Json) -> None:
    """The SDK uploads while compiling, to a folder named by the time; here it is an asset."""
    source = step["Arguments"]["InputDataConfig"][0]["DataSource"]["S3DataSource"]
    assert re.search(r"/input-[0-9-]+$|/assets/sha256/[0-9a-f]{64}/files$", source["S3Uri"])
    source["S3Uri"] = "INPUT"


def joined(step: Json) -> None:
    """The SDK joins the output's place by slashes, we by nothing."""
    output = step["Arguments"]["OutputDataConfig"]
    parts = output["S3OutputPath"]["Std:Join"]
    output["S3OutputPath"] = parts["On"].join(
        part if isinstance(part, str) else json.dumps(part) for part in parts["Values"]
    )


EXCEPTED: tuple[Callable[[Json], None], ...] = (no_job_name, no_input_place, joined)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    (folder / "explore.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    (folder / "survey.py").write_text("ROWS = 1\n")
    (folder / "setup.sh").write_text("true\n")
    (folder / "tables" / "more").mkdir(parents=True)
    (folder / "tables" / "more" / "one.csv").write_text("a\n")
    return folder


@pytest.fixture(scope="module")
def built(aws: str, files: Path) -> Json:
    def build(session: Any) -> tuple[list[Any], list[Any]]:
        from sagemaker.core.workflow.parameters import ParameterString
        from sagemaker.mlops.workflow.notebook_job_step import NotebookJobStep
        from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy

        session.boto_session.client("s3").create_bucket(Bucket="books")
        night = ParameterString(name="Night", default_value="monday")
        common = {
            "input_notebook": str(files / "explore.ipynb"),
            "image_uri": IMAGE,
            "kernel_name": "python3",
            "role": ROLE,
            "s3_root_uri": "s3://books",
        }
        plain = NotebookJobStep(name="plain", notebook_job_name="plain", **common)
        policy = StepRetryPolicy(
            exception_types=[StepExceptionTypeEnum(value="Step.THROTTLING")], max_attempts=3
        )
        full = NotebookJobStep(
            name="full",
            notebook_job_name="full",
            **common,
            parameters={"night": night, "seed": "7"},
            additional_dependencies=[str(files / "survey.py"), str(files / "tables")],
            initialization_script=str(files / "setup.sh"),
            instance_type="ml.m5.xlarge",
            volume_size=50,
            volume_kms_key="alias/volumes",
            environment_variables={"LEVEL": "info"},
            subnets=["subnet-0a1b2c3d"],
            security_group_ids=["sg-0a1b2c3d"],
            encrypt_inter_container_traffic=False,
            s3_kms_key="alias/outputs",
            tags=[{"Key": "team", "Value": "astro"}],
            max_runtime_in_seconds=10800,
            max_retry_attempts=3,
            retry_policies=[policy],
        )
        return [night], [plain, full]

    return theirs(aws, build)


@pytest.mark.parametrize("name", ["plain", "full"])
def test_the_step_is_the_same(name: str, built: Json, files: Path) -> None:
    pair = [json.loads(json.dumps(each[name])) for each in (ours(files, DEFINITION), built)]
    for excepted in EXCEPTED:
        before = json.dumps(pair)
        for step in pair:
            excepted(step)
        assert json.dumps(pair) != before
    assert list(differences(*pair)) == []


def test_the_files_lie_beside_each_other_as_the_sdk_uploads_them(
    built: Json, aws: str, files: Path
) -> None:
    import boto3

    import pipelines

    place = built["full"]["Arguments"]["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    client = boto3.client(
        "s3",
        endpoint_url=aws,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    uploaded = {each["Key"].removeprefix(f"{prefix}/") for each in found}
    ours(files, DEFINITION)
    compiled = pipelines.compile(files / "pipeline.yaml", environment="sdk")
    assets = {frozenset(name for name, _ in asset.files) for asset in compiled.assets}
    assert uploaded in assets
