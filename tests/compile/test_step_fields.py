"""``step_fields``: members of the step object beside its arguments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from compiled_cases import ALL, PULSAR_CASES, Case

import pipelines
from pipelines.compiler import as_json
from pipelines.language.requests import walk_requests
from steps import _sdk

HEAD = "pipeline: fields\nsteps:\n  job:\n    type: Processing\n    image: a/b:1\n"


@pytest.mark.parametrize("case", [*ALL, *PULSAR_CASES], ids=lambda case: case.name)
def test_expressions_are_written_as_the_sdk_writes_them(case: Case) -> None:
    compiled = case.compiled
    with _sdk.offline("us-east-1"):
        written = json.loads(compiled.pipeline.definition())
    theirs = {step["Name"]: step["Arguments"] for step in written["Steps"]}
    for request in walk_requests(compiled.program.steps):
        if request.name in theirs and request.type in ("Processing", "Training", "Fail", "Model"):
            assert as_json(request.arguments) == theirs[request.name]


@pytest.mark.parametrize("member", ["Name", "Type", "Arguments", "DependsOn", "PropertyFiles"])
def test_what_other_fields_say_is_refused(tmp_path: Path, member: str) -> None:
    text = f"{HEAD}    instance: ml.m5.large\n    step_fields: {{{member}: other}}\n"
    path = tmp_path / "pipeline.yaml"
    path.write_text(text)
    with pytest.raises(pipelines.InvalidDefinition) as caught:
        pipelines.compile(path)
    found: Any = caught.value.diagnostics
    assert [(d.code, d.span.line, d.span.column) for d in found] == [("refused-member", 7, 19)]


def test_references_in_them_are_resolved_and_nulls_dropped(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(
        HEAD
        + """    instance: ml.m5.large
    display_name: Gone
  last:
    type: Processing
    image: a/b:1
    instance: ml.m5.large
    display_name: Gone
    step_fields:
      DisplayName: null
      SkipCheck: "${execution.id}"
      More: {Id: "run-${execution.id}", Of: ["${steps.job.properties.ExitMessage}", 1], Gone: null}
"""
    )
    step = pipelines.compile(path).definition["Steps"][1]
    assert "DisplayName" not in step
    execution = {"Get": "Execution.PipelineExecutionId"}
    assert step["SkipCheck"] == execution
    assert step["More"] == {
        "Id": {"Std:Join": {"On": "", "Values": ["run-", execution]}},
        "Of": [{"Get": "Steps.job.ExitMessage"}, 1],
    }
