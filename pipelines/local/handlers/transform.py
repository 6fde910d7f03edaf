"""Transform: a model's predictions for whole files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.handlers._models import find_model
from pipelines.local.objects import ObjectStore
from pipelines.local.registry import Registry
from pipelines.local.transform import run_transform

# What differs between two models that were made of the same.
_OF_ONE_RUN = ("ModelName", "ModelArn", "CreationTime")


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

    def counted(
        self, request: Mapping[str, Any], registry: Registry, objects: ObjectStore
    ) -> Mapping[str, Any]:
        """Return the request with what its model is made of in place of the model's name.

        A CreateModel step makes a model of another name each time, so that by the name alone no
        transform of a model of the same pipeline would ever be found again.
        """
        record = registry.model(str(request.get("ModelName", "")))
        if record is None:
            return request
        made = {key: item for key, item in record.description.items() if key not in _OF_ONE_RUN}
        data = texts(
            dig(container, "ModelDataUrl")
            for container in (made.get("PrimaryContainer"), *each(made.get("Containers")))
        )
        try:
            contents = [objects.digest(uri) for uri in data]
        except ExecutionFailed:
            return request
        return {**request, "ModelName": [made, contents]}

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
