"""Transform steps equal those of the SDK's Transformer; no generated field is excepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs

pytestmark = pytest.mark.slow  # for importing the SDK

DEFINITION = """
parameters: {Model: pulsar-7}
steps:
  plain:
    type: Transform
    model: "${parameters.Model}"
    instance: ml.m5.large
    input: s3://survey/candidates
    output: s3://survey/predictions
  full:
    type: Transform
    model: "${parameters.Model}"
    instance: {type: ml.m5.xlarge, count: 2, kms_key: alias/volumes}
    input: {source: "${steps.plain.output}", content_type: text/csv, split_type: Line,
            compression: Gzip, data_type: ManifestFile}
    output: {destination: s3://survey/full, accept: text/csv, assemble_with: Line}
    input_filter: "$[1:]"
    output_filter: "$[0,-1]"
    join_source: Input
    strategy: MultiRecord
    max_payload_mb: 6
    max_concurrent: 4
    environment: {LEVEL: info}
    kms_key: alias/outputs
    tags: {team: astro}
    cache: 7d
    retry: [{on: [throttling], attempts: 3}, {on: [capacity], attempts: 3}]
    request: {ModelClientConfig: {InvocationsTimeoutInSeconds: 600}}
"""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.transformer import Transformer
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig, TransformStep

    model = ParameterString(name="Model", default_value="pulsar-7")
    plain = Transformer(
        model_name=model,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path="s3://survey/predictions",
        sagemaker_session=session,
    )
    first = TransformStep("plain", step_args=plain.transform("s3://survey/candidates"))
    full = Transformer(
        model_name=model,
        instance_count=2,
        instance_type="ml.m5.xlarge",
        strategy="MultiRecord",
        assemble_with="Line",
        output_path="s3://survey/full",
        output_kms_key="alias/outputs",
        accept="text/csv",
        max_concurrent_transforms=4,
        max_payload=6,
        tags=[{"Key": "team", "Value": "astro"}],
        env={"LEVEL": "info"},
        volume_kms_key="alias/volumes",
        sagemaker_session=session,
    )
    second = TransformStep(
        "full",
        step_args=full.transform(
            first.properties.TransformOutput.S3OutputPath,
            data_type="ManifestFile",
            content_type="text/csv",
            compression_type="Gzip",
            split_type="Line",
            input_filter="$[1:]",
            output_filter="$[0,-1]",
            join_source="Input",
            model_client_config={"InvocationsTimeoutInSeconds": 600},
        ),
        cache_config=CacheConfig(enable_caching=True, expire_after="7d"),
        retry_policies=[
            StepRetryPolicy(
                exception_types=[StepExceptionTypeEnum(value="Step.THROTTLING")], max_attempts=3
            ),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum(value="SageMaker.CAPACITY_ERROR")],
                max_attempts=3,
            ),
        ],
    )
    return [model], [first, second]


@pytest.fixture(scope="module")
def built(aws: str) -> dict[str, Any]:
    return theirs(aws, build)


def test_the_steps_are_the_same(built: dict[str, Any], tmp_path: Path) -> None:
    assert list(differences(ours(tmp_path, DEFINITION), built)) == []
