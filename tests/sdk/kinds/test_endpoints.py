"""EndpointConfig, Endpoint and InferenceComponent steps equal those that the SDK's session makes.

What the SDK's producers can't say (a deployment, shadow variants) is left out here; no generated
field is excepted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs

pytestmark = pytest.mark.slow  # for importing the SDK

DEFINITION = """
parameters: {Model: pulsar-7}
steps:
  config:
    type: EndpointConfig
    name: "pulsar-${execution.id}"
    variants:
      main: {model: "${parameters.Model}", instance: {type: ml.m5.large, count: 2, volume_gb: 64},
             weight: 0.5, scaling: {min: 1, max: 4}}
      small: {model: pulsar-8, serverless: {memory_mb: 2048, max_concurrency: 5}}
    data_capture: {destination: s3://survey/captured, percent: 10, modes: [Input],
                   kms_key: alias/captured}
    async_inference: {destination: s3://survey/out, failures: s3://survey/bad, max_concurrent: 4,
                      kms_key: alias/out, success_topic: "arn:aws:sns:us-east-1:123456789012:ok"}
    kms_key: alias/volumes
    network: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], isolation: true}
    role: arn:aws:iam::123456789012:role/pipelines
    tags: {team: astro}
    cache: 7d
    retry: {on: [throttling], attempts: 3}
  shared:
    type: EndpointConfig
    name: shared
    variants: {main: {instance: ml.g5.xlarge}}
  endpoint: {type: Endpoint, name: pulsar, config: "${steps.config.name}", cache: 1d}
  tagged: {type: Endpoint, name: tagged, config: shared, tags: {team: astro}}
  component:
    type: InferenceComponent
    name: component
    endpoint: "${steps.endpoint.name}"
    variant: main
    model: "${parameters.Model}"
    copies: 2
    cpus: 0.5
    accelerators: 1
    memory_mb: 1024
    tags: {team: astro}
  plain:
    type: InferenceComponent
    name: plain
    endpoint: pulsar
    variant: main
    model: pulsar-8
    memory_mb: 512
"""


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.helper.session_helper import production_variant
    from sagemaker.core.inference_config import AsyncInferenceConfig, ServerlessInferenceConfig
    from sagemaker.core.model_monitor.data_capture_config import DataCaptureConfig
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
    from sagemaker.mlops.workflow.inference_component_step import InferenceComponentStep
    from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
    from sagemaker.mlops.workflow.steps import CacheConfig

    role = "arn:aws:iam::123456789012:role/pipelines"
    model = ParameterString(name="Model", default_value="pulsar-7")
    name = Join(on="", values=["pulsar-", ExecutionVariables.PIPELINE_EXECUTION_ID])
    serverless = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=5)
    main = production_variant(
        model_name=model,
        variant_name="main",
        instance_type="ml.m5.large",
        initial_instance_count=2,
        initial_weight=0.5,
        volume_size=64,
        managed_instance_scaling={
            "Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 4,
        },
    )  # fmt: skip
    small = production_variant(
        model_name="pulsar-8",
        variant_name="small",
        serverless_inference_config=serverless._to_request_dict(),
    )
    captured = DataCaptureConfig(
        True, 10, "s3://survey/captured", "alias/captured", ["REQUEST"], sagemaker_session=session
    )
    later = AsyncInferenceConfig(
        "s3://survey/out",
        4,
        "alias/out",
        {"SuccessTopic": "arn:aws:sns:us-east-1:123456789012:ok"},
        "s3://survey/bad",
    )
    config = EndpointConfigStep(
        "config",
        session.create_endpoint_config(
            name=name,
            production_variants=[main, small],
            tags=[{"Key": "team", "Value": "astro"}],
            kms_key="alias/volumes",
            data_capture_config_dict=captured._to_request_dict(),
            async_inference_config_dict=later._to_request_dict(),
            vpc_config={"Subnets": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
            enable_network_isolation=True,
            role=role,
        ),
        cache_config=CacheConfig(enable_caching=True, expire_after="7d"),
        retry_policies=[
            StepRetryPolicy(
                exception_types=[StepExceptionTypeEnum(value="Step.THROTTLING")], max_attempts=3
            )
        ],
    )
    alone = production_variant(
        model_name=None, variant_name="main", instance_type="ml.g5.xlarge", initial_weight=1
    )
    shared = EndpointConfigStep(
        "shared",
        session.create_endpoint_config(name="shared", production_variants=[alone], role=role),
    )
    endpoint = EndpointStep(
        "endpoint",
        session.create_endpoint("pulsar", config.properties.EndpointConfigName),
        cache_config=CacheConfig(enable_caching=True, expire_after="1d"),
    )
    tagged = EndpointStep(
        "tagged",
        session.create_endpoint("tagged", "shared", tags=[{"Key": "team", "Value": "astro"}]),
    )
    component = InferenceComponentStep(
        "component",
        session.create_inference_component(
            "component",
            endpoint.properties.EndpointName,
            "main",
            {
                "ModelName": model,
                "ComputeResourceRequirements": {
                    "NumberOfCpuCoresRequired": 0.5,
                    "NumberOfAcceleratorDevicesRequired": 1,
                    "MinMemoryRequiredInMb": 1024,
                },
            },
            runtime_config={"CopyCount": 2},
            tags=[{"Key": "team", "Value": "astro"}],
        ),
    )
    plain = InferenceComponentStep(
        "plain",
        session.create_inference_component(
            "plain",
            "pulsar",
            "main",
            {
                "ModelName": "pulsar-8",
                "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 512},
            },
        ),
    )
    return [model], [config, shared, endpoint, tagged, component, plain]


@pytest.fixture(scope="module")
def built(aws: str) -> dict[str, Any]:
    return theirs(aws, build)


def test_the_steps_are_the_same(built: dict[str, Any], tmp_path: Path) -> None:
    assert list(differences(ours(tmp_path, DEFINITION), built)) == []
