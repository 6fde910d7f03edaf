"""Model: CreateModel, recorded in the local store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import SagedagError
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import dig, each, texts

# Members of the request that the Describe response does not have (botocore: DescribeModelOutput).
_NOT_DESCRIBED = ("Tags", "ModelName")


class ModelHandler(Handler):
    """Records a model."""

    api_type = "Model"
    operation = "CreateModel"
    name_field = "ModelName"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Record the model; its artefacts must exist."""
        containers = [request.get("PrimaryContainer"), *each(request.get("Containers"))]
        for container in containers:
            check_container(container, context)
        arn = context.identity.arn(f"model/{context.name}")
        description = {
            "ModelName": context.name,
            **{key: value for key, value in request.items() if key not in _NOT_DESCRIBED},
            "ModelArn": arn,
            "EnableNetworkIsolation": bool(request.get("EnableNetworkIsolation", False)),
        }
        try:
            record = context.registry.create_model(
                context.name, context.identity.execution, context.step.name, description
            )
        except ValueError as error:
            raise StepError(str(error)) from None
        return StepResult(dict(record.description), {"Model": {"Arn": arn}})


def check_container(container: object, context: StepContext) -> None:
    """Check that what a container names exists here.

    Raises:
        StepError: its model data or its model package does not.
    """
    if not isinstance(container, Mapping):
        return
    uris = [
        container.get("ModelDataUrl"),
        dig(container, "ModelDataSource", "S3DataSource", "S3Uri"),
    ]
    for uri in texts(uris):
        try:
            found = context.objects.exists(uri)
        except SagedagError as error:
            raise StepError(f"the model data {uri} cannot be read: {error}") from None
        if not found:
            raise StepError(f"the model data {uri} does not exist in the local store")
    package = container.get("ModelPackageName")
    if not isinstance(package, str) or context.registry.has_package(package):
        return
    if context.stand_ins.package(package) is None:
        name = package.partition(":model-package/")[2] or package
        what = f"the model package {name}"
        advice = context.stand_ins.advice(what, "packages", name, "models/model.tar.gz")
        raise StepError(f"the model package {package} is not registered here, and {advice}")
