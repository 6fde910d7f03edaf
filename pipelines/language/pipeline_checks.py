"""The pipeline's own request, CreatePipeline, judged by the API's model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.language.diagnostics import as_clause
from pipelines.language.request_checks import CODES
from pipelines.language.request_merge import merge_request
from pipelines.language.schema import TOP
from pipelines.language.spec import PipelineSpec
from pipelines.service.shapes import Mismatch, check, input_shape
from pipelines.tags import MOST, is_reserved, too_many
from steps._contract import Problem, StepRequest
from steps._expressions import Path

SUPPLIED = ("ClientRequestToken", "RoleArn", "PipelineName")
"""Members that are filled in when the pipeline is deployed, or judged on their own."""


def pipeline_request(spec: PipelineSpec) -> dict[str, Any]:
    """Return the CreatePipeline request of a specification, without the definition."""
    made: dict[str, Any] = {"PipelineName": spec.name}
    if spec.display_name:
        made["PipelineDisplayName"] = spec.display_name
    if spec.description:
        made["PipelineDescription"] = spec.description
    if spec.environment.role:
        made["RoleArn"] = spec.environment.role
    if spec.parallelism is not None:
        made["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": spec.parallelism}
    if spec.tags:
        made["Tags"] = [{"Key": key, "Value": value} for key, value in spec.tags.items()]
    merged: dict[str, Any] = merge_request(made, spec.request)
    return merged


def pipeline_problems(spec: PipelineSpec) -> Iterator[Problem]:
    """Yield what the service would refuse of the pipeline itself; paths start at the document."""
    request = pipeline_request(spec)
    for mismatch in check(request, input_shape("CreatePipeline"), ignore_missing=SUPPLIED):
        if mismatch.path[:1] == ("PipelineName",):
            continue  # told by the check of names
        yield _told(spec, mismatch)
    yield from _tag_problems(spec)


def _tag_problems(spec: PipelineSpec) -> Iterator[Problem]:
    """Yield what the service, and who deploys, keep for themselves; the model says nothing of it.

    Tags that come from `pipeline_fields` are judged by the plan.
    """
    for key in spec.tags:
        if is_reserved(key):
            yield _reserved(key, ("tags", key))
    for step in spec.walk():
        tags = step.step.fields.get("tags")
        for key in tags if isinstance(tags, Mapping) else ():
            if str(key).lower().startswith("aws:"):
                yield _reserved(str(key), (*step.path, "tags", key))
    if len(spec.tags) <= MOST and (told := too_many(spec.tags)):
        yield Problem("too-many", ("tags",), told, "take some out", at_key=True)


def _reserved(key: str, path: Path) -> Problem:
    whose = "AWS's" if key.lower().startswith("aws:") else "this tool's"
    prefix, _, _ = key.partition(":")
    message = f"the tag `{key}` is not the definition's to set: the prefix `{prefix}:` is {whose}"
    return Problem("bad-value", path, message, "give it another name", at_key=True)


def size_problem(spec: PipelineSpec, steps: Sequence[StepRequest]) -> Problem | None:
    """Return that the definition JSON would be longer than the service takes.

    Counted is what the steps' requests have at least, without the expressions in them.

    [U] The API's model limits the text in a request; that one by way of S3 may be no longer is
    said nowhere, but DescribePipeline gives both back in a member with that limit.
    """
    sizes = {step.name: _least(step.arguments) for step in steps}
    total, most = sum(sizes.values()), longest_definition()
    if total <= most:
        return None
    largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
    named = ", ".join(f"`{name}` ({sizes[name]:,})" for name in largest)
    paths = {step.name: step.path for step in spec.walk()}
    return Problem(
        "too-large",
        paths.get(largest[0], ("steps",)),
        f"the definition JSON has at least {total:,} characters; SageMaker takes {most:,}",
        f"the largest steps are {named}: long texts belong into files (code, S3), and a pipeline "
        "can be split in two",
        at_key=True,
    )


def _least(value: Any) -> int:
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=lambda _: "", skipkeys=True
    )
    return len(text)


def longest_definition() -> int:
    """Return how many characters a definition JSON may have (CreatePipeline, 1,048,576)."""
    return int(input_shape("CreatePipeline").members["PipelineDefinition"].maximum or 0)


def _told(spec: PipelineSpec, mismatch: Mismatch) -> Problem:
    code = CODES.get(mismatch.kind, "request-type")
    if mismatch.kind in ("length", "count") and " at least " in mismatch.message:
        code = "bad-value"
    message, hint = as_clause(mismatch.message), as_clause(mismatch.hint)
    first = mismatch.path[0] if mismatch.path else ""
    if first in spec.request or mismatch.kind == "unknown-member":
        path: Path = ("pipeline_fields", *mismatch.path)
        return Problem(code, path, message, hint, at_key=mismatch.at_key)
    for name, field in TOP.items():
        if field.api and field.api.split(".")[0] == first:
            inner: Path = (name,)
            if first == "Tags" and len(mismatch.path) > 1 and isinstance(mismatch.path[1], int):
                inner = (name, list(spec.tags)[mismatch.path[1]])
            return Problem(code, inner, message, hint, at_key=first == "Tags")
    return Problem(code, (), message, hint)
