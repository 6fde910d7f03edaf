"""A pipeline that the SDK's own producers deployed: imported by its name, taken over, unchanged."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path

import boto3
import pytest
from cloud_commands import sagedag
from moto_server import AwsServer

sys.path.append(str(Path(__file__).parents[1] / "sdk"))

pytestmark = pytest.mark.skipif(
    not metadata.version("sagemaker").startswith("3."), reason="uses SDK 3's producers"
)


@pytest.mark.parametrize("producer", ["produce", "produce_variants"])
def test_what_the_sdk_deployed_is_taken_over_unchanged(
    aws: AwsServer, tmp_path: Path, producer: str
) -> None:
    import producers

    definition = getattr(producers, producer)(aws.url)
    boto3.client("sagemaker").create_pipeline(
        PipelineName="theirs",
        PipelineDescription="made by the SDK",
        PipelineDefinition=json.dumps(definition),
        ClientRequestToken="t" * 32,
        RoleArn=producers.ROLE,
        Tags=[{"Key": "team", "Value": "astro"}],
    )
    imported = sagedag(tmp_path, "import", "theirs", "-o", "p")
    assert imported.code == 0, imported.err
    assert "Compiling the result for `aws` gives what was imported" in imported.err
    text = (tmp_path / "p/pipeline.yaml").read_text()
    assert "type: Raw" not in text
    assert (tmp_path / "p/code/preprocess.py").is_file()
    # Of the definition only the place of the code is another.
    plan = ("plan", "p", "--env", "aws", "--detailed-exitcode")
    planned = sagedag(tmp_path, *plan)
    assert planned.code == 3, planned.err
    changes = [line.strip() for line in planned.out.splitlines() if line.startswith("    ~ ")]
    assert len(changes) == 1
    assert ".code:" in changes[0]
    assert sagedag(tmp_path, "upsert", "p", "--env", "aws", "--yes").code == 0
    again = sagedag(tmp_path, *plan)
    assert again.code == 0
    assert "No changes." in again.out
