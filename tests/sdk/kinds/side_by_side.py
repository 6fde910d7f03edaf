"""One step twice: compiled from a definition, and built by the SDK's own class."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from surroundings import BUCKET, REGION, sdk_surroundings

import pipelines

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / "environments.yaml"
Json = dict[str, Any]


def ours(folder: Path, text: str) -> Json:
    """The steps by name that a definition (without its first line) compiles to."""
    (folder / "environments.yaml").write_text(ENVIRONMENTS.read_text("utf-8"), "utf-8")
    path = folder / "pipeline.yaml"
    path.write_text("pipeline: kinds\n" + text, "utf-8")
    return by_name(pipelines.compile(path, environment="sdk").definition)


def theirs(endpoint_url: str, build: Callable[[Any], tuple[list[Any], list[Any]]]) -> Json:
    """The steps by name that the SDK writes; ``build`` gives parameters and steps."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        sdk_surroundings(endpoint_url, Path(scratch)),
    ):
        import boto3
        from sagemaker.core.workflow.pipeline_context import PipelineSession
        from sagemaker.mlops.workflow.pipeline import Pipeline

        session = PipelineSession(
            boto_session=boto3.Session(region_name=REGION), default_bucket=BUCKET
        )
        parameters, steps = build(session)
        pipeline = Pipeline(
            name="kinds", parameters=parameters, steps=steps, sagemaker_session=session
        )
        return by_name(json.loads(pipeline.definition()))


def by_name(definition: Mapping[str, Any]) -> Json:
    """The definition's steps, those of branches included, by name."""
    found: Json = {}
    waiting = list(definition["Steps"])
    while waiting:
        step = waiting.pop(0)
        found[step["Name"]] = step
        for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
            waiting.extend(step["Arguments"].get(branch, []))
    return found


def differences(mine: Any, other: Any, pointer: str = "") -> Iterator[str]:
    """Where two JSON values differ. Types count, so that 1 is not true."""
    if isinstance(mine, dict) and isinstance(other, dict):
        for name in dict.fromkeys([*mine, *other]):
            if name in mine and name in other:
                yield from differences(mine[name], other[name], f"{pointer}/{name}")
            else:
                owner, value = ("ours", mine) if name in mine else ("SDK", other)
                yield f"{pointer}/{name}: only {owner}: {value[name]!r}"
    elif isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        for index, pair in enumerate(zip(mine, other, strict=True)):
            yield from differences(*pair, f"{pointer}/{index}")
    elif type(mine) is not type(other) or mine != other:
        yield f"{pointer}: ours {mine!r}, SDK {other!r}"
