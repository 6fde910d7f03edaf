"""Resolving ``Get``, ``Std:Join`` and ``Std:JsonGet`` while a pipeline runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from pipelines.definition import (
    Definition,
    Get,
    Join,
    JsonGet,
    PathSyntaxError,
    PropertyFile,
    Reference,
    parse_expression,
    parse_path,
)
from pipelines.definition.expressions import ExpressionError, describe
from pipelines.definition.model import Scalar, Step
from pipelines.definition.references import format_path
from pipelines.errors import SagedagError
from pipelines.local.encoding import isoformat
from pipelines.local.identity import Identity

# Members by which a list of a request is a map for references, as the SDK writes them:
# ``Outputs['train']``, ``ProcessingInputs['data']``, ``FinalMetricDataList['loss']``.
NAME_MEMBERS = ("OutputName", "InputName", "ChannelName", "MetricName", "Name", "Key")

_JOB_VARIABLES = {"TrainingJobName": "Training", "ProcessingJobName": "Processing"}


class ResolutionError(Exception):
    """A reference has no value; the text says why and what is there instead."""


@dataclass(frozen=True)
class Round:
    """One round of a ForEach, in which the steps of its body refer to each other.

    Attributes:
        loop: the ForEach step.
        index: which round, from 0.
        item: its item: text, a number or a boolean.
        names: what the body's steps are called outside and in this round.
    """

    loop: str
    index: int
    item: object
    names: Mapping[str, str]

    def current(self, reference: Reference) -> object:
        """Return ``ForEach.CurrentItem``, or a field of it where the item is a JSON object.

        Raises:
            ResolutionError: the item has no such field.
        """
        if not reference.path:
            return self.item
        value = self.item
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise ResolutionError(
                    f"`{reference.text}`: the item {_short(self.item)} is no JSON object"
                ) from None
        return follow(value, reference.path, f"the item {_short(self.item)}", reference.text)


@dataclass
class Values:
    """What the references of an execution resolve against.

    Attributes:
        definition: for its property files and experiment.
        identity: for the execution variables.
        parameters: a typed value for every parameter.
        started: when the execution started.
        read: returns the bytes of an object, by URI.
        properties: the properties of every step that succeeded; grows while the pipeline runs.
        statuses: how every step that has ended did.
        rounds: the steps of ForEach rounds, by the names they have there.
    """

    definition: Definition
    identity: Identity
    parameters: Mapping[str, Scalar]
    started: datetime
    read: Callable[[str], bytes]
    properties: dict[str, Mapping[str, object]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, Step] = field(default_factory=dict)

    def resolve(
        self, value: object, job: tuple[str, str] | None = None, within: Round | None = None
    ) -> object:
        """Return ``value`` with every expression in it replaced by its value, types kept.

        Args:
            value: any JSON value.
            job: the type and the job's name of the step whose arguments these are.
            within: the round of a ForEach that the step belongs to.

        Raises:
            ResolutionError: a reference has no value, or a function cannot be computed.
        """
        try:
            expression = parse_expression(value)
        except ExpressionError as error:
            raise ResolutionError(str(error)) from None
        if isinstance(expression, Get):
            return self._get(expression.reference, job, within)
        if isinstance(expression, Join):
            return expression.on.join(
                as_text(self.resolve(item, job, within)) for item in expression.values
            )
        if isinstance(expression, JsonGet):
            return self._json_get(expression, job, within)
        if isinstance(value, Mapping):
            return {key: self.resolve(item, job, within) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, job, within) for item in value]
        return value

    def _get(
        self, reference: Reference, job: tuple[str, str] | None, within: Round | None
    ) -> object:
        if reference.root == "Parameters":
            if reference.name not in self.parameters:
                raise ResolutionError(f"there is no parameter `{reference.name}`")
            return self.parameters[reference.name]
        if reference.root == "Execution":
            return self._variable(reference.name, job)
        if reference.root == "Steps":
            return self._property(reference, within)
        if reference.root == "ForEach" and within is not None:
            return within.current(reference)
        if reference.root == "PipelineExperimentConfig" and self.definition.experiment:
            return self.resolve(self.definition.experiment.get(reference.name), job)
        raise ResolutionError(f"`{reference.text}` has no value here")

    def _variable(self, name: str, job: tuple[str, str] | None) -> str:
        if name in _JOB_VARIABLES:
            # [U] Which job is meant is not documented; the only one known while arguments are
            # resolved is the step's own.
            if job is None or job[0] != _JOB_VARIABLES[name]:
                raise ResolutionError(
                    f"`Execution.{name}` has a value in a {_JOB_VARIABLES[name]} step only"
                )
            return job[1]
        values = {
            "StartDateTime": isoformat(self.started),
            "CurrentDateTime": isoformat(datetime.now(timezone.utc)),
            "PipelineName": self.identity.pipeline,
            "PipelineArn": self.identity.pipeline_arn,
            "PipelineExecutionId": self.identity.execution,
            "PipelineExecutionArn": self.identity.execution_arn,
        }
        if name not in values:
            raise ResolutionError(f"there is no execution variable `{name}`")
        return values[name]

    def _property(self, reference: Reference, within: Round | None) -> object:
        name = _name_in(reference.name, within)
        properties = self.properties.get(name)
        if properties is None:
            status = self.statuses.get(name)
            how = f"it is {status}" if status else "it has not run"
            raise ResolutionError(
                f"`{reference.text}` has no value: step `{reference.name}` did not succeed ({how})"
            )
        value = follow(properties, reference.path, f"step `{reference.name}`", reference.text)
        return isoformat(value) if isinstance(value, datetime) else value

    def _json_get(
        self, expression: JsonGet, job: tuple[str, str] | None, within: Round | None
    ) -> object:
        if expression.property_file is not None:
            file = expression.property_file
            uri = self._property_file_uri(file, within)
            advice = f"; step `{file.name}` was to write it, as its file `{file.property_file}`"
        else:
            advice = ""
            uri = as_text(self.resolve(expression.s3_uri, job, within))
        path = self.resolve(expression.path, job, within)
        if not isinstance(path, str):
            raise ResolutionError(f"the path of a JsonGet must be text, not {describe(path)}")
        try:
            segments = parse_path(path)
        except PathSyntaxError as error:
            raise ResolutionError(f"JsonGet on {uri}: {error}") from None
        value = follow(self._document(uri, advice), segments, uri, path, "JsonGet")
        if value is None or isinstance(value, (Mapping, list)):
            # [U] The service's documentation speaks of single values only.
            raise ResolutionError(
                f"JsonGet `{path}` of {uri} is {describe(value)}; it must be text, a number or a "
                f"boolean{_inside(value)}"
            )
        return value

    def _document(self, uri: str, advice: str) -> object:
        try:
            data = self.read(uri)
        except (SagedagError, OSError) as error:
            raise ResolutionError(f"JsonGet: {error}{advice}") from None
        try:
            return json.loads(data, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ResolutionError(f"JsonGet: {uri} is not JSON: {error}") from None

    def _property_file_uri(self, reference: Reference, within: Round | None) -> str:
        name = _name_in(reference.name, within)
        step = self.rounds.get(name) or self.definition.by_name[name]
        file = next(item for item in step.property_files if item.name == reference.property_file)
        outputs = ("ProcessingOutputConfig", "Outputs", file.output, "S3Output", "S3Uri")
        where = Reference("Steps", name, outputs, f"Steps.{name}.{format_path(outputs)}")
        return _below(as_text(self._property(where, None)), file)


def _no_constant(word: str) -> object:
    """Refuse what Python's own reader takes: RFC 8259 has no NaN, and no branch should go by it."""
    raise ValueError(f"{word} is no JSON value (write null, or leave the member out)")


