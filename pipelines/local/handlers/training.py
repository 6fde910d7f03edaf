"""Training: a job that reads channels and leaves a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Call, Handler, StepContext, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.handlers._stand_in import called, store_recorded
from pipelines.local.identity import Identity
from pipelines.local.jobs import run_training
from pipelines.local.jobs.drivers import find_driver
from pipelines.local.jobs.images import parse_image
from pipelines.local.jobs.training import describe_training
from pipelines.local.stand_ins import StandIn, StandIns


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

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the job's container."""
        del members
        return stand_ins.image(str(dig(request, "AlgorithmSpecification", "TrainingImage") or ""))

    def obstacle(self, call: Call) -> str:
        """Say that nothing is known to run: no script, no entry point, no driver, no stand-in."""
        request = call.request
        program = dig(request, "HyperParameters", "sagemaker_program")
        entry = dig(request, "AlgorithmSpecification", "ContainerEntrypoint")
        variable = dig(request, "Environment", "SAGEMAKER_PROGRAM")
        image = str(dig(request, "AlgorithmSpecification", "TrainingImage") or "")
        known = program or entry or variable or call.stand_in
        if known or find_driver(parse_image(image), request):
            return ""
        return f"the request names no script, and nothing stands in for {image or 'its algorithm'}"

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return the request with the job's name, its ARN and where its model will be."""
        place = str(dig(request, "OutputDataConfig", "S3OutputPath") or "").rstrip("/")
        return {
            **request,
            "TrainingJobName": name,
            "TrainingJobArn": identity.arn(f"training-job/{name}"),
            "ModelArtifacts": {"S3ModelArtifacts": f"{place}/{name}/output/model.tar.gz"},
        }

    def outputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URI below which the job leaves its model."""
        return texts([dig(request, "OutputDataConfig", "S3OutputPath")])

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the job."""
        job = job_context(context, "training-job")
        metadata = {"TrainingJob": {"Arn": job.arn}}
        stand_in = context.stand_in
        with as_step_end(metadata):
            if stand_in is None:
                response = run_training(request, job)
            elif stand_in.function:
                response = run_training(request, job, called(stand_in, request))
            else:
                response = describe_training(request, job)
                place = str(dig(response, "ModelArtifacts", "S3ModelArtifacts"))
                store_recorded(stand_in, {"model": place.rpartition("/")[0]}, job)
                response |= stand_in.properties
        model = dig(response, "ModelArtifacts", "S3ModelArtifacts")
        return StepResult(response, metadata, outputs=tuple(texts([model])))
