"""Requests judged by botocore itself, with the expressions' values filled in.

This is on purpose not the product's own judge. botocore's validator knows members, types and least
lengths; what it leaves out (enums, patterns, greatest lengths) is looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import botocore.session
import regex
from botocore.model import Shape
from botocore.validate import ParamValidator

from steps import KINDS

OPERATIONS = {kind.api_type: kind.operation for kind in KINDS if kind.operation}
SUPPLIED = {name: "a-name" for kind in KINDS for name in kind.supplied}
"""Names that the service makes up where the definition gives none."""

DESCRIBED = {
    kind.api_type: kind.describe for kind in KINDS if kind.describe and kind.service == "sagemaker"
}
EXECUTION = {
    "PipelineExecutionId": "abcdefghijkl",
    "PipelineExecutionArn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/abc",
    "PipelineName": "a-pipeline",
    "PipelineArn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p",
    "StartDateTime": "2026-01-01T00:00:00Z",
    "CurrentDateTime": "2026-01-01T00:00:00Z",
    "TrainingJobName": "a-job",
    "ProcessingJobName": "a-job",
}
SAMPLES = (
    "s3://bucket/key",
    "arn:aws:sagemaker:eu-west-1:111122223333:model-package/group/1",
    "arn:aws:iam::111122223333:role/role",
    "a-name",
    "1",
)
TYPES = {
    "string": str,
    "timestamp": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
}

ASTRAL = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
"""How the patterns, written for Java, name the characters beyond U+FFFF; and how Python does."""

Json = dict[str, Any]


@cache
def service() -> Any:
    """botocore's model of SageMaker."""
    return botocore.session.Session().get_service_model("sagemaker")


class Unfit(AssertionError):
    """An expression can't stand where it stands."""


class Execution:
    """Gives every expression a value of its own type."""

    def __init__(self, definition: Json, steps: list[Json]) -> None:
        self.parameters = {p["Name"]: p for p in definition.get("Parameters", [])}
        self.types = {step["Name"]: step["Type"] for step in steps}

    def fill(self, value: Any, shape: Shape | None) -> Any:
        """The value with its expressions replaced; `shape` is what is wanted there."""
        if isinstance(value, dict):
            if set(value) == {"Get"}:
                return self.got(value["Get"], shape)
            if set(value) == {"Std:Join"}:
                join = value["Std:Join"]
                return join["On"].join(str(self.fill(v, None)) for v in join["Values"])
            if set(value) == {"Std:JsonGet"}:
                return sample(shape) if shape is not None else 0.5
            return {k: self.fill(v, member(shape, k)) for k, v in value.items()}
        if isinstance(value, list):
            inner = shape.member if shape is not None and shape.type_name == "list" else None
            return [self.fill(item, inner) for item in value]
        return value

    def got(self, reference: str, shape: Shape | None) -> Any:
        root, _, rest = reference.partition(".")
        if root == "Parameters":
            parameter = self.parameters[rest]
            kind = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
            want = kind[parameter["Type"]]
            filled = parameter.get("DefaultValue")
            if want is str and shape is not None:
                # A text that is given at the start is whatever the field wants.
                return sample(shape)
            return want() if filled is None else filled
        if root == "Execution":
            return EXECUTION[rest]
        if root == "ForEach":  # the item: whatever the list holds
            return sample(shape) if shape is not None else "text"
        assert root == "Steps", reference
        step, _, path = rest.partition(".")
        if self.types[step] == "Condition":
            assert path == "Outcome"
            return "True"
        if self.types[step] not in DESCRIBED:  # another service's, or a Raw step: anything
            return sample(shape) if shape is not None else "text"
        found = described(DESCRIBED[self.types[step]], path)
        if shape is None:
            return sample(found)
        if TYPES[found.type_name] is not TYPES[shape.type_name]:
            raise Unfit(f"{reference} is a {found.type_name}, not a {shape.type_name}")
        return sample(shape)


def member(shape: Shape | None, name: str) -> Shape | None:
    if shape is not None and shape.type_name == "structure":
        return shape.members.get(name)
    return shape.value if shape is not None and shape.type_name == "map" else None


def described(response: str, path: str) -> Shape:
    """The shape at a property path such as `A.B['c'][0].D` in a Describe response."""
    # The SDK's properties of a Tuning step are those of two responses.
    if path.startswith("TrainingJobSummaries"):
        response = "ListTrainingJobsForHyperParameterTuningJobResponse"
    # And an AutoML step's reports stand in no response: the service adds them in pipelines.
    if path.startswith("BestCandidateProperties."):
        return service().shape_for("S3Uri")
    shape = service().shape_for(response)
    for word, index, key in regex.findall(r"\.?([A-Za-z]\w*)|\[(\d+)\]|\['([^']+)'\]", path):
        if word:
            shape = shape.members[word]
        elif index or shape.type_name == "list":
            shape = shape.member
        else:
            assert key
            shape = shape.value
    return shape


def sample(shape: Shape) -> Any:
    """A value that a shape takes."""
    kind = TYPES[shape.type_name]
    if kind is not str:
        return {int: int(shape.metadata.get("min", 1)), bool: True}.get(kind, 1.0)
    if shape.enum:
        return shape.enum[0]
    for text in SAMPLES:
        if not list(text_problems(text, shape)):
            return text
    raise Unfit(f"no sample text fits {shape.name}")


def problems(step: Json, definition: Json, steps: list[Json]) -> list[str]:
    """What is wrong with one step's arguments."""
    operation = service().operation_model(OPERATIONS[step["Type"]])
    shape = operation.input_shape
    request = Execution(definition, steps).fill(step["Arguments"], shape)
    for name, value in SUPPLIED.items():
        if name in shape.required_members:
            request.setdefault(name, value)
    report = ParamValidator().validate(request, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found + [f"{path}: {text}" for path, text in walk(request, shape, "")]


def walk(value: Any, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    """What botocore's validator does not look at."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            if name in shape.members:
                yield from walk(inner, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "map" and isinstance(value, dict):
        yield from limits(len(value), shape, path)
        for name, inner in value.items():
            yield from walk(name, shape.key, f"{path}[{name}] (key)")
            yield from walk(inner, shape.value, f"{path}[{name}]")
    elif shape.type_name == "list" and isinstance(value, list):
        yield from limits(len(value), shape, path)
        for index, inner in enumerate(value):
            yield from walk(inner, shape.member, f"{path}[{index}]")
    elif isinstance(value, str):
        yield from ((path, text) for text in text_problems(value, shape))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from limits(value, shape, path)


def limits(size: float, shape: Shape, path: str) -> Iterator[tuple[str, str]]:
    tests: dict[str, Callable[[float, float], bool]] = {
        "min": lambda size, limit: size >= limit,
        "max": lambda size, limit: size <= limit,
    }
    for name, holds in tests.items():
        if name in shape.metadata and not holds(size, shape.metadata[name]):
            yield path, f"{size} against {name} {shape.metadata[name]}"


def text_problems(text: str, shape: Shape) -> Iterator[str]:
    if shape.enum and text not in shape.enum:
        yield f"{text!r} is none of {shape.enum}"
    yield from (problem for _, problem in limits(len(text), shape, ""))
    pattern = shape.metadata.get("pattern")
    if pattern and not regex.fullmatch(pattern.replace(*ASTRAL), text):
        yield f"{text!r} does not match {pattern}"
