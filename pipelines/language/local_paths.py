"""Local paths in the environment `local`: each counts from the file it is written in.

The definition JSON has one folder that its relative paths start from: the definition's own. A path
written in another file (a base, an environments file) is therefore rewritten to start there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from pipelines.language.conform import s3_places
from pipelines.language.nodes import Scalar, get
from pipelines.language.schema import definition_schema
from pipelines.language.spec import PipelineSpec, StepSpec
from steps._expressions import ParameterRef, Path

_REMOTE = ("s3://", "https://", "http://", "file://", "/")


def relocate(spec: PipelineSpec) -> PipelineSpec:
    """Return the specification with every relative local path counted from the definition."""
    if not spec.environment.local or (len(spec.files) == 1 and spec.project.environments is None):
        return spec
    schemas = definition_schema()["definitions"]
    named: set[str] = set()
    for step in spec.walk():
        for _, value in s3_places(dict(step.step.fields), schemas[step.kind.name]):
            if isinstance(value, ParameterRef):
                named.add(value.name)
    parameters = []
    for parameter in spec.parameters:
        default = parameter.default
        if parameter.name in named and isinstance(default, str):
            node = get(spec.tree, "parameters", parameter.name, "default")
            moved = _moved(default, node, spec.base)
            parameter = replace(parameter, default=moved)
        parameters.append(parameter)
    steps = tuple(_step(step, spec) for step in spec.steps)
    return replace(spec, parameters=tuple(parameters), steps=steps)


def _step(step: StepSpec, spec: PipelineSpec) -> StepSpec:
    schema = definition_schema()["definitions"][step.kind.name]
    fields = dict(step.step.fields)
    for path, value in s3_places(fields, schema):
        if isinstance(value, str):
            moved = _moved(value, get(spec.tree, *step.path, *path), spec.base)
            if moved != value:
                fields = _with(fields, path, moved)
    return replace(
        step,
        step=replace(step.step, fields=fields),
        then=tuple(_step(inner, spec) for inner in step.then),
        otherwise=tuple(_step(inner, spec) for inner in step.otherwise),
        body=tuple(_step(inner, spec) for inner in step.body),
    )


def _moved(text: str, node: Any, base: FilePath) -> str:
    if not text or text.startswith(_REMOTE) or not isinstance(node, Scalar):
        return text
    folder = node.source.folder
    return text if folder == base else os.path.relpath(folder / text, base)


def _with(value: Any, path: Path, new: Any) -> Any:
    """Return plain data with the value at ``path`` replaced."""
    if not path:
        return new
    key, *rest = path
    if isinstance(value, Mapping):
        return {**value, key: _with(value[str(key)], tuple(rest), new)}
    return [_with(v, tuple(rest), new) if i == key else v for i, v in enumerate(value)]
