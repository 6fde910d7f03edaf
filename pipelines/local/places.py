"""Where a step's inputs and outputs lie, read from its request and its properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.local.history import StepRecord


def output_uris(step: StepRecord) -> Iterator[tuple[str, str]]:
    """Yield the outputs that a step left: name and URI."""
    told = step.properties if isinstance(step.properties, Mapping) else {}
    for output in listed(told.get("ProcessingOutputConfig"), "Outputs"):
        uri = at(output, "S3Output", "S3Uri")
        if isinstance(uri, str):
            yield str(output.get("OutputName")), uri
    model = at(told, "ModelArtifacts", "S3ModelArtifacts")
    if isinstance(model, str):
        yield "model", model
        # There where the job left further files (API reference, OutputDataConfig).
        yield "output", f"{model.rpartition('/')[0]}/output.tar.gz"
    transformed = at(told, "TransformOutput", "S3OutputPath")
    if isinstance(transformed, str):
        yield "output", transformed
    best = at(told, "BestTrainingJob")
    if isinstance(best, Mapping) and (uri := trained_model(told, best)):
        yield "model", uri


def trained_model(told: Mapping[str, Any], job: Mapping[str, Any]) -> str | None:
    """Return the model of a training job of a search.

    Args:
        told: what the tuning job tells of itself.
        job: the training job's summary.
    """
    name = job.get("TrainingJobName")
    mine = [
        each
        for each in listed(told, "TrainingJobDefinitions")
        if each.get("DefinitionName") == job.get("TrainingJobDefinitionName")
    ]
    definition = mine[0] if mine else told.get("TrainingJobDefinition")
    folder = at(definition, "OutputDataConfig", "S3OutputPath")
    if not isinstance(name, str) or not isinstance(folder, str):
        return None
    return f"{folder.rstrip('/')}/{name}/output/model.tar.gz"


def input_uris(step: StepRecord) -> Iterator[tuple[str, str]]:
    """Yield what a step read: name and URI, code included."""
    asked = step.request if isinstance(step.request, Mapping) else {}
    for item in listed(asked, "ProcessingInputs"):
        uri = at(item, "S3Input", "S3Uri")
        if isinstance(uri, str):
            yield str(item.get("InputName")), uri
    several = listed(asked, "TrainingJobDefinitions")
    for job in (asked, asked.get("TrainingJobDefinition"), *several):
        for channel in listed(job, "InputDataConfig"):
            uri = at(channel, "DataSource", "S3DataSource", "S3Uri")
            if isinstance(uri, str):
                yield str(channel.get("ChannelName")), uri
        for name in ("HyperParameters", "StaticHyperParameters"):
            code = at(job, name, "sagemaker_submit_directory")
            if isinstance(code, str):
                yield "code", code.strip('"')
    data = at(asked, "TransformInput", "DataSource", "S3DataSource", "S3Uri")
    if isinstance(data, str):
        yield "data", data


def at(value: Any, *path: str) -> Any:
    """Return what lies at a path of maps; None where there is nothing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def listed(value: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the maps of a list member; none where it is missing."""
    found = at(value, name)
    items = found if isinstance(found, list) else []
    return [item for item in items if isinstance(item, Mapping)]
