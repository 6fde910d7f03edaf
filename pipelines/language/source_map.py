"""From a place in the definition JSON back to the definition: file, line, and its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.language.nodes import Source, Span, locate
from pipelines.language.request_checks import field_of
from pipelines.language.request_merge import given_at
from pipelines.language.requests import Program
from pipelines.language.spec import StepSpec
from steps import all_fields
from steps._expressions import Path

_STEP_MEMBERS: dict[str, Path] = {
    "Name": (),
    "Type": ("type",),
    "DependsOn": ("depends_on",),
    "DisplayName": ("display_name",),
    "Description": ("description",),
    "CacheConfig": ("cache",),
    "RetryPolicies": ("retry",),
    "PropertyFiles": ("files",),
}
_BODIES = ("IfSteps", "ElseSteps", "ForEachBody")
"""Arguments that are steps."""
_TOP_MEMBERS: dict[str, Path] = {
    "Parameters": ("parameters",),
    "PipelineExperimentConfig": ("experiment",),
    "MlflowConfig": ("mlflow",),
    "Steps": ("steps",),
}


@dataclass(frozen=True)
class Origin:
    """Where something was written: the definition's own path, and the file and place."""

    path: Path
    source: Source = field(repr=False)
    span: Span

    @property
    def words(self) -> str:
        """The path in words: ``steps.train.hyperparameters.max_depth``."""
        return ".".join(str(segment) for segment in self.path)

    @property
    def position(self) -> str:
        """``file:line:column``."""
        return f"{self.source.name}:{self.span.line}:{self.span.column}"


@dataclass(frozen=True)
class SourceMap:
    """Origins by JSON pointer (RFC 6901)."""

    origins: Mapping[str, Origin]

    def find(self, pointer: str) -> Origin | None:
        """Return the origin of what a pointer names, or of the nearest part around it."""
        while pointer:
            if pointer in self.origins:
                return self.origins[pointer]
            pointer = pointer.rpartition("/")[0]
        return self.origins.get("")


def map_sources(program: Program, definition: Mapping[str, Any]) -> SourceMap:
    """Return the source map of a compiled definition."""
    origins: dict[str, Origin] = {}
    tree = program.spec.tree

    def put(pointer: str, path: Path) -> None:
        source, span = locate(tree, path, at_key=True)
        origins[pointer] = Origin(path, source, span)

    put("", ())
    for member, path in _TOP_MEMBERS.items():
        if member in definition:
            put(f"/{member}", path)
    for index, parameter in enumerate(definition.get("Parameters", [])):
        put(f"/Parameters/{index}", ("parameters", parameter["Name"]))
    specs = {step.name: step for step in program.spec.walk()}
    for pointer, step in walk_steps(definition.get("Steps", []), "/Steps"):
        spec = specs[step["Name"]]
        put(pointer, spec.path)
        for member in step:
            if member != "Arguments":
                put(f"{pointer}/{member}", (*spec.path, *_member(spec, member)))
            if member == "PropertyFiles":
                for index, file in enumerate(step[member]):
                    path = (*spec.path, "files", file["PropertyFileName"])
                    put(f"{pointer}/{member}/{index}", path)
        beside = spec.step.fields.get("step_fields", {})
        for member in beside if isinstance(beside, Mapping) else ():
            if member in step:
                put(f"{pointer}/{member}", (*spec.path, "step_fields", member))
        arguments = step.get("Arguments", {})
        for leaf in _leaves(arguments):
            origin = (*spec.path, *_argument(spec, arguments, leaf))
            put(f"{pointer}/Arguments" + "".join(f"/{_escaped(s)}" for s in leaf), origin)
    return SourceMap(origins)


def _member(spec: StepSpec, member: str) -> Path:
    """Return the field that a member of the step object came from."""
    if member in _STEP_MEMBERS:
        return _STEP_MEMBERS[member]
    fields = all_fields(spec.kind).items()
    return next(((n,) for n, field in fields if field.api == member and n in spec.step.fields), ())


def _argument(spec: StepSpec, arguments: Mapping[str, Any], path: Path) -> Path:
    """Return the step's field that an argument came from; ``request`` has the last word."""
    request = spec.step.fields.get("request", {})
    given = given_at(request, arguments, path)
    if given is not None and not isinstance(_value_at(request, given), (Mapping, list)):
        return ("request", *given)
    found = field_of(spec, path)
    if found or given is None:
        return found
    return ("request", *given)


def _value_at(value: Any, path: Path) -> Any:
    for segment in path:
        value = value[segment]
    return value


def walk_steps(
    steps: list[Mapping[str, Any]], pointer: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the pointer and the object of every step, those inside others included."""
    for index, step in enumerate(steps):
        here = f"{pointer}/{index}"
        yield here, step
        for branch in _BODIES:
            inner = step.get("Arguments", {}).get(branch, [])
            yield from walk_steps(inner, f"{here}/Arguments/{branch}")


def _leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of what is inside a step's arguments, but for branches and expressions."""
    items: Any = ()
    if isinstance(value, Mapping):
        items = [(k, v) for k, v in value.items() if k not in _BODIES]
        if len(items) == 1 and str(items[0][0]) in ("Get", "Std:Join", "Std:JsonGet"):
            return
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield (*path, key)
        yield from _leaves(inner, (*path, key))


def _escaped(segment: str | int) -> str:
    return str(segment).replace("~", "~0").replace("/", "~1")
