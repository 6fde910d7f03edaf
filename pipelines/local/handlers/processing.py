"""Processing: a job that reads inputs and writes outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Handler, StepContext, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.jobs import run_processing


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

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the job."""
        job = job_context(context, "processing-job")
        metadata = {"ProcessingJob": {"Arn": job.arn}}
        with as_step_end(metadata):
            response = run_processing(request, job)
        outputs = each(dig(request, "ProcessingOutputConfig", "Outputs"))
        uris = texts(dig(item, "S3Output", "S3Uri") for item in outputs)
        return StepResult(response, metadata, outputs=tuple(uris))
