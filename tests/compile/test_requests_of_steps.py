"""Every step's arguments are what the API takes, by botocore's word and by the product's own."""

from __future__ import annotations

from typing import Any

import pytest
from compiled_cases import ALL, PULSAR_CASES, Case, all_steps
from shapes_of_requests import OPERATIONS, SUPPLIED, Unfit, problems

from pipelines.service.shapes import check, input_shape

CLOUD = [case for case in [*ALL, *PULSAR_CASES] if case.name != "local-paths"]
"""`local-paths` has paths of this machine in it, which no API takes."""


def _expression_type(value: Any) -> str | None:
    if isinstance(value, dict) and len(value) == 1:
        return {"Get": "any", "Std:Join": "string", "Std:JsonGet": "any"}.get(next(iter(value)))
    return None


@pytest.mark.parametrize("case", CLOUD, ids=lambda case: case.name)
def test_arguments_pass_botocore(case: Case) -> None:
    definition = dict(case.compiled.definition)
    steps = all_steps(definition["Steps"])
    found = {
        step["Name"]: wrong
        for step in steps
        if step["Type"] in OPERATIONS and (wrong := problems(step, definition, steps))
    }
    assert found == {}


@pytest.mark.parametrize("case", CLOUD, ids=lambda case: case.name)
def test_arguments_pass_the_products_own_judge(case: Case) -> None:
    for step in all_steps(case.compiled.definition["Steps"]):
        if step["Type"] in OPERATIONS:
            mismatches = check(
                step["Arguments"],
                input_shape(OPERATIONS[step["Type"]]),
                expression_type=_expression_type,
                ignore_missing=tuple(SUPPLIED),
            )
            assert list(mismatches) == [], step["Name"]


BROKEN = [
    ({"RoleArn": 7}, "RoleArn"),
    ({"RoleArn": "no role"}, "does not match"),
    ({"Unknown": 1}, "Unknown"),
    ({"ProcessingResources": {}}, "ClusterConfig"),
    ({"AppSpecification": {"ImageUri": "i" * 256}}, "max 255"),
    ({"RoleArn": {"Get": "Parameters.Number"}}, "RoleArn"),
    ({"ProcessingInputs": [{"InputName": "a"}] * 11}, "max 10"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN)
def test_the_judge_of_these_tests_sees(change: dict[str, Any], says: str) -> None:
    definition = {"Parameters": [{"Name": "Number", "Type": "Integer", "DefaultValue": 1}]}
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    good: dict[str, Any] = {
        "ProcessingResources": {"ClusterConfig": resources},
        "AppSpecification": {"ImageUri": "image"},
        "RoleArn": "arn:aws:iam::111122223333:role/role",
    }
    step = {"Name": "a", "Type": "Processing", "Arguments": good}
    assert problems(step, definition, [step]) == []
    step = {**step, "Arguments": {**good, **change}}
    assert says in " ".join(problems(step, definition, [step]))


def test_the_judge_of_these_tests_sees_the_type_of_a_property() -> None:
    step = {
        "Name": "a",
        "Type": "Processing",
        "Arguments": {"RoleArn": {"Get": "Steps.a.StoppingCondition.MaxRuntimeInSeconds"}},
    }
    with pytest.raises(Unfit, match="is a integer, not a string"):
        problems(step, {}, [step])
