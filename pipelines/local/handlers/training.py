"""Training: a job that reads channels and leaves a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Handler, StepContext, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.jobs import run_training


class TrainingHandler(Handler):
    """Runs a training job as a process of this machine."""

    api_type = "Training"
    operation = "CreateTrainingJob"
    name_field = "TrainingJobName"
    # AWS, "Caching pipeline steps", Training.
    cache_attributes = (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    )

    def inputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the job's channels and of the code it names."""
        channels = each(request.get("InputDataConfig"))
        found = texts(dig(item, "DataSource", "S3DataSource", "S3Uri") for item in channels)
        code = dig(request, "HyperParameters", "sagemaker_submit_directory")
        # Script mode writes hyperparameters JSON-encoded: the URI stands in quotes.
        return found + texts([code.strip('"') if isinstance(code, str) else None])

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the job."""
        job = job_context(context, "training-job")
        metadata = {"TrainingJob": {"Arn": job.arn}}
        with as_step_end(metadata):
            response = run_training(request, job)
        model = dig(response, "ModelArtifacts", "S3ModelArtifacts")
        return StepResult(response, metadata, outputs=tuple(texts([model])))
