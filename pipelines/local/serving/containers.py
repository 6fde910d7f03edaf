"""The containers that a model or a model package consists of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import ExecutionFailed


@dataclass(frozen=True)
class Container:
    """One container of a model.

    Attributes:
        image: the image's URI.
        model: where its model data are; empty where it has none.
        packed: whether they are one archive, to be unpacked.
        environment: the variables that the request gives it.
    """

    image: str
    model: str
    packed: bool
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Served:
    """Something that can be served.

    Attributes:
        name: what people call it.
        containers: called one after the other.
        content_types: the types of requests that it is registered for; empty where any may come.
    """

    name: str
    containers: tuple[Container, ...]
    content_types: tuple[str, ...] = ()


def of_model(description: Mapping[str, Any], package: Callable[[str], Mapping[str, Any]]) -> Served:
    """Return what a model consists of.

    Args:
        description: shaped like the DescribeModel response.
        package: gives the DescribeModelPackage response for an ARN.

    Raises:
        ExecutionFailed: it has no container.
    """
    name = str(description.get("ModelName", "model"))
    given = [description.get("PrimaryContainer"), *(description.get("Containers") or ())]
    found: list[Container] = []
    types: tuple[str, ...] = ()
    for each in given:
        if not isinstance(each, Mapping):
            continue
        arn = each.get("ModelPackageName")
        if not isinstance(arn, str) or not arn:
            found.append(_container(each))
            continue
        inner = of_package(package(arn))
        types = types or inner.content_types
        own = each.get("Environment") or {}
        found += [
            Container(one.image, one.model, one.packed, {**one.environment, **own})
            for one in inner.containers
        ]
    return Served(name, _some(found, f"the model {name}"), types)


def of_package(description: Mapping[str, Any]) -> Served:
    """Return what a model package consists of.

    Args:
        description: shaped like the DescribeModelPackage response.

    Raises:
        ExecutionFailed: it has no container.
    """
    name = str(description.get("ModelPackageGroupName", "package"))
    version = description.get("ModelPackageVersion")
    name = f"{name} version {version}" if version is not None else name
    specification = description.get("InferenceSpecification") or {}
    found = [_container(each) for each in specification.get("Containers") or ()]
    types = tuple(
        str(each).partition(";")[0].strip().lower()
        for each in specification.get("SupportedContentTypes") or ()
    )
    return Served(name, _some(found, f"the model package {name}"), types)


def _some(found: list[Container], whose: str) -> tuple[Container, ...]:
    if not found:
        raise ExecutionFailed(f"{whose} has no container, so there is nothing to serve")
    return tuple(found)


def _container(given: Mapping[str, Any]) -> Container:
    source = (given.get("ModelDataSource") or {}).get("S3DataSource") or {}
    uri = given.get("ModelDataUrl") or source.get("S3Uri") or given.get("ArtifactUrl") or ""
    environment = given.get("Environment") or {}
    return Container(
        image=str(given.get("Image", "")),
        model=str(uri),
        packed=source.get("CompressionType", "Gzip") != "None",
        environment={str(name): str(value) for name, value in environment.items()},
    )
