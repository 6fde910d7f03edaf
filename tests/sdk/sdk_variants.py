"""A pipeline of what the SDK's example lacks: retries, property files, conditions, joins, Fail."""

from __future__ import annotations

from typing import Any

from surroundings import BUCKET, CODE, REGION, ROLE


def variants(session: Any) -> Any:
    """The pipeline, built by the SDK's producers with a PipelineSession."""
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
        on="",
        values=[f"s3://{BUCKET}/variants/", ExecutionVariables.PIPELINE_EXECUTION_ID, "/report"],
    )
    train = _retried_training(session, parameters["owner"])
    evaluate, metrics = _evaluation(session, train, parameters["precision"], destination)
    gate = _gate(session, train, evaluate, metrics, parameters)
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
    from sagemaker.train.configs import Compute, InputData

    trainer = ModelTrainer(
        training_image=image_uris.retrieve(
            "sklearn", REGION, version="1.4-2", py_version="py3", instance_type="ml.m5.large"
        ),
        base_job_name="variants-train",
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
            code=str(CODE),
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
        parameters["precision"],
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
        if_steps=[_registration(session, train, evaluate, parameters["approval"])],
        else_steps=[FailStep(name="reject", error_message=Join(on="", values=message))],
    )


def _registration(session: Any, train: Any, evaluate: Any, approval: Any) -> Any:
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
    report = evaluate.properties.ProcessingOutputConfig.Outputs["report"].S3Output.S3Uri
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
                    s3_uri=Join(on="", values=[report, "/metrics.json"]),
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
