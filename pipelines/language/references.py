"""References: ``${steps.train.model}``, resolved to expressions.

A :class:`Scope` turns a reference's path into an expression or says what is wrong with which
segment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.language.diagnostics import as_clause, suggest
from pipelines.language.foreign import settle
from pipelines.language.loops import Loop, compared, in_round, item_reference
from pipelines.language.properties import described_by, map_keys
from pipelines.language.reference_syntax import (
    Segment,
    Wrong,
    is_broken,
    parse_path,
    split,
    text_of,
)
from pipelines.service.shapes import UnknownMember, property_type
from steps import kind_named
from steps._contract import Attribute, Kind, NoAttribute, Step
from steps._expressions import (
    UNKNOWN,
    ExecutionRef,
    Expr,
    ExprType,
    Join,
    JsonGet,
    ParameterRef,
    Path,
    PropertyRef,
    is_expression,
)
from steps._paths import json_path

EXECUTION = {
    "id": "PipelineExecutionId",
    "arn": "PipelineExecutionArn",
    "pipeline_name": "PipelineName",
    "pipeline_arn": "PipelineArn",
    "start_datetime": "StartDateTime",
    "current_datetime": "CurrentDateTime",
    "training_job_name": "TrainingJobName",
    "processing_job_name": "ProcessingJobName",
}
"""The execution variables of SageMaker Pipelines (SDK ``ExecutionVariables``)."""

COMPILE_TIME = (
    "vars", "git", "matrix", "env", "region", "account", "bucket", "prefix", "role", "pipeline",
)  # fmt: skip
"""What templates can name and references can't."""

_FILE_VALUE = re.compile(
    r"""json\(\s*(?P<quote>['"])(?P<uri>(?:(?!(?P=quote)).){1,1024})(?P=quote)\s*\)(?P<path>[.\[].+)"""
)

LISTS_BY_NAME = {
    ("ProcessingOutputConfig", "Outputs"): "OutputName",
    ("ProcessingInputs",): "InputName",
    ("FinalMetricDataList",): "MetricName",
}
"""Lists of a Describe response that references address by name, as if they were maps."""


