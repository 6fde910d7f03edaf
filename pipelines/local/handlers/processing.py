"""Processing: a job that reads inputs and writes outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Call, Handler, StepContext, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.handlers._stand_in import called, store_recorded
from pipelines.local.identity import Identity
from pipelines.local.jobs import JobContext, run_processing
from pipelines.local.jobs.drivers import find_processing_driver
from pipelines.local.jobs.images import parse_image
from pipelines.local.jobs.processing import describe_processing
from pipelines.local.stand_ins import StandIn, StandIns


class ProcessingHandler(Handler):
    """Runs a processing job as a process of this machine."""

    api_type = "Processing"
    operation = "CreateProcessingJob"
    name_field = "ProcessingJobName"
    # AWS, "Caching pipeline steps", Processing.
    cache_attributes = ("AppSpecification", "Environment", "ProcessingInputs")

    def inputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the job's inputs, its code included."""
        inputs = each(request.get("ProcessingInputs"))
        return texts(dig(item, "S3Input", "S3Uri") for item in inputs)

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the job's container."""
        del members
        return stand_ins.image(str(dig(request, "AppSpecification", "ImageUri") or ""))

    def obstacle(self, call: Call) -> str:
        """Say that nothing is known to run: no entry point, no stand-in."""
        entry = dig(call.request, "AppSpecification", "ContainerEntrypoint")
        if entry or call.stand_in is not None:
            return ""
        image = str(dig(call.request, "AppSpecification", "ImageUri") or "")
        if find_processing_driver(parse_image(image), call.request) is not None:
            return ""
        return f"the request has no ContainerEntrypoint, and nothing stands in for {image}"

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return the request with the job's name and ARN."""
        arn = identity.arn(f"processing-job/{name}")
        return {**request, "ProcessingJobName": name, "ProcessingJobArn": arn}

    def outputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the job's outputs."""
        outputs = each(dig(request, "ProcessingOutputConfig", "Outputs"))
        return texts(dig(item, "S3Output", "S3Uri") for item in outputs)

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the job."""
        job = job_context(context, "processing-job")
        metadata = {"ProcessingJob": {"Arn": job.arn}}
        stand_in = context.stand_in
        with as_step_end(metadata):
            if stand_in is None:
                response = run_processing(request, job)
            else:
                response = run_stand_in(request, job, stand_in)
        return StepResult(response, metadata, outputs=tuple(self.outputs(request)))


def run_stand_in(request: Mapping[str, Any], job: JobContext, stand_in: StandIn) -> dict[str, Any]:
    """Run a function in the container's place, or give back what was recorded."""
    if not stand_in.function:
        uris = {
            str(dig(item, "OutputName")): str(dig(item, "S3Output", "S3Uri"))
            for item in each(dig(request, "ProcessingOutputConfig", "Outputs"))
        }
        store_recorded(stand_in, uris, job)
        return {**describe_processing(request, job), **stand_in.properties}
    return run_processing(request, job, called(stand_in, request))
