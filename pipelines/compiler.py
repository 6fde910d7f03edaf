"""From a definition to an SDK pipeline, its canonical JSON, its assets and its source map.

Compiling is pure: no network, no credentials, no clock, nothing of the user's machine. The same
input gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.assets import Asset
from pipelines.errors import DefinitionError, UsageError
from pipelines.language.check import check
from pipelines.language.diagnostics import Diagnostic, InvalidDefinition
from pipelines.language.pipeline_checks import longest_definition
from pipelines.language.project import shown
from pipelines.language.request_merge import merge_request
from pipelines.language.requests import Program, walk_requests
from pipelines.language.source_map import SourceMap, map_sources
from pipelines.language.spec import PipelineSpec
from pipelines.service.sdk import SDK_INSTALL
from steps import _sdk
from steps._expressions import ExecutionRef, Join, JsonGet, LoopRef, ParameterRef, PropertyRef


@dataclass(frozen=True)
class Compiled:
    """A compiled definition.

    Args:
        spec: the specification it was made of.
        definition: the canonical pipeline definition.
        assets: the code and files that it names, to be published.
        warnings: what the checks warned about.
    """

    spec: PipelineSpec = field(repr=False)
    program: Program = field(repr=False)
    pipeline: Any = field(repr=False)
    definition: Mapping[str, Any] = field(repr=False)
    assets: tuple[Asset, ...] = field(repr=False)
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.spec.name

    @property
    def definition_json(self) -> str:
        """The definition as JSON text, two spaces deep, with a newline at the end."""
        return json.dumps(self.definition, indent=2, ensure_ascii=False) + "\n"

    @property
    def parallelism(self) -> int | None:
        """MaxParallelExecutionSteps; None where the definition does not limit it."""
        return self.spec.parallelism

    @property
    def base(self) -> Path:
        """The folder that local paths in the definition start from."""
        return self.spec.base

    @property
    def project_root(self) -> Path:
        """The root of the definition's project."""
        return self.spec.project.root

    @cached_property
    def source_map(self) -> SourceMap:
        """Where every part of the definition JSON was written."""
        return map_sources(self.program, self.definition)


def compile(  # noqa: A001 - the product's verb; nobody needs the builtin here
    path: Path | str,
    *,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
    text: bytes | None = None,
) -> Compiled:
    """Compile a definition; arguments as for :func:`pipelines.check`.

    Returns:
        The SDK pipeline, the canonical definition, the assets and the source map.

    Raises:
        InvalidDefinition: it has errors; all of them are in ``diagnostics``.
        UsageError: the file can't be read, or there is no such environment.
    """
    checked = check(path, environment=environment, variables=variables, text=text)
    if checked.failed or checked.program is None:
        raise InvalidDefinition(checked.diagnostics)
    return compile_program(checked.program, tuple(checked.diagnostics))


def compile_program(program: Program, warnings: tuple[Diagnostic, ...] = ()) -> Compiled:
    """Compile checked requests by way of the SDK."""
    spec = program.spec
    region = spec.environment.region
    try:
        with _sdk.offline(region):
            pipeline = _sdk.build_pipeline(
                name=spec.name,
                parameters=[(p.name, p.type, p.default, p.enum) for p in spec.parameters],
                steps=program.steps,
                experiment=spec.experiment,
                mlflow=spec.mlflow,
                region=region,
                bucket=spec.environment.bucket,
            )
            written = json.loads(pipeline.definition())
    except _sdk.SdkMissing as error:
        raise UsageError(
            f"the SageMaker SDK can't compile: {error}",
            f"install it: {SDK_INSTALL}",
        ) from error
    definition = _canonical(written, program)
    _check_size(definition, spec)
    return Compiled(spec, program, pipeline, definition, program.assets, warnings)


def _check_size(definition: Mapping[str, Any], spec: PipelineSpec) -> None:
    """Refuse what is too long by a little: what is by far, the checks told at its step."""
    length = len(json.dumps(definition, ensure_ascii=False, separators=(",", ":")))
    if length > longest_definition():
        raise DefinitionError(
            f"{shown(spec.path)}: the definition JSON has {length:,} characters; SageMaker takes "
            f"{longest_definition():,}",
            "long texts belong into files (code, S3), and a pipeline can be split in two",
        )


def _canonical(written: dict[str, Any], program: Program) -> dict[str, Any]:
    """Return the definition without nulls in its own members, with ``step_fields`` merged in.

    The SDK rebuilds compound steps and would lose them, so they are put in here.
    """
    extra = {r.name: as_json(r.fields) for r in walk_requests(program.steps) if r.fields}
    for step in _walk(written["Steps"]):
        if step["Name"] in extra:
            merged = merge_request(step, extra[step["Name"]])
            step.clear()
            step.update(merged)
    return {name: _without_nulls(value) for name, value in written.items() if value is not None}


def as_json(value: Any) -> Any:
    """Return plain data with expressions as the definition JSON writes them."""
    if isinstance(value, ParameterRef):
        return {"Get": f"Parameters.{value.name}"}
    if isinstance(value, ExecutionRef):
        return {"Get": f"Execution.{value.name}"}
    if isinstance(value, PropertyRef):
        return {"Get": f"Steps.{value.step}.{value.text}"}
    if isinstance(value, JsonGet) and value.uri is not None:
        return {"Std:JsonGet": {"S3Uri": as_json(value.uri), "Path": value.path}}
    if isinstance(value, JsonGet):
        file = {"Get": f"Steps.{value.step}.PropertyFiles.{value.file}"}
        return {"Std:JsonGet": {"PropertyFile": file, "Path": value.path}}
    if isinstance(value, LoopRef):
        return {"Get": value.text}
    if isinstance(value, Join):
        return {"Std:Join": {"On": value.on, "Values": as_json(value.values)}}
    if isinstance(value, Mapping):
        return {name: as_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(member) for member in value]
    return value


def _without_nulls(value: Any) -> Any:
    """Return a map without null members: the SDK writes what MlflowConfig does not say as null."""
    if not isinstance(value, dict):
        return value
    return {name: member for name, member in value.items() if member is not None}


def _walk(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
            yield from _walk(step.get("Arguments", {}).get(branch, []))
