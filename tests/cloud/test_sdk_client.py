"""The SDK's own client on what we deployed, and our plan on what the SDK deployed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_commands import sagedag
from moto_server import AwsServer

import pipelines

ROLE = "arn:aws:iam::123456789012:role/pipelines"

pytestmark = pytest.mark.skipif(
    not metadata.version("sagemaker").startswith("3."), reason="uses SDK 3's module names"
)


@pytest.fixture
def sdk_pipeline(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The SDK's pipeline of the definition, with a session that calls moto's server."""
    compiled = pipelines.compile(project / "line" / "pipeline.yaml", environment="dev")
    from sagemaker.core.helper.session_helper import Session
    from sagemaker.mlops.workflow import pipeline

    # The SDK simulates IAM policies before it writes, which moto lacks.
    monkeypatch.setattr(pipeline, "resolve_and_validate_role", lambda provided_role, **_: ROLE)
    made = compiled.pipeline
    made.sagemaker_session = Session(boto_session=boto3.Session(), default_bucket="dev-bucket")
    return made


def test_the_sdk_describes_starts_and_lists_what_we_deployed(
    project: Path, aws: AwsServer, sdk_pipeline: Any
) -> None:
    assert sagedag(project, "upsert", "--env", "dev", "--yes").code == 0
    described = sdk_pipeline.describe()
    assert described["PipelineDescription"] == "Fits a line"
    assert described["RoleArn"] == ROLE
    assert sdk_pipeline.describe(pipeline_version_id=1)["PipelineName"] == "line"
    execution = sdk_pipeline.start(parameters={"Rows": 5, "Mode": "exact"})
    assert execution.describe()["PipelineExecutionStatus"] == "Succeeded"
    assert {step["StepName"] for step in execution.list_steps()} == {"split", "train"}
    (listed,) = sdk_pipeline.list_executions()["PipelineExecutionSummaries"]
    assert listed["PipelineExecutionArn"] == execution.arn
    sent = [r.body for r in aws.requests if r.call == "sagemaker:StartPipelineExecution"]
    assert {p["Name"]: p["Value"] for p in sent[0]["PipelineParameters"]} == {
        "Rows": "5",
        "Mode": "exact",
    }


def test_a_plan_over_what_the_sdk_deployed(
    project: Path, aws: AwsServer, sdk_pipeline: Any
) -> None:
    sdk_pipeline.upsert(
        role_arn=ROLE, description="Fits a line", tags=[{"Key": "team", "Value": "lines"}]
    )
    path = project / "line" / "pipeline.yaml"
    path.write_text(path.read_text().replace('schedules:\n  nightly: {cron: "0 3 * * ? *"}\n', ""))
    plan = ("plan", "--env", "dev", "--detailed-exitcode")
    # The same definition, written by the SDK: only who owns it is new, and its code.
    taken = sagedag(project, *plan)
    assert taken.code == 3, taken.err
    told = [" ".join(line.split()) for line in taken.out.splitlines() if line.startswith("    ")]
    assert told[:2] == [
        "not deployed by this tool so far: it is taken over",
        "+ owner: this repository (equal to the definition; ownership is recorded)",
    ]
    assert all(line.startswith("+ line/code") for line in told[2:])

    path.write_text(path.read_text().replace("max_depth: 6", "max_depth: 8"))
    changed = sagedag(project, *plan)
    lines = [" ".join(line.split()) for line in changed.out.splitlines()]
    assert "~ steps.train.hyperparameters.max_depth: 6 → 8 line/pipeline.yaml:19:23" in lines
    assert sum(line.startswith("~ steps") for line in lines) == 1
    done = sagedag(project, "upsert", "--env", "dev", "--yes")
    assert done.code == 0, done.err
    assert "line  updated, version 2" in done.out
    assert sagedag(project, *plan).code == 0
    # And the SDK goes on working on it: what it brings back is told as drift.
    sdk_pipeline.upsert(role_arn=ROLE, description="Fits a line")
    drifted = sagedag(project, *plan)
    assert "changed by something else since the last deploy" in drifted.out
    assert "~ steps.train.hyperparameters.max_depth: 8 → 6" in drifted.out