def _name_in(name: str, within: Round | None) -> str:
    """What the step that a reference names is called, seen from a round."""
    return within.names.get(name, name) if within is not None else name


def _short(item: object) -> str:
    text = json.dumps(item, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"


def _below(folder: str, file: PropertyFile) -> str:
    return f"{folder.rstrip('/')}/{file.path.lstrip('/')}"


def follow(
    value: object, path: tuple[str | int, ...], whose: str, text: str, function: str = "Get"
) -> object:
    """Walk down a path of names and indexes.

    Args:
        value: where to start.
        path: the segments; a name into a list picks the entry that carries it (``NAME_MEMBERS``).
        whose: what is walked, for the message.
        text: the path as written, for the message.
        function: which function asks, for the message.

    Raises:
        ResolutionError: the path leads nowhere.
    """
    for index, segment in enumerate(path):
        found, below = _child(value, segment)
        if not found:
            done = format_path(path[:index])
            where = f"`{done}` of {whose}" if done else whose
            raise ResolutionError(
                f"{function} `{text}`: {where} has no `{segment}`{_inside(value)}"
            )
        value = below
    return value


def _child(value: object, segment: str | int) -> tuple[bool, object]:
    if isinstance(segment, str) and isinstance(value, Mapping):
        return segment in value, value.get(segment)
    if isinstance(segment, int) and isinstance(value, list):
        inside = segment < len(value)
        return inside, value[segment] if inside else None
    if isinstance(segment, str) and isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping) and _name_of(item) == segment:
                return True, item
    return False, None


def _name_of(item: Mapping[str, object]) -> object:
    return next((item[member] for member in NAME_MEMBERS if member in item), None)


def _inside(value: object) -> str:
    """Say what a value holds: ``; it has a, b``."""
    if isinstance(value, Mapping):
        names = [str(key) for key in value]
    elif isinstance(value, list):
        known = [_name_of(item) for item in value if isinstance(item, Mapping)]
        names = [name for name in known if isinstance(name, str)]
        if not names:
            return f"; it is a list of {len(value)}"
    else:
        return f"; it is {describe(value)}"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"; it has {shown}" if names else "; it is empty"


def as_text(value: object) -> str:
    """Write a value as ``Std:Join`` does. [U] Only strings are documented."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    raise ResolutionError(f"Std:Join cannot join {describe(value)}")
