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

from sdk_variants import variants
from surroundings import BUCKET, CODE, REGION, ROLE, sdk_surroundings

Definition = dict[str, Any]


def produce(endpoint_url: str, code: Path = CODE) -> Definition:
    """The example's pipeline as the SDK's producers define it; `endpoint_url` is moto's.

    `code` is the script of the processing step.
    """
    return build(endpoint_url, lambda session: _example(session, code))


def produce_variants(endpoint_url: str) -> Definition:
    """A pipeline of what the example lacks: property files, a condition, retries, joins, Fail."""
    return build(endpoint_url, variants)


def build(endpoint_url: str, pipeline: Callable[[Any], Any]) -> Definition:
    """The definition of the pipeline that a function makes with a session."""
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


def _example(session: Any, code: Path) -> Any:
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
            code=str(code),
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
