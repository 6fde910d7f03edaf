"""A pipeline of the SDK 3's own drivers: FrameworkProcessor, and ModelTrainer with source code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from surroundings import REGION, ROLE

SOURCE = Path(__file__).parent / "scripts" / "source"


def drivers_pipeline(session: Any) -> Any:
    """Doubles numbers, then trains on them."""
    from sagemaker.core import image_uris
    from sagemaker.core.processing import FrameworkProcessor
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep
    from sagemaker.train import ModelTrainer
    from sagemaker.train.configs import Compute, InputData, SourceCode

    instance = "ml.m5.xlarge"
    image = image_uris.retrieve(
        "sklearn", REGION, version="1.2-1", py_version="py3", instance_type=instance
    )
    processor = FrameworkProcessor(
        image_uri=image,
        command=["python3"],
        instance_type=instance,
        instance_count=1,
        sagemaker_session=session,
        role=ROLE,
    )
    output = ProcessingOutput(
        output_name="numbers",
        s3_output=ProcessingS3Output(
            s3_uri=f"s3://{session.default_bucket()}/numbers",
            local_path="/opt/ml/processing/output",
            s3_upload_mode="EndOfJob",
        ),
    )
    process = ProcessingStep(
        name="Double",
        step_args=processor.run(
            code="process.py", source_dir=str(SOURCE), arguments=["1", "2", "3"], outputs=[output]
        ),
    )
    trainer = ModelTrainer(
        training_image=image,
        compute=Compute(instance_type=instance, instance_count=1),
        sagemaker_session=session,
        role=ROLE,
        source_code=SourceCode(source_dir=str(SOURCE), entry_script="train.py"),
        hyperparameters={"depth": 3, "kind": "a forest"},
        input_data_config=[
            InputData(
                channel_name="numbers",
                data_source=process.properties.ProcessingOutputConfig.Outputs[
                    "numbers"
                ].S3Output.S3Uri,
            )
        ],
    )
    train = TrainingStep(name="Train", step_args=trainer.train())
    return Pipeline(name="drivers", steps=[process, train], sagemaker_session=session)
