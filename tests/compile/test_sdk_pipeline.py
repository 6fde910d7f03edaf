"""The compiled pipeline is one of the SDK, made of the SDK's own step classes."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from compiled_cases import ALL, PULSAR_CASES, Case, all_steps

from pipelines.compiler import as_json
from pipelines.language.requests import walk_requests
from steps import _sdk
from steps._sdk.names import installed_major

MAJOR = installed_major()
BOTH = {
    "Processing": ("steps", "ProcessingStep"),
    "Training": ("steps", "TrainingStep"),
    "Transform": ("steps", "TransformStep"),
    "Tuning": ("steps", "TuningStep"),
    "Condition": ("condition_step", "ConditionStep"),
    "Fail": ("fail_step", "FailStep"),
    "Lambda": ("lambda_step", "LambdaStep"),
    "EMR": ("emr_step", "EMRStep"),
    "EndpointConfig": ("endpoint_step", "EndpointConfigStep"),
}
CLASSES = {
    3: {
        **BOTH,
        "Model": ("model_step", "ModelStep"),
        "RegisterModel": ("model_step", "ModelStep"),
        "ForEach": ("for_each_step", "ForEachStep"),
        "EMRServerless": ("emr_serverless_step", "EMRServerlessStep"),
    },
    2: {**BOTH, "Model": ("steps", "CreateModelStep")},
}


def _sdk_class(module: str, name: str) -> Any:
    return getattr(importlib.import_module(MAJOR.locate(module)), name)


@pytest.mark.parametrize("case", [*ALL, *PULSAR_CASES], ids=lambda case: case.name)
def test_the_sdk_pipeline_writes_the_same_definition(case: Case) -> None:
    compiled = case.compiled
    with _sdk.offline(compiled.spec.environment.region):
        written = json.loads(compiled.pipeline.definition())
    ours = json.loads(compiled.definition_json)
    # What the product adds or drops knowingly: `step_fields`, and nulls of the top level.
    extra = {r.name: as_json(r.fields) for r in walk_requests(compiled.program.steps) if r.fields}
    for step in all_steps(written["Steps"]):
        step.update(extra.get(step["Name"], {}))
    wanted: dict[str, Any] = {}
    for name, value in written.items():
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if v is not None}
        if value is not None:
            wanted[name] = value
    assert ours == wanted
    assert list(ours) == list(wanted)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_steps_are_instances_of_the_sdks_classes(case: Case) -> None:
    pipeline = case.compiled.pipeline
    classes = {name: _sdk_class(*place) for name, place in CLASSES[MAJOR.number].items()}
    requests = {r.name: r for r in walk_requests(case.compiled.program.steps)}

    def check(steps: list[Any]) -> None:
        for step in steps:
            # Types that the SDK does not know are plain steps of it.
            wanted = classes.get(requests[step.name].type, _sdk_class("steps", "Step"))
            assert isinstance(step, wanted), step.name
            check([*getattr(step, "if_steps", []), *getattr(step, "else_steps", [])])
            check(getattr(step, "for_each_body", []))

    assert isinstance(pipeline, _sdk_class("pipeline", "Pipeline"))
    check(pipeline.steps)
    names = [step.name for step in pipeline.steps]
    assert names == [step["Name"] for step in case.compiled.definition["Steps"]]
