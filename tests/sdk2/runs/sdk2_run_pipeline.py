"""A pipeline that runs, built by SDK 2: processors, estimator, condition, RegisterModel.

RegisterModel is the step collection: given a script, it repacks the model by a training job first.
What it builds without a script is recorded in tests/local/recorded, where it runs without SDK 2.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sdk2_producers import sdk2_surroundings
from surroundings import BUCKET, REGION, ROLE

CODE = Path(__file__).parent / "code"


def produce_runnable(endpoint_url: str, repacked: bool) -> dict[str, Any]:
    """The definition as SDK 2 writes it; its code lies in the bucket of `endpoint_url`."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk2_surroundings(endpoint_url, Path(scratch)),
    ):
        # Repacking, the SDK adds files of its own to the folder.
        code = Path(shutil.copytree(CODE, Path(scratch) / "code"))
        import boto3
        from sagemaker.workflow.pipeline_context import PipelineSession

        boto3.client("s3").create_bucket(Bucket=BUCKET)
        session = PipelineSession(
            boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
        )
        made: dict[str, Any] = json.loads(_pipeline(session, code, repacked).definition())
        return made


def _pipeline(session: Any, code: Path, repacked: bool) -> Any:
    from sagemaker.sklearn.processing import SKLearnProcessor
    from sagemaker.workflow.condition_step import ConditionStep
    from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
    from sagemaker.workflow.fail_step import FailStep
    from sagemaker.workflow.functions import Join, JsonGet
    from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
    from sagemaker.workflow.pipeline import Pipeline
    from sagemaker.workflow.properties import PropertyFile

    data = ParameterString(name="InputData", default_value=f"s3://{BUCKET}/data")
    rounds = ParameterInteger(name="Rounds", default_value=30)
    most = ParameterFloat(name="MostError", default_value=0.1)
    processor = SKLearnProcessor(
        framework_version="1.2-1",
        role=ROLE,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        base_job_name="sklearn",
        sagemaker_session=session,
    )
    preprocess = _preprocess(processor, code, data)
    estimator, train = _train(session, code, rounds, preprocess)
    report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
    evaluate = _evaluate(processor, code, train, preprocess, report)
    error = JsonGet(
        step_name=evaluate.name,
        property_file=report,
        json_path="regression_metrics.max_error.value",
    )
    gate = ConditionStep(
        name="CheckError",
        conditions=[ConditionLessThanOrEqualTo(left=error, right=most)],
        if_steps=[_register(estimator, code if repacked else None, train, evaluate)],
        else_steps=[
            FailStep(name="Reject", error_message=Join(on=" ", values=["error above", most]))
        ],
    )
    return Pipeline(
        name="sdk2-runs",
        parameters=[data, rounds, most],
        steps=[preprocess, train, evaluate, gate],
        sagemaker_session=session,
    )


def _preprocess(processor: Any, code: Path, data: Any) -> Any:
    from sagemaker.processing import ProcessingInput, ProcessingOutput
    from sagemaker.workflow.steps import ProcessingStep

    return ProcessingStep(
        name="Preprocess",
        step_args=processor.run(
            code=str(code / "preprocess.py"),
            arguments=["--share", "0.8"],
            inputs=[ProcessingInput(source=data, destination="/opt/ml/processing/input")],
            outputs=[
                ProcessingOutput(output_name=name, source=f"/opt/ml/processing/{name}")
                for name in ("train", "test")
            ],
        ),
    )


def _train(session: Any, code: Path, rounds: Any, preprocess: Any) -> tuple[Any, Any]:
    from sagemaker.inputs import TrainingInput
    from sagemaker.sklearn.estimator import SKLearn
    from sagemaker.workflow.steps import TrainingStep

    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(code),
        framework_version="1.2-1",
        instance_type="ml.m5.xlarge",
        role=ROLE,
        hyperparameters={"rounds": rounds, "name": "a factor"},
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        sagemaker_session=session,
    )
    uri = preprocess.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    arguments = estimator.fit({"train": TrainingInput(uri, content_type="text/csv")})
    return estimator, TrainingStep(name="Train", step_args=arguments)


def _evaluate(processor: Any, code: Path, train: Any, preprocess: Any, report: Any) -> Any:
    from sagemaker.processing import ProcessingInput, ProcessingOutput
    from sagemaker.workflow.steps import ProcessingStep

    outputs = preprocess.properties.ProcessingOutputConfig.Outputs
    return ProcessingStep(
        name="Evaluate",
        step_args=processor.run(
            code=str(code / "evaluate.py"),
            inputs=[
                ProcessingInput(
                    source=train.properties.ModelArtifacts.S3ModelArtifacts,
                    destination="/opt/ml/processing/model",
                ),
                ProcessingInput(
                    source=outputs["test"].S3Output.S3Uri,
                    destination="/opt/ml/processing/test",
                ),
            ],
            outputs=[
                ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")
            ],
        ),
        property_files=[report],
    )


def _register(estimator: Any, code: Path | None, train: Any, evaluate: Any) -> Any:
    from sagemaker.model_metrics import MetricsSource, ModelMetrics
    from sagemaker.workflow.functions import Join
    from sagemaker.workflow.step_collections import RegisterModel

    report = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri
    return RegisterModel(
        name="Register",
        estimator=estimator,
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        content_types=["text/csv"],
        response_types=["application/json"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="factors",
        approval_status="Approved",
        model_metrics=ModelMetrics(
            model_statistics=MetricsSource(
                s3_uri=Join(on="/", values=[report, "evaluation.json"]),
                content_type="application/json",
            )
        ),
        **({"entry_point": "inference.py", "source_dir": str(code)} if code else {}),
    )
