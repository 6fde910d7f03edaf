"""The compiled pipeline is one of the SDK, made of the SDK's own step classes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from compiled_cases import ALL, PULSAR_CASES, Case, all_steps

from pipelines.compiler import as_json
from steps import _sdk


@pytest.mark.parametrize("case", [*ALL, *PULSAR_CASES], ids=lambda case: case.name)
def test_the_sdk_pipeline_writes_the_same_definition(case: Case) -> None:
    compiled = case.compiled
    with _sdk.offline(compiled.spec.environment.region):
        written = json.loads(compiled.pipeline.definition())
    ours = json.loads(compiled.definition_json)
    # What the product adds or drops knowingly: `step_fields`, and nulls of the top level.
    requests = {s.name: s for s in _requests(compiled.program.steps)}
    extra = {s.name: as_json(s.fields) for s in requests.values() if s.fields}
    for step in all_steps(written["Steps"]):
        step.update(extra.get(step["Name"], {}))
        if step["Name"] in _raw(case):
            # The SDK refuses types that it does not know; such a step stands under another's name.
            step["Type"] = requests[step["Name"]].type
    wanted: dict[str, Any] = {}
    for name, value in written.items():
        if isinstance(value, dict):
            value = {k: v for k, v in value.items() if v is not None}
        if value is not None:
            wanted[name] = value
    assert ours == wanted
    assert list(ours) == list(wanted)


def _raw(case: Case) -> set[str]:
    return {step.name for step in case.compiled.spec.walk() if step.kind.name == "Raw"}


def _requests(steps: Any) -> Any:
    for step in steps:
        yield step
        yield from _requests(step.then)
        yield from _requests(step.otherwise)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_steps_are_instances_of_the_sdks_classes(case: Case) -> None:
    pipeline = case.compiled.pipeline
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.model_step import ModelStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.steps import ProcessingStep, Step, TrainingStep, TransformStep

    classes = {
        "Processing": ProcessingStep,
        "Training": TrainingStep,
        "Transform": TransformStep,
        "Model": ModelStep,
        "RegisterModel": ModelStep,
        "Condition": ConditionStep,
        "Fail": FailStep,
    }

    def check(steps: list[Any]) -> None:
        for step in steps:
            wanted = Step if step.name in _raw(case) else classes.get(step.step_type.value, Step)
            assert isinstance(step, wanted), step.name
            if isinstance(step, ConditionStep):
                check([*step.if_steps, *step.else_steps])

    assert isinstance(pipeline, Pipeline)
    check(pipeline.steps)
    names = [step.name for step in pipeline.steps]
    assert names == [step["Name"] for step in case.compiled.definition["Steps"]]
