"""The pipeline's own request, CreatePipeline, judged by the API's model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.language.diagnostics import as_clause
from pipelines.language.request_checks import CODES
from pipelines.language.request_merge import merge_request
from pipelines.language.schema import TOP
from pipelines.language.spec import PipelineSpec
from pipelines.service.shapes import Mismatch, check, input_shape
from steps._contract import Problem
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