@dataclass(frozen=True)
class Scope:
    """What references can see.

    Args:
        parameters: the parameters' types by name.
        steps: all steps by name (fields without expressions suffice).
        visible: says whether a step may be referred to, given its name; else the reason.
        broken: globs of keys that could not be made steps: what they offer is not known.
        repaired: where the fields of steps are stand-ins for wrong ones, by step.
        loops: the ForEach steps by name.
        around: the ForEach in whose body the references stand, where ``item`` is something.
        compared: steps whose values differ by round, and are compared between them.
        own: the step that the references stand in.
    """

    parameters: Mapping[str, ExprType]
    steps: Mapping[str, Step]
    visible: Callable[[str], str] = field(default=lambda _: "")
    broken: AbstractSet[str] = frozenset()
    own: str = ""
    loops: Mapping[str, Loop] = field(default_factory=dict)
    around: Loop | None = None
    compared: AbstractSet[str] = frozenset()
    repaired: Mapping[str, AbstractSet[Path]] = field(default_factory=dict)

    def resolve(self, text: str) -> Expr | Wrong:
        """Return the expression that a reference (without ``${}``) means, or what is wrong."""
        if text.startswith("json("):
            return self._file_value(text)
        segments = parse_path(text)
        if isinstance(segments, Wrong):
            return segments
        root = segments[0].value
        if root == "parameters":
            return self._parameter(segments)
        if root == "execution":
            return self._execution(segments)
        if root == "steps":
            return self._step(segments)
        if root == "item" and self.around is not None:
            return self.around.lacking(segments[1:]) or item_reference(segments[1:])
        first = segments[0]
        roots = ["parameters", "steps", "execution", *(["item"] if self.around else [])]
        hint = suggest(str(root), roots)
        if root == "item":
            hint = "the item of a ForEach is known in its body only"
        elif root in self.parameters:
            hint = f"did you mean `parameters.{root}`?"
        elif root in self.steps:
            hint = f"did you mean `steps.{root}`?"
        elif root in COMPILE_TIME:
            hint = f"known when the definition is compiled: `{{{{ {text} }}}}`"
        return Wrong(first.begin, first.end, f"a reference can't begin with `{root}`", hint)

    def _file_value(self, text: str) -> Expr | Wrong:
        """Resolve ``json('s3://…').a.b``: a value in a JSON file on S3."""
        match = _FILE_VALUE.fullmatch(text)
        if match is None:
            hint = "such as `json('s3://bucket/result.json').accuracy`"
            message = "a value of a file is written `json('URI').VALUE`"
            return Wrong(0, len(text), message, hint, "reference-syntax")
        uri = resolve_text(match["uri"], self)
        if isinstance(uri, list):
            shift = match.start("uri")
            return replace(uri[0], begin=uri[0].begin + shift, end=uri[0].end + shift)
        if not is_expression(uri) and not str(uri).startswith("s3://"):
            begin, end = match.span("uri")
            return Wrong(begin, end, f"`{uri}` is no S3 URI", "the file must lie on S3")
        path = parse_path(f"x{match['path']}")  # as if below a root of one letter
        if isinstance(path, Wrong):
            shift = match.start("path") - 1
            message = f"`{match['path']}` leads to no value of a file"
            return replace(path, begin=path.begin + shift, end=path.end + shift, message=message)
        return JsonGet("", "", json_path([each.value for each in path[1:]]), uri=uri)

    def _parameter(self, segments: list[Segment]) -> Expr | Wrong:
        if len(segments) < 2:
            return Wrong(
                segments[0].begin,
                segments[0].end,
                "name the parameter",
                suggest("", self.parameters),
            )
        name = str(segments[1].value)
        if name not in self.parameters:
            return Wrong(
                segments[1].begin,
                segments[1].end,
                f"there is no parameter `{name}`",
                suggest(name, self.parameters),
            )
        extra = _extra(segments, 2, "a parameter")
        return extra or ParameterRef(name, self.parameters[name])

    def _execution(self, segments: list[Segment]) -> Expr | Wrong:
        if len(segments) < 2:
            hint = suggest("", EXECUTION)
            return Wrong(segments[0].begin, segments[0].end, "name the execution variable", hint)
        at, name = segments[1], str(segments[1].value)
        if name not in EXECUTION:
            message = f"there is no execution variable `{name}`"
            return Wrong(at.begin, at.end, message, suggest(name, EXECUTION))
        return _extra(segments, 2, "an execution variable") or ExecutionRef(EXECUTION[name])

    def _step(self, segments: list[Segment]) -> Expr | Wrong:
        if len(segments) < 2:
            return Wrong(
                segments[0].begin, segments[0].end, "name the step", suggest("", self.steps)
            )
        at = segments[1]
        name = str(at.value)
        if name in self.broken or (name not in self.steps and is_broken(name, self.broken)):
            return UNKNOWN
        if name not in self.steps:
            return Wrong(
                at.begin,
                at.end,
                f"there is no step `{name}`",
                suggest(name, list(dict.fromkeys([*self.steps, *self.broken]))),
            )
        hidden = self.visible(name)
        if hidden:
            code = "cycle" if name == self.own else "out-of-branch"
            return Wrong(at.begin, at.end, hidden, code=code)
        word = segments[2].value if name in self.loops and len(segments) > 2 else ""
        if word == "selected" and "select" in self.steps[name].fields:
            # Where `select` compares nothing, that is told there.
            return self._round(name, segments) if self.loops[name].selected else UNKNOWN
        if word == "iterations":
            return self._round(name, segments)
        found = self._offered(name, segments, 2)
        if name not in self.compared or isinstance(found, Wrong) or found is UNKNOWN:
            return found
        message = "a round is picked by a single property of a step, which this is not"
        return compared(found, name) or Wrong(at.begin, segments[-1].end, message)

    def _round(self, name: str, segments: list[Segment]) -> Expr | Wrong:
        """Resolve a value of one round of a ForEach: ``iterations[0].STEP.…``, ``selected.…``."""
        loop, word = self.loops[name], segments[2]
        prefix: Path = ("Selected",)
        body, start = loop.selected, 3
        if word.value == "iterations":
            if len(segments) < 4 or not isinstance(segments[3].value, int):
                at = segments[min(3, len(segments) - 1)]
                return Wrong(at.begin, at.end, "say which round: `iterations[0].STEP.…`")
            number = segments[3].value
            if loop.items and number >= len(loop.items):
                rounds = "1 round" if len(loop.items) == 1 else f"{len(loop.items)} rounds"
                hint = f"the last one is `iterations[{len(loop.items) - 1}]`"
                at = segments[3]
                return Wrong(at.begin, at.end, f"`{name}` has {rounds}, counted from 0", hint)
            at = segments[min(4, len(segments) - 1)]
            body = str(at.value) if len(segments) > 4 else ""
            if body in self.broken or (body not in loop.body and is_broken(body, self.broken)):
                return UNKNOWN
            if body not in loop.body:
                what = f"`{name}` has no step `{body}`" if body else "say which step is meant"
                return Wrong(at.begin, at.end, what, suggest(body, loop.body))
            prefix, start = ("IterationOutputs", segments[3].value, body), 5
        found = self._offered(body, segments, start)
        if isinstance(found, Wrong) or found is UNKNOWN:
            return found
        message = "values of property files can't be read from outside the loop"
        return in_round(found, name, prefix, body) or Wrong(
            segments[start].begin, segments[-1].end, message, "use an output or a property"
        )

    def _offered(self, name: str, segments: list[Segment], start: int) -> Expr | Wrong:
        """Resolve a value of a step; what a wrong field would have given is not known."""
        found = self._value(name, segments, start)
        words = tuple(segment.value for segment in segments[start:])
        for path in self.repaired.get(name, ()) if words else ():
            # `selected` is what `select` gives; other words are those of the fields.
            length = min(len(words), len(path))
            if words[:length] == path[:length] or str(words[0]) == f"{path[0]}ed":
                return UNKNOWN
        return found

    def _value(self, name: str, segments: list[Segment], start: int) -> Expr | Wrong:
        """Resolve what the segments from ``start`` on mean below a step."""
        at = segments[start - 1]
        step = self.steps[name]
        kind = kind_named(step.kind)
        assert kind is not None
        offered = kind.attributes(step)
        rest = segments[start:]
        if not rest:
            return Wrong(
                at.begin,
                at.end,
                f"say which value of `{name}` is meant",
                suggest("", [f"steps.{name}.{word}" for word in offered]),
            )
        if rest[0].value == "properties" and kind.describe:
            return self._property(step, kind, rest)
        if rest[0].value not in offered:
            what = "has no values to refer to" if not offered else f"has no `{rest[0].value}`"
            return Wrong(
                rest[0].begin,
                rest[0].end,
                f"`{name}` ({kind.name}) {what}",
                suggest(str(rest[0].value), offered),
            )
        found = kind.attribute(step, tuple(segment.value for segment in rest))
        if isinstance(found, NoAttribute):
            wrong = rest[min(found.index, len(rest) - 1)]
            hint = suggest(str(wrong.value), found.near)
            return Wrong(wrong.begin, wrong.end, found.message, hint)
        if isinstance(found, Attribute) and found.rest:
            beyond = rest[-len(found.rest)]
            return Wrong(
                beyond.begin,
                beyond.end,
                "there is nothing below this value",
                f"it is `{text_of(segments[: -len(found.rest)])}`",
            )
        return found.expression

    def _property(self, step: Step, kind: Kind, rest: list[Segment]) -> Expr | Wrong:
        if len(rest) < 2:
            return Wrong(
                rest[0].begin,
                rest[0].end,
                "say which property is meant",
                f"the properties are the members of {kind.describe}",
            )
        path = tuple(segment.value for segment in rest[1:])
        keyed: set[int] = set()
        lookup: list[str | int] = list(path)
        for names in LISTS_BY_NAME:
            place = len(names)
            if path[:place] == names and len(path) > place and isinstance(path[place], str):
                keyed.add(place)
                lookup[place] = 0
        described = described_by(kind, path[0])
        try:
            found = property_type(described, lookup)
        except UnknownMember as error:
            at = rest[1 + min(error.index, len(path) - 1)]
            return Wrong(at.begin, at.end, as_clause(error.message), as_clause(error.hint))
        keyed |= map_keys(described, lookup)
        expression_type = _EXPRESSION_TYPES.get(found.type)
        if expression_type is None:
            last = rest[-1]
            return Wrong(
                last.begin,
                last.end,
                f"`{last.value}` is a {found.type}, not one value",
                "go on to one of its members",
            )
        return PropertyRef(step.name, path, frozenset(keyed), expression_type)


