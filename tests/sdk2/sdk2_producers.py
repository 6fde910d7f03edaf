"""A pipeline built by the producers of SageMaker SDK 2, against moto's server.

What major 2 has its own classes for: SKLearnProcessor, the SKLearn estimator, a condition over a
property file, and RegisterModel by way of ModelStep, which is a collection of steps there.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from surroundings import BUCKET, REGION, ROLE, plain_surroundings

CODE = Path(__file__).parent / "code"


@contextlib.contextmanager
def sdk2_surroundings(endpoint_url: str, scratch: Path) -> Iterator[None]:
    """What SDK 2 must find around it to work with `endpoint_url` and nothing else."""
    with plain_surroundings(endpoint_url, scratch):
        from sagemaker import session

        # The SDK hard-codes the address of STS, whatever AWS_ENDPOINT_URL says.
        with mock.patch.object(session, "sts_regional_endpoint", lambda _: endpoint_url):
            yield


def produce(endpoint_url: str) -> dict[str, Any]:
    """The definition as SDK 2 writes it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk2_surroundings(endpoint_url, Path(scratch)),
    ):
        import boto3
        from sagemaker.workflow.pipeline_context import PipelineSession

        boto3.client("s3").create_bucket(Bucket=BUCKET)
        session = PipelineSession(
            boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
        )
        made: dict[str, Any] = json.loads(_pipeline(session).definition())
        return made


def _pipeline(session: Any) -> Any:
    from sagemaker.workflow.condition_step import ConditionStep
    from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
    from sagemaker.workflow.fail_step import FailStep
    from sagemaker.workflow.functions import Join, JsonGet
    from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
    from sagemaker.workflow.pipeline import Pipeline

    trees = ParameterInteger(name="Trees", default_value=10)
    least = ParameterFloat(name="Least", default_value=0.9)
    approval = ParameterString(
        name="Approval",
        default_value="PendingManualApproval",
        enum_values=["PendingManualApproval"],
    )
    estimator, train = _training(session, trees)
    evaluate, metrics = _evaluation(session, train)
    precision = JsonGet(step_name="evaluate", property_file=metrics, json_path="precision")
    gate = ConditionStep(
        name="good-enough",
        conditions=[ConditionGreaterThanOrEqualTo(left=precision, right=least)],
        if_steps=[_registration(session, estimator, train, evaluate, approval)],
        else_steps=[FailStep(name="reject", error_message=Join(on="", values=["below ", least]))],
    )
    return Pipeline(
        name="producers",
        parameters=[trees, least, approval],
        steps=[train, evaluate, gate],
        sagemaker_session=session,
    )


def _training(session: Any, trees: Any) -> tuple[Any, Any]:
    from sagemaker.inputs import TrainingInput
    from sagemaker.sklearn.estimator import SKLearn
    from sagemaker.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.workflow.steps import CacheConfig, TrainingStep

    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(CODE),
        framework_version="1.4-2",
        instance_type="ml.m5.large",
        instance_count=1,
        volume_size=50,
        max_run=7200,
        role=ROLE,
        output_path=f"s3://{BUCKET}/models",
        hyperparameters={"trees": trees, "rate": 0.5, "name": "forest"},
        environment={"OWNER": "astro"},
        metric_definitions=[{"Name": "loss", "Regex": "loss=(.*)"}],
        tags=[{"Key": "team", "Value": "astro"}],
        disable_profiler=True,
        debugger_hook_config=False,
        sagemaker_session=session,
    )
    arguments = estimator.fit(
        {"train": TrainingInput(f"s3://{BUCKET}/train", content_type="text/csv")}
    )
    step = TrainingStep(
        name="train",
        display_name="Train",
        step_args=arguments,
        cache_config=CacheConfig(enable_caching=True, expire_after="P30D"),
        retry_policies=[
            StepRetryPolicy(
                exception_types=[StepExceptionTypeEnum.THROTTLING],
                interval_seconds=10,
                backoff_rate=1.5,
                max_attempts=3,
            ),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR],
                expire_after_mins=60,
            ),
        ],
    )
    return estimator, step


def _evaluation(session: Any, train: Any) -> tuple[Any, Any]:
    from sagemaker.network import NetworkConfig
    from sagemaker.processing import ProcessingInput, ProcessingOutput
    from sagemaker.sklearn.processing import SKLearnProcessor
    from sagemaker.workflow.execution_variables import ExecutionVariables
    from sagemaker.workflow.functions import Join
    from sagemaker.workflow.properties import PropertyFile
    from sagemaker.workflow.steps import ProcessingStep

    processor = SKLearnProcessor(
        framework_version="1.4-2",
        role=ROLE,
        instance_type="ml.m5.large",
        instance_count=1,
        env={"LOG_LEVEL": "debug"},
        max_runtime_in_seconds=3600,
        network_config=NetworkConfig(
            enable_network_isolation=True,
            subnets=["subnet-0123456789abcdef0"],
            security_group_ids=["sg-0123456789abcdef0"],
        ),
        sagemaker_session=session,
    )
    destination = Join(
        on="",
        values=[f"s3://{BUCKET}/producers/", ExecutionVariables.PIPELINE_EXECUTION_ID, "/report"],
    )
    metrics = PropertyFile(name="metrics", output_name="report", path="metrics.json")
    arguments = processor.run(
        code=str(CODE / "evaluate.py"),
        arguments=["--seed", "7"],
        inputs=[
            ProcessingInput(
                input_name="model",
                source=train.properties.ModelArtifacts.S3ModelArtifacts,
                destination="/opt/ml/processing/model",
            )
        ],
        outputs=[
            ProcessingOutput(
                output_name="report",
                source="/opt/ml/processing/report",
                destination=destination,
            )
        ],
    )
    step = ProcessingStep(
        name="evaluate", step_args=arguments, depends_on=[train], property_files=[metrics]
    )
    return step, metrics


def _registration(session: Any, estimator: Any, train: Any, evaluate: Any, approval: Any) -> Any:
    from sagemaker.model import Model
    from sagemaker.model_metrics import MetricsSource, ModelMetrics
    from sagemaker.workflow.functions import Join
    from sagemaker.workflow.model_step import ModelStep

    report = evaluate.properties.ProcessingOutputConfig.Outputs["report"].S3Output.S3Uri
    model = Model(
        image_uri=estimator.training_image_uri(),
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        role=ROLE,
        sagemaker_session=session,
    )
    arguments = model.register(
        model_package_group_name="producers",
        content_types=["text/csv"],
        response_types=["application/json"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_metrics=ModelMetrics(
            model_statistics=MetricsSource(
                s3_uri=Join(on="", values=[report, "/metrics.json"]),
                content_type="application/json",
            )
        ),
        approval_status=approval,
        description="A candidate classifier",
        customer_metadata_properties={"team": "astro"},
    )
    return ModelStep(name="register", step_args=arguments)
