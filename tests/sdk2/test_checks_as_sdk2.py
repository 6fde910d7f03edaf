"""Check steps equal those of SDK 2's classes, with the files that it uploads.

The definition and the builders are those of the comparison with SDK 3. Here inputs keep the
distribution and compression that SDK 3 loses.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import surroundings
from sdk2_producers import sdk2_surroundings
from sdk_check_steps import Built, Json, no_null_members, with_contents, without, write_definition
from side_by_side import by_name, differences
from surroundings import BUCKET, REGION

import pipelines

pytestmark = pytest.mark.slow  # for importing the SDK and running its producers


def written(endpoint_url: str, build: Callable[[Any], tuple[list[Any], list[Any]]]) -> Json:
    """The steps by name that SDK 2 writes."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk2_surroundings(endpoint_url, Path(scratch)),
    ):
        import boto3
        from sagemaker.workflow.pipeline import Pipeline
        from sagemaker.workflow.pipeline_context import PipelineSession

        session = PipelineSession(
            boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
        )
        parameters, steps = build(session)
        pipeline = Pipeline(
            name="kinds", parameters=parameters, steps=steps, sagemaker_session=session
        )
        return by_name(json.loads(pipeline.definition()))


def no_defaults(step: Json) -> None:
    """SDK 2 writes `AppManaged: false`, the service's default, beside every input and output."""
    arguments = step["Arguments"]
    outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
    for entry in (*arguments.get("ProcessingInputs", []), *outputs):
        assert entry.pop("AppManaged", False) is False


def test_the_steps_are_the_same(tmp_path: Path) -> None:
    path = write_definition(tmp_path)
    with surroundings.aws_server() as endpoint_url:
        built = Built(endpoint_url, tmp_path, written)
    compiled = pipelines.compile(path, environment="sdk")
    published = dict(item for asset in compiled.assets for item in asset.objects())
    mine = by_name(compiled.definition)
    del mine["configs"], mine["register"]
    pair = with_contents(mine, published), with_contents(built.steps, built.files)
    assert list(differences(*(without(each, no_null_members, no_defaults) for each in pair))) == []
