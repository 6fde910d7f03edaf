"""Pipelines built by the SageMaker SDK's own producers, against moto's server.

`produce` builds the pipeline of AWS's SDK v3 example (Processing, Training with the XGBoost image,
CreateModel and RegisterModel) and `produce_variants` the features the example does without. Both
return the definition as the SDK writes it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from surroundings import BUCKET, REGION, ROLE, sdk_surroundings

PROJECT = Path(__file__).parent / "train-create-register"

Definition = dict[str, Any]


def produce(endpoint_url: str) -> Definition:
    """The example's pipeline as the SDK's producers define it; `endpoint_url` is moto's."""
    return _build(endpoint_url, _example)


def produce_variants(endpoint_url: str) -> Definition:
    """A pipeline of what the example lacks: property files, a condition, retries, joins, Fail."""
    return _build(endpoint_url, _variants)


def _build(endpoint_url: str, pipeline: Callable[[Any], Any]) -> Definition:
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk_surroundings(endpoint_url, Path(scratch)),
    ):
        import boto3
        from sagemaker.core.workflow.pipeline_context import PipelineSession

        session = PipelineSession(
            boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
        )
        definition: Definition = json.loads(pipeline(session).definition())
        return definition


def _example(session: Any) -> Any:
    from sagemaker.core import image_uris
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input
    from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
    from sagemaker.serve.model_builder import ModelBuilder
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, InputData

    processing_count = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    training_type = ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge")
    training_count = ParameterInteger(name="TrainingInstanceCount", default_value=1)
    approval = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    input_data = ParameterString(
        name="InputDataUrl",
        default_value="s3://sagemaker-sample-files/datasets/tabular/uci_abalone/abalone.csv",
    )
    cache = CacheConfig(enable_caching=True, expire_after="30d")
    instance = "ml.m5.xlarge"

    processor = ScriptProcessor(
        image_uri=image_uris.retrieve(
            "sklearn", REGION, version="1.2-1", py_version="py3", instance_type=instance
        ),
        command=["python3"],
        instance_type=instance,
        instance_count=processing_count,
        sagemaker_session=session,
        role=ROLE,
    )
    preprocess = ProcessingStep(
        name="PreprocessAbaloneData",
        step_args=processor.run(
            inputs=[
                ProcessingInput(
                    input_name="input-1",
                    s3_input=ProcessingS3Input(
                        s3_uri=input_data,
                        local_path="/opt/ml/processing/input",
                        s3_data_type="S3Prefix",
                        s3_input_mode="File",
                        s3_data_distribution_type="ShardedByS3Key",
                    ),
                )
            ],
            outputs=[_output(name) for name in ("train", "validation", "test")],
            code=str(PROJECT / "code" / "preprocess.py"),
            arguments=["--input-data", input_data],
        ),
        cache_config=cache,
    )
    image = image_uris.retrieve(
        "xgboost", REGION, version="1.0-1", py_version="py3", instance_type=instance
    )
    outputs = preprocess.properties.ProcessingOutputConfig.Outputs
    trainer = ModelTrainer(
        training_image=image,
        compute=Compute(instance_type=training_type, instance_count=training_count),
        sagemaker_session=session,
        role=ROLE,
        hyperparameters={
            "objective": "reg:linear",
            "num_round": 50,
            "max_depth": 5,
            "eta": 0.2,
            "gamma": 4,
            "min_child_weight": 6,
            "subsample": 0.7,
            "silent": 0,
        },
        input_data_config=[
            InputData(
                channel_name=channel,
                data_source=outputs[channel].S3Output.S3Uri,
                content_type="text/csv",
            )
            for channel in ("train", "validation")
        ],
    )
    train = TrainingStep(name="TrainModelTestStep", step_args=trainer.train(), cache_config=cache)
    builder = ModelBuilder(
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        image_uri=image,
        sagemaker_session=session,
        role_arn=ROLE,
    )
    create = ModelStep(name="CreateModel", step_args=builder.build())
    register = ModelStep(
        name="RegisterModel",
        step_args=builder.register(
            model_package_group_name="my-model-package-group",
            content_types=["application/json"],
            response_types=["application/json"],
            inference_instances=["ml.m5.xlarge"],
            approval_status=approval,
        ),
    )
    return Pipeline(
        name="pipeline-v3",
        parameters=[processing_count, training_type, training_count, approval, input_data],
        steps=[preprocess, train, create, register],
        sagemaker_session=session,
    )


