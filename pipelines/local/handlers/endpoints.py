"""EndpointConfig, Endpoint and InferenceComponent: records that ``sagedag serve`` reads.

Nothing is started by these steps: an endpoint of a local run is served while somebody serves it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.encoding import moment
from pipelines.local.endpoints import HostingRecord, Kind
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import dig, each, texts
from pipelines.local.handlers._models import find_model
from pipelines.local.handlers.model import check_container

# botocore: EndpointName, EndpointConfigName, InferenceComponentName.
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class EndpointConfigHandler(Handler):
    """Records an endpoint's configuration.

    **[U]** A configuration of a name that exists is replaced, so that a pipeline with a fixed name
    runs twice.
    """

    api_type = "EndpointConfig"
    operation = "CreateEndpointConfig"
    cache_attributes = ("*",)

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Record the configuration; the models of its variants must exist."""
        name = _name(request, "EndpointConfigName", context)
        variants = each(request.get("ProductionVariants"))
        for model in texts(dig(variant, "ModelName") for variant in variants):
            _check_model(model, context)
        arn = context.identity.arn(f"endpoint-config/{name.lower()}")
        described = {key: value for key, value in request.items() if key != "Tags"}
        made = _put("EndpointConfig", name, {**described, "EndpointConfigArn": arn}, context)
        return StepResult(dict(made.description), {"EndpointConfig": {"Arn": arn}})


class EndpointHandler(Handler):
    """Creates an endpoint, or updates the one of its name."""

    api_type = "Endpoint"
    operation = "CreateEndpoint"
    cache_attributes = ("*",)

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Record the endpoint; its configuration must exist."""
        name = _name(request, "EndpointName", context)
        config_name = str(request.get("EndpointConfigName") or "")
        config = context.endpoints.find("EndpointConfig", config_name)
        if config is None:
            known = ", ".join(each.name for each in context.endpoints.all("EndpointConfig")[:10])
            raise StepError(
                f"there is no endpoint configuration `{config_name}` here; there is "
                f"{known or 'none'}"
            )
        arn = context.identity.arn(f"endpoint/{name.lower()}")
        description = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": config_name,
            "ProductionVariants": [
                _variant(variant, context)
                for variant in each(config.description["ProductionVariants"])
            ],
            "EndpointStatus": "InService",
        }
        if "DeploymentConfig" in request:
            description["LastDeploymentConfig"] = request["DeploymentConfig"]
        made = _put("Endpoint", name, description, context)
        return StepResult(dict(made.description), {"Endpoint": {"Arn": arn}})


class InferenceComponentHandler(Handler):
    """Puts a model on an endpoint, or updates the component of its name."""

    api_type = "InferenceComponent"
    operation = "CreateInferenceComponent"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Record the component; its endpoint and its model must exist."""
        name = _name(request, "InferenceComponentName", context)
        endpoint = context.endpoints.find("Endpoint", str(request.get("EndpointName") or ""))
        if endpoint is None:
            raise StepError(f"there is no endpoint `{request.get('EndpointName')}` here")
        variants = [each["VariantName"] for each in endpoint.description["ProductionVariants"]]
        if request.get("VariantName", variants[0]) not in variants:
            raise StepError(
                f"the endpoint `{endpoint.name}` has no variant `{request['VariantName']}`; it has "
                f"{', '.join(variants)}"
            )
        arn = context.identity.arn(f"inference-component/{name.lower()}")
        description = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn,
            "EndpointName": endpoint.name,
            "EndpointArn": endpoint.description["EndpointArn"],
            "VariantName": request.get("VariantName", variants[0]),
            "Specification": _specification(request.get("Specification") or {}, context),
            "InferenceComponentStatus": "InService",
        }
        copies = dig(request, "RuntimeConfig", "CopyCount")
        if isinstance(copies, int):
            description["RuntimeConfig"] = {"DesiredCopyCount": copies, "CurrentCopyCount": copies}
        made = _put("InferenceComponent", name, description, context)
        return StepResult(dict(made.description), {"InferenceComponent": {"Arn": arn}})


def _name(request: Mapping[str, Any], member: str, context: StepContext) -> str:
    """Return the name that a request gives, or one of the step's."""
    name = str(request.get(member) or context.name)
    if not _NAME.fullmatch(name):
        raise StepError(
            f"the {member} `{name[:80]}` must be 1 to 63 letters, digits and single hyphens"
        )
    return name


def _put(
    kind: Kind, name: str, description: Mapping[str, Any], context: StepContext
) -> HostingRecord:
    named = {f"{kind}Name": name, **description}
    return context.endpoints.put(kind, name, context.identity.execution, context.step.name, named)


def _check_model(name: str, context: StepContext) -> None:
    try:
        find_model(name, context)
    except ExecutionFailed as error:
        raise StepError(str(error)) from None


def _variant(given: object, context: StepContext) -> dict[str, Any]:
    """Return a ProductionVariantSummary of a ProductionVariant."""
    assert isinstance(given, Mapping)
    weight = float(given.get("InitialVariantWeight", 1.0))
    summary: dict[str, Any] = {
        "VariantName": given["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "InitialInstanceCount" in given:
        count = given["InitialInstanceCount"]
        summary |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
    if "ServerlessConfig" in given:
        serverless = given["ServerlessConfig"]
        summary |= {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    for member in ("ManagedInstanceScaling", "RoutingConfig"):
        if member in given:
            summary[member] = given[member]
    record = context.registry.model(str(given.get("ModelName", "")))
    image = dig(record.description, "PrimaryContainer", "Image") if record is not None else None
    if isinstance(image, str) and record is not None:
        resolved = moment(record.created)
        summary["DeployedImages"] = [{"SpecifiedImage": image, "ResolutionTime": resolved}]
    return summary


def _specification(given: Mapping[str, Any], context: StepContext) -> dict[str, Any]:
    """Return an InferenceComponentSpecificationSummary; its model must exist."""
    summary = {key: value for key, value in given.items() if key != "Container"}
    model = given.get("ModelName")
    if isinstance(model, str):
        _check_model(model, context)
    container = given.get("Container")
    if isinstance(container, Mapping):
        check_container({"ModelDataUrl": container.get("ArtifactUrl")}, context)
        summary["Container"] = {
            "DeployedImage": {"SpecifiedImage": container.get("Image", "")},
            **{key: container[key] for key in ("ArtifactUrl", "Environment") if key in container},
        }
    return summary
