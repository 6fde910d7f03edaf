"""``sagedag import PIPELINE_NAME``: a pipeline of moto's server, described and imported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from moto_server import AwsServer, Fault

from pipelines.cli.described import described
from pipelines.errors import AwsError
from pipelines.importer import import_definition

GOLDEN = Path(__file__).parents[1] / "cases" / "ok" / "retry" / "definition.json"
ROLE = "arn:aws:iam::123456789012:role/pipelines"


@pytest.fixture
def deployed(aws: AwsServer) -> AwsServer:
    """A pipeline as somebody else deployed it."""
    import boto3

    boto3.client("sagemaker").create_pipeline(
        PipelineName="elsewhere",
        PipelineDisplayName="Elsewhere",
        PipelineDescription="Made by others",
        PipelineDefinition=GOLDEN.read_text("utf-8"),
        ClientRequestToken="t" * 32,
        RoleArn=ROLE,
        Tags=[{"Key": "team", "Value": "astro"}],
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
    )
    aws.forget_requests()
    return aws


def test_a_pipeline_on_aws_is_imported(deployed: AwsServer, tmp_path: Path) -> None:
    found = described("elsewhere", None, None)
    assert deployed.writes == []
    assert found.definition == json.loads(GOLDEN.read_text("utf-8"))
    around = found.around
    assert (around.name, around.description, around.role) == ("elsewhere", "Made by others", ROLE)
    made = import_definition(
        found.definition, around, path=tmp_path / "pipeline.yaml", origin="AWS", head=found.remarks
    )
    assert not made.failed
    assert made.differences == []
    assert f"role: {ROLE}\n" in made.text


def test_tags_come_along_or_it_is_told(deployed: AwsServer) -> None:
    assert described("elsewhere", None, None).around.tags == {"team": "astro"}
    deployed.fail_on("sagemaker:ListTags", Fault("AccessDeniedException", 400))
    found = described("elsewhere", None, None)
    assert found.around.tags == {}
    assert found.remarks == ("The pipeline's tags could not be read.",)


def test_a_pipeline_that_is_not_there_is_told(aws: AwsServer) -> None:
    with pytest.raises(AwsError, match="nowhere"):
        described("nowhere", None, None)