def _output(name: str) -> Any:
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=f"s3://{BUCKET}/pipeline-v3/{name}",
            local_path=f"/opt/ml/processing/{name}",
            s3_upload_mode="EndOfJob",
        ),
    )


def _variants(session: Any) -> Any:
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join
    from sagemaker.core.workflow.parameters import (
        ParameterBoolean,
        ParameterFloat,
        ParameterString,
    )
    from sagemaker.mlops.workflow.pipeline import Pipeline

    parameters = {
        "approval": ParameterString(
            name="Approval",
            default_value="PendingManualApproval",
            enum_values=["PendingManualApproval", "Approved", "Rejected"],
        ),
        "precision": ParameterFloat(name="MinPrecision", default_value=0.9),
        "deploy": ParameterBoolean(name="Deploy", default_value=True),
        "owner": ParameterString(name="Owner"),
    }
    destination = Join(
        on="/",
        values=[f"s3://{BUCKET}/variants", ExecutionVariables.PIPELINE_EXECUTION_ID, "report"],
    )
    train = _retried_training(session, parameters["owner"])
    evaluate, metrics = _evaluation(session, train, parameters["precision"], destination)
    gate = _gate(session, train, evaluate, metrics, destination, parameters)
    return Pipeline(
        name="variants",
        parameters=list(parameters.values()),
        steps=[train, evaluate, gate],
        sagemaker_session=session,
    )


def _retried_training(session: Any, owner: Any) -> Any:
    from sagemaker.core import image_uris
    from sagemaker.core.shapes import StoppingCondition, Tag
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig, TrainingStep
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, InputData, SourceCode

    trainer = ModelTrainer(
        training_image=image_uris.retrieve(
            "sklearn", REGION, version="1.4-2", py_version="py3", instance_type="ml.m5.large"
        ),
        base_job_name="variants-train",
        source_code=SourceCode(source_dir=str(PROJECT / "code"), entry_script="preprocess.py"),
        compute=Compute(
            instance_type="ml.m5.large",
            instance_count=1,
            volume_size_in_gb=50,
            enable_managed_spot_training=True,
        ),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=7200, max_wait_time_in_seconds=10800
        ),
        environment={"OWNER": owner},
        tags=[Tag(key="team", value="astro")],
        sagemaker_session=session,
        role=ROLE,
        hyperparameters={"trees": 10, "rate": 0.5, "name": "forest", "deep": True},
        input_data_config=[InputData(channel_name="train", data_source=f"s3://{BUCKET}/train")],
    )
    return TrainingStep(
        name="train",
        display_name="Train",
        description="Trains with retries",
        step_args=trainer.train(),
        cache_config=CacheConfig(enable_caching=True, expire_after="P30D"),
        retry_policies=[
            StepRetryPolicy(
                exception_types=[
                    StepExceptionTypeEnum.SERVICE_FAULT,
                    StepExceptionTypeEnum.THROTTLING,
                ],
                interval_seconds=10,
                backoff_rate=1.5,
                max_attempts=3,
            ),
            SageMakerJobStepRetryPolicy(
                exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
                failure_reason_types=[
                    SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
                    SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
                ],
                expire_after_mins=60,
            ),
        ],
    )