_EXPRESSION_TYPES: dict[str, ExprType] = {
    "string": "string", "timestamp": "string", "blob": "string", "boolean": "boolean",
    "integer": "integer", "long": "integer", "float": "float", "double": "float",
}  # fmt: skip


def _extra(segments: list[Segment], length: int, what: str) -> Wrong | None:
    if len(segments) <= length:
        return None
    beyond = segments[length]
    return Wrong(
        beyond.begin,
        segments[-1].end,
        f"{what} has nothing below it",
        f"write `{text_of(segments[:length])}`",
    )


def resolve_text(text: str, scope: Scope) -> Any | list[Wrong]:
    """Return a text with its references resolved.

    A text that is exactly one reference becomes the expression; with text around it, a Join. The
    wrong references of a text are returned as a list, with places in the text.
    """
    pieces = split(text)
    if isinstance(pieces, Wrong):
        return [pieces]
    wrongs: list[Wrong] = []
    values: list[Any] = []
    for piece in pieces:
        if not piece.is_reference:
            values.append(settle(piece.text))
            continue
        found = scope.resolve(piece.text)
        if isinstance(found, Wrong):
            shift = piece.begin
            wrongs.append(
                Wrong(found.begin + shift, found.end + shift, found.message, found.hint, found.code)
            )
        else:
            values.append(found)
    if wrongs:
        return wrongs
    if len(values) == 1:
        return values[0]
    if not any(piece.is_reference for piece in pieces):
        return "".join(values)
    # A Join that begins with an S3 URI is one.
    first = values[0]
    is_s3 = first.startswith("s3://") if isinstance(first, str) else first.meaning == "s3"
    return Join(tuple(values), meaning="s3" if is_s3 else "")


def referenced_steps(text: str) -> list[str]:
    """Return the names of the steps that a text's references begin with, resolved or not."""
    pieces = split(text)
    if isinstance(pieces, Wrong):
        return []
    names = []
    for piece in pieces:
        path = parse_path(piece.text) if piece.is_reference else []
        if isinstance(path, list) and len(path) > 1 and path[0].value == "steps":
            names.append(str(path[1].value))
    return names
