"""What SageMaker has limits for: told before any call where that can be known, else its refusal."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
from cloud_commands import Ran, sagedag
from moto_server import AwsServer, Fault

from pipelines.language.pipeline_checks import longest_definition

MOST = 1024 * 1024


def write(project: Path, text: str, name: str = "big") -> None:
    folder = project / name
    folder.mkdir(exist_ok=True)
    (folder / "pipeline.yaml").write_text(text)


def run(project: Path, command: str, *words: str) -> Ran:
    return sagedag(project, command, *words, "--env", "dev")


def long_steps(count: int, length: int) -> str:
    """A definition of ``count`` steps of ``length`` characters each."""
    numbers = ", ".join(map(str, range(count)))
    return (
        "pipeline: big\n"
        "steps:\n"
        '  "stop-{{ matrix.n }}":\n'
        "    type: Fail\n"
        f"    matrix: {{n: [{numbers}]}}\n"
        f"    message: {'x' * length}\n"
    )


def test_the_limit_is_the_apis() -> None:
    assert longest_definition() == MOST


@pytest.mark.parametrize(("count", "length"), [(300, 400), (300, 3000)])
def test_large_definitions_of_many_steps(
    project: Path, aws: AwsServer, count: int, length: int
) -> None:
    write(project, long_steps(count, length))
    planned = run(project, "plan", "big", "--detailed-exitcode")
    assert planned.code == 3, planned.err
    assert planned.out.count("+ steps.stop-") == count
    assert run(project, "upsert", "big", "--yes").code == 0
    stored = boto3.client("sagemaker").describe_pipeline(PipelineName="big")["PipelineDefinition"]
    assert 100_000 < len(stored) < MOST
    assert len(json.loads(stored)["Steps"]) == count
    (created,) = [r.body for r in aws.requests if r.call == "sagemaker:CreatePipeline"]
    assert "PipelineDefinitionS3Location" in created
    again = run(project, "plan", "big", "--detailed-exitcode")
    assert (again.code, again.out) == (0, "No changes. `big` is deployed as it is defined.\n")


@pytest.mark.parametrize("command", ["validate", "plan", "upsert", "deploy", "compile"])
def test_a_definition_that_is_too_large_is_told_before_any_call(
    project: Path, aws: AwsServer, command: str
) -> None:
    write(project, long_steps(400, 2700))
    ran = run(project, command, "big")
    assert ran.code == 1
    told = ran.out + ran.err
    assert "big/pipeline.yaml:3:3: error[too-large]" in told
    assert "SageMaker takes 1,048,576" in told
    assert "the largest steps are `stop-0` (" in told
    assert aws.calls == []


def test_what_is_too_large_by_a_little_is_told_by_compiling(project: Path, aws: AwsServer) -> None:
    # What stands around the steps' requests is not in the lower bound: find the gap.
    write(project, long_steps(360, 2880))
    assert run(project, "validate", "big").code == 0
    ran = run(project, "plan", "big")
    assert ran.code == 1
    assert "SageMaker takes 1,048,576" in ran.err
    assert aws.calls == []


def tags(count: int) -> str:
    return "tags: {" + ", ".join(f"k{n}: v" for n in range(count)) + "}\n"


STOP = "steps: {stop: {type: Fail, message: no}}\n"


def test_as_many_tags_as_there_is_room_for(project: Path, aws: AwsServer) -> None:
    write(project, f"pipeline: big\n{tags(41)}{STOP}")
    assert run(project, "upsert", "big", "--yes").code == 0
    client = boto3.client("sagemaker")
    arn = client.describe_pipeline(PipelineName="big")["PipelineArn"]
    listed = client.list_tags(ResourceArn=arn)["Tags"]
    assert len(listed) <= 50
    # Somebody else's tag takes the room of ours.
    more = [{"Key": f"other-{n}", "Value": "x"} for n in range(3)]
    client.add_tags(ResourceArn=arn, Tags=more)
    aws.forget_requests()
    ran = run(project, "plan", "big")
    assert ran.code == 2
    assert "41 tags, and others put 3 on the pipeline, such as `other-0`: it can have 50" in ran.err
    assert aws.writes == []
    write(project, f"pipeline: big\n{tags(42)}{STOP}")
    ran = run(project, "validate", "big")
    assert ran.code == 1
    assert "42 tags; a pipeline has room for 41" in ran.out + ran.err


def test_odd_tags_are_deployed_as_they_are(project: Path, aws: AwsServer) -> None:
    odd = {
        "Team": "a",
        "team": "b",
        "ключ": "значение 日本",
        "a b.:/=+-@_": "",
        "k" * 128: "v" * 256,
    }
    write(project, f"pipeline: big\ntags: {json.dumps(odd, ensure_ascii=False)}\n{STOP}")
    ran = run(project, "upsert", "big", "--yes")
    assert ran.code == 0, ran.err
    client = boto3.client("sagemaker")
    arn = client.describe_pipeline(PipelineName="big")["PipelineArn"]
    listed = {t["Key"]: t["Value"] for t in client.list_tags(ResourceArn=arn)["Tags"]}
    assert {key: listed[key] for key in odd} == odd
    assert run(project, "plan", "big", "--detailed-exitcode").code == 0
    # Each of them can go away again: their keys are remembered.
    write(project, f"pipeline: big\n{STOP}")
    assert run(project, "upsert", "big", "--yes").code == 0
    listed = {t["Key"] for t in client.list_tags(ResourceArn=arn)["Tags"]}
    assert not listed & set(odd)


def test_names_that_differ_by_capitals_alone(project: Path, aws: AwsServer) -> None:
    write(project, f"pipeline: Line\n{STOP}")
    ran = run(project, "plan")
    assert ran.code == 2
    assert "both make the pipeline `line` (as `Line`: capitals make no difference)" in ran.err
    assert aws.calls == []


@pytest.mark.parametrize(
    ("call", "code", "told", "says"),
    [
        (
            "CreatePipeline",
            "ResourceLimitExceeded",
            "Maximum number of pipelines",
            "Service Quotas",
        ),
        ("CreatePipeline", "ValidationException", "More than 50 tags", "SageMaker refuses this"),
        ("AddTags", "ValidationException", "Tag limit exceeded", "Tag limit exceeded"),
    ],
)
def test_limits_that_only_the_service_knows(
    project: Path, aws: AwsServer, call: str, code: str, told: str, says: str
) -> None:
    aws.fail_on(f"sagemaker:{call}", Fault(code, 400, told))
    ran = run(project, "upsert", "line", "--yes")
    assert ran.code == 4
    assert told in ran.err
    assert says in ran.err
    aws.hook = None
    assert run(project, "upsert", "line", "--yes").code == 0
    assert run(project, "plan", "line", "--detailed-exitcode").code == 0
