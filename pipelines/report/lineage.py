"""Which data and which code went into a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.local.history import StepRecord
from pipelines.local.places import at, input_uris, listed, output_uris, trained_model
from pipelines.report.model import Source

DEEPEST = 32
"""Steps behind each other that a lineage follows; pipelines without cycles end before."""

_SEARCHED = "TrainingJobSummaries"
_ASSET = re.compile(r"/assets/sha256/([0-9a-f]{64})(?:/|$)")


def lineage_of(container_uris: Iterable[str], steps: Sequence[StepRecord]) -> tuple[Source, ...]:
    """Return where the artefacts of a model come from.

    Args:
        container_uris: the URIs that the model's containers name, code included.
        steps: the steps of the run that made it.
    """
    makers = {uri.rstrip("/"): (step, name) for step in steps for name, uri in _outputs(step)}
    return tuple(_source(uri, "", makers, DEEPEST) for uri in dict.fromkeys(container_uris))


def _outputs(step: StepRecord) -> Iterator[tuple[str, str]]:
    """Yield a step's outputs, the models of all training jobs of a search among them."""
    told = step.properties if isinstance(step.properties, Mapping) else {}
    for rank, job in enumerate(listed(told, _SEARCHED), 1):
        uri = trained_model(told, job)
        if uri is not None:
            tried = job.get("TunedHyperParameters") or {}
            values = " ".join(f"{name}={value}" for name, value in tried.items())
            place = "model" if rank == 1 else f"model, rank {rank}"
            yield f"{place}: {values}" if values else place, uri
    yield from ((name, uri) for name, uri in output_uris(step) if not listed(told, _SEARCHED))


def artefacts(description: Mapping[str, Any]) -> list[str]:
    """Return the URIs of a model's or model package's containers."""
    containers = [
        *listed(at(description, "InferenceSpecification"), "Containers"),
        *listed(description, "Containers"),
    ]
    primary = description.get("PrimaryContainer")
    if isinstance(primary, Mapping):
        containers.append(primary)
    named = [
        uri
        for container in containers
        for uri in (
            container.get("ModelDataUrl"),
            at(container, "Environment", "SAGEMAKER_SUBMIT_DIRECTORY"),
        )
    ]
    return [uri for uri in named if isinstance(uri, str) and "://" in uri]


def _source(uri: str, name: str, makers: Mapping[str, tuple[StepRecord, str]], left: int) -> Source:
    maker = _maker(uri, makers)
    if maker is None:
        asset = _ASSET.search(uri)
        if asset:
            return Source("code", f"code {asset.group(1)[:12]}", uri)
        return Source("data", name or uri.rstrip("/").rpartition("/")[2], uri)
    step, output = maker
    inputs = dict(input_uris(step)).items() if left > 0 else ()
    others = {key: each for key, each in makers.items() if each[0].name != step.name}
    sources = tuple(_source(each, input_name, others, left - 1) for input_name, each in inputs)
    return Source("step", f"{step.name} ({output})", uri, sources)


def _maker(uri: str, makers: Mapping[str, tuple[StepRecord, str]]) -> tuple[StepRecord, str] | None:
    """Return the step whose output a URI is, or lies in."""
    place = uri.rstrip("/")
    while "//" in place and not place.endswith(":/"):
        if place in makers:
            return makers[place]
        place = place.rpartition("/")[0]
    return None