def _evaluation(session: Any, train: Any, precision: Any, destination: Any) -> tuple[Any, Any]:
    from sagemaker.core import image_uris
    from sagemaker.core.network import NetworkConfig
    from sagemaker.core.processing import ScriptProcessor
    from sagemaker.core.shapes import (
        ProcessingInput,
        ProcessingOutput,
        ProcessingS3Input,
        ProcessingS3Output,
    )
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.steps import ProcessingStep

    processor = ScriptProcessor(
        image_uri=image_uris.retrieve(
            "sklearn", REGION, version="1.4-2", py_version="py3", instance_type="ml.m5.large"
        ),
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        max_runtime_in_seconds=3600,
        env={"LOG_LEVEL": "debug", "MIN_PRECISION": precision.to_string()},
        tags=[{"Key": "team", "Value": "astro"}],
        network_config=NetworkConfig(
            enable_network_isolation=True,
            subnets=["subnet-0123456789abcdef0"],
            security_group_ids=["sg-0123456789abcdef0"],
            encrypt_inter_container_traffic=True,
        ),
        output_kms_key="alias/outputs",
        volume_kms_key="alias/volumes",
        sagemaker_session=session,
        role=ROLE,
    )
    metrics = PropertyFile(name="metrics", output_name="report", path="metrics.json")
    step = ProcessingStep(
        name="evaluate",
        step_args=processor.run(
            inputs=[
                ProcessingInput(
                    input_name="model",
                    s3_input=ProcessingS3Input(
                        s3_uri=train.properties.ModelArtifacts.S3ModelArtifacts,
                        local_path="/opt/ml/processing/model",
                        s3_data_type="S3Prefix",
                        s3_input_mode="File",
                    ),
                )
            ],
            outputs=[
                ProcessingOutput(
                    output_name="report",
                    s3_output=ProcessingS3Output(
                        s3_uri=destination,
                        local_path="/opt/ml/processing/report",
                        s3_upload_mode="EndOfJob",
                    ),
                )
            ],
            code=str(PROJECT / "code" / "preprocess.py"),
            arguments=["--seed", "7", "--min-precision", precision.to_string()],
        ),
        property_files=[metrics],
        depends_on=[train],
    )
    return step, metrics


def _gate(
    session: Any,
    train: Any,
    evaluate: Any,
    metrics: Any,
    report: Any,
    parameters: dict[str, Any],
) -> Any:
    from sagemaker.core.workflow.conditions import (
        ConditionEquals,
        ConditionGreaterThanOrEqualTo,
        ConditionIn,
        ConditionNot,
        ConditionOr,
    )
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep

    def value(path: str) -> Any:
        return JsonGet(step_name=evaluate.name, property_file=metrics, json_path=path)

    message = [
        "precision ",
        value("binary.precision.value"),
        " is below ",
        parameters["precision"].to_string(),
    ]
    return ConditionStep(
        name="good-enough",
        conditions=[
            ConditionGreaterThanOrEqualTo(
                left=value("binary.precision.value"), right=parameters["precision"]
            ),
            ConditionOr(
                conditions=[
                    ConditionEquals(left=parameters["deploy"], right=True),
                    ConditionNot(
                        ConditionIn(value=parameters["owner"], in_values=["nobody", "root"])
                    ),
                ]
            ),
        ],
        if_steps=[_registration(session, train, report, parameters["approval"])],
        else_steps=[FailStep(name="reject", error_message=Join(on="", values=message))],
    )


def _registration(session: Any, train: Any, report: Any, approval: Any) -> Any:
    from sagemaker.core import image_uris
    from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
    from sagemaker.core.workflow.functions import Join
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.serve.model_builder import ModelBuilder

    builder = ModelBuilder(
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        image_uri=image_uris.retrieve(
            "sklearn", REGION, version="1.4-2", py_version="py3", instance_type="ml.m5.large"
        ),
        sagemaker_session=session,
        role_arn=ROLE,
    )
    builder.build()
    return ModelStep(
        name="register",
        step_args=builder.register(
            model_package_group_name="variants",
            content_types=["text/csv"],
            response_types=["application/json"],
            inference_instances=["ml.m5.large"],
            transform_instances=["ml.m5.large"],
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(
                    s3_uri=Join(on="/", values=[report, "metrics.json"]),
                    content_type="application/json",
                )
            ),
            approval_status=approval,
            description="A candidate classifier",
            customer_metadata_properties={"team": "astro"},
            domain="MACHINE_LEARNING",
            task="CLASSIFICATION",
        ),
    )
