"""What ``sagedag serve`` is asked to serve: an endpoint, a model, a package or a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipelines.definition.problems import nearest
from pipelines.errors import ExecutionFailed, UsageError
from pipelines.local.endpoints import Endpoints, HostingRecord
from pipelines.local.history import History
from pipelines.local.registry import ModelRecord, PackageRecord, Registry
from pipelines.local.serving.containers import Container, Served, of_model, of_package
from pipelines.local.store import Store


@dataclass(frozen=True)
class Target:
    """What is served, and how it was found.

    Attributes:
        served: its containers.
        kind: ``model``, ``model package`` or ``endpoint``.
        origin: the run and the step that made it, or the variant of the endpoint.
    """

    served: Served
    kind: str
    origin: str


def find_target(store: Store, text: str, part: str = "") -> Target:
    """Find what a word means: an endpoint's name, a model's, a package's or a run's.

    Args:
        store: an open store.
        text: the name of an endpoint or a model, ``GROUP``, ``GROUP:VERSION``, a package's ARN, a
            run's id or ``latest``.
        part: the variant or inference component of an endpoint; by default the variant with the
            largest weight.

    Raises:
        UsageError: it means nothing here, or several things.
        ExecutionFailed: what it means has no container.
    """
    lookup = _Lookup(store)
    endpoint = lookup.endpoints.find("Endpoint", text.rpartition(":endpoint/")[2])
    if endpoint is not None:
        return lookup.of_endpoint(endpoint, part)
    if part:
        raise UsageError(f"`{text}` is no endpoint, so it has no variant `{part}`")
    model = lookup.registry.model(text.rpartition(":model/")[2])
    if model is not None:
        return lookup.of_model(model)
    package = lookup.package(text)
    if package is not None:
        return lookup.of_package(package)
    return lookup.of_run(text)


class _Lookup:
    """Looks into one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.registry = Registry(store)
        self.endpoints = Endpoints(store)

    def of_model(self, record: ModelRecord) -> Target:
        served = of_model(record.description, self._description)
        return Target(served, "model", f"run {record.execution}, step {record.step}")

    def of_package(self, record: PackageRecord) -> Target:
        served = of_package(record.description)
        return Target(served, "model package", f"run {record.execution}, step {record.step}")

    def package(self, text: str) -> PackageRecord | None:
        """Return the package that a group's name, with or without a version, or an ARN means."""
        found = self.registry.package_of(text)
        if found is not None:
            return found
        group, sign, version = text.replace("/", ":").partition(":")
        if group not in {each.name for each in self.registry.groups()}:
            return None
        if sign and not version.isdigit():
            raise UsageError(f"`{text}`: a version is a number, as in `{group}:1`")
        return self.registry.package(group, int(version) if sign else None)

    def of_run(self, text: str) -> Target:
        """Return the one model that a run made; where it made none, its one package."""
        try:
            record = History(self._store).find(text)
        except UsageError:
            raise self._unknown(text) from None
        models = self.registry.models_of(record.id)
        packages = self.registry.packages_of(record.id)
        if len(models) == 1:
            return self.of_model(models[0])
        if not models and len(packages) == 1:
            return self.of_package(packages[0])
        names = [each.name for each in models]
        names += [f"{each.group}:{each.version}" for each in packages]
        if not names:
            raise UsageError(
                f"run {record.id} made no model and registered no package",
                "a CreateModel or RegisterModel step makes what can be served",
            )
        raise UsageError(f"run {record.id} made several; name one of: {', '.join(names)}")

    def of_endpoint(self, record: HostingRecord, part: str) -> Target:
        """Return the model behind an endpoint: a variant's, or an inference component's."""
        config = self.endpoints.find(
            "EndpointConfig", str(record.description.get("EndpointConfigName"))
        )
        variants = {
            str(each["VariantName"]): each
            for each in (config.description.get("ProductionVariants") or () if config else ())
            if each.get("ModelName")
        }
        components = {each.name: each for each in self.endpoints.components_of(record.name)}
        if not part:
            part = max(variants, key=lambda name: _weight(variants[name]), default="")
            part = part or next(iter(components), "")
        if part in variants:
            served = self._model(str(variants[part]["ModelName"]))
        elif part in components:
            served = self._component(components[part])
        else:
            known = ", ".join([*variants, *components]) or "none"
            raise UsageError(
                f"the endpoint `{record.name}` has no variant or component `{part}` with a model; "
                f"it has {known}"
            )
        several = len(variants) + len(components)
        chosen = f"{part}, one of {several}" if several > 1 else part
        return Target(replace(served, name=record.name), "endpoint", chosen)

    def _component(self, record: HostingRecord) -> Served:
        specification = record.description.get("Specification") or {}
        if "ModelName" in specification:
            return self._model(str(specification["ModelName"]))
        given = specification.get("Container") or {}
        image = (given.get("DeployedImage") or {}).get("SpecifiedImage", "")
        environment = {str(k): str(v) for k, v in (given.get("Environment") or {}).items()}
        container = Container(str(image), str(given.get("ArtifactUrl", "")), True, environment)
        return Served(record.name, (container,))

    def _model(self, name: str) -> Served:
        record = self.registry.model(name)
        if record is None:
            raise ExecutionFailed(f"the model `{name}` is not in the local store")
        return of_model(record.description, self._description)

    def _description(self, arn: str) -> Mapping[str, Any]:
        record = self.registry.package_of(arn)
        if record is None:
            raise ExecutionFailed(f"the model package {arn} is not registered here")
        return record.description

    def _unknown(self, text: str) -> UsageError:
        names = [each.name for each in self.endpoints.all("Endpoint")]
        names += [each.name for each in self.registry.models()]
        names += [each.name for each in self.registry.groups()]
        return UsageError(
            f"`{text}` is no endpoint, model, model package group or run here"
            + nearest(text, names),
            hint="`sagedag models` and `sagedag runs` show what there is",
        )


def _weight(variant: Mapping[str, Any]) -> float:
    return float(variant.get("InitialVariantWeight", 1.0))
