"""Transform: a model's predictions for whole files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, job_context, texts
from pipelines.local.handlers._models import find_model
from pipelines.local.transform import run_transform


class TransformHandler(Handler):
    """Serves a model and sends it the input."""

    api_type = "Transform"
    operation = "CreateTransformJob"
    name_field = "TransformJobName"
    # AWS, "Caching pipeline steps", Transform.
    cache_attributes = ("DataProcessing", "Environment", "ModelName", "TransformInput")

    def inputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URI of the input."""
        return texts([dig(request, "TransformInput", "DataSource", "S3DataSource", "S3Uri")])

    def outputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URI below which the predictions are stored."""
        return texts([dig(request, "TransformOutput", "S3OutputPath")])

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the job."""
        job = job_context(context, "transform-job")
        metadata = {"TransformJob": {"Arn": job.arn}}
        try:
            served = find_model(str(request.get("ModelName", "")), context)
        except ExecutionFailed as error:
            raise StepError(str(error), metadata) from None
        with as_step_end(metadata):
            response = run_transform(request, served, job)
        return StepResult(response, metadata, outputs=tuple(self.outputs(request)))
