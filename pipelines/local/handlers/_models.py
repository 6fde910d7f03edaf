"""The models that steps name: made here, or what the handlers file says in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.handlers._contract import StepContext
from pipelines.local.serving import Container, Served, of_model
from pipelines.local.stand_ins import Artefact


def find_model(name: str, context: StepContext) -> Served:
    """Return what a model of a name, or an ARN, consists of.

    Raises:
        ExecutionFailed: there is none here, and nothing stands in for it.
    """
    plain = name.rpartition(":model/")[2]
    record = context.registry.model(plain)
    if record is not None:
        return of_model(record.description, lambda arn: _package(arn, context))
    artefact = context.stand_ins.model(plain)
    if artefact is None:
        example = {"data": "model.tar.gz", "image": "IMAGE"}
        raise ExecutionFailed(
            context.stand_ins.advice(f"the model `{plain}`", "models", plain, example)
        )
    return Served(plain, (_container(artefact),))


def _package(arn: str, context: StepContext) -> Mapping[str, Any]:
    """Return a model package's description."""
    record = context.registry.package_of(arn)
    if record is not None:
        return record.description
    artefact = context.stand_ins.package(arn)
    if artefact is None:
        raise ExecutionFailed(
            context.stand_ins.advice(
                f"the model package `{arn}`", "packages", arn, {"data": "model.tar.gz"}
            )
        )
    container = _container(artefact)
    inner = {
        "Image": container.image,
        "ModelDataUrl": container.model,
        "Environment": dict(container.environment),
    }
    return {"InferenceSpecification": {"Containers": [inner]}}


def _container(artefact: Artefact) -> Container:
    packed = artefact.data.is_file()
    return Container(artefact.image, str(artefact.data), packed, dict(artefact.environment))
