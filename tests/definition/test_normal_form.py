"""The normal form: what is written otherwise and means the same is equal, what differs is told."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.definition.normal import ABSENT, Difference, differences, normal_form

CASES = Path(__file__).parents[1] / "cases" / "ok"
GOLDENS = sorted(CASES.glob("*/definition.json"))


def parameter(name: str) -> dict[str, Any]:
    return {"Get": f"Parameters.{name}"}


def join(*values: Any, on: str = "") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def step(name: str = "train", kind: str = "Training", **members: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, **members}


def definition(*steps: dict[str, Any], **members: Any) -> dict[str, Any]:
    parameters = [
        {"Name": "Text", "Type": "String", "DefaultValue": "a"},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    ]
    return {"Version": "2020-12-01", "Parameters": parameters, "Steps": [*steps], **members}


def with_arguments(value: Any, kind: str = "Training") -> dict[str, Any]:
    return definition(step(kind=kind, Arguments={"X": value}))


SAME = {
    "separator": (join("a", parameter("Text"), "b", on="/"), join("a/", parameter("Text"), "/b")),
    "join in a join": (
        join("s3://b/", join(parameter("Text"), "x", on="-")),
        join("s3://b/", parameter("Text"), "-x"),
    ),
    "texts alone": (join("a", "b"), "ab"),
    "join of a text": (join(parameter("Text")), parameter("Text")),
    "number in a join": (join(parameter("Text"), 5), join(parameter("Text"), "5")),
    "whole number": (5.0, 5),
    "quotes of a key": ({"Get": "Steps.a.B['c']"}, {"Get": 'Steps.a.B["c"]'}),
    "root of a JSON path": (
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.a.PropertyFiles.f"}, "Path": "$.a.b"}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.a.PropertyFiles.f"}, "Path": "a.b"}},
    ),
    "null member": ({"a": 1, "b": None}, {"a": 1}),
    "empty members": ({"a": 1, "b": {"c": []}}, {"a": 1}),
    "a documented default": ({"a": 1, "AppManaged": False}, {"a": 1}),
    "order of tags": (
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]},
        {"Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}]},
    ),
}
DIFFERENT = {
    "separator": (join("a", "b", parameter("Text"), on="/"), join("a", "b", parameter("Text"))),
    "join of a number": (join(parameter("Count")), parameter("Count")),
    "order of words": (["a", "b"], ["b", "a"]),
    "text and number": ("1", 1),
    "true and one": (True, 1),
    "member and key": ({"Get": "Steps.a.B['c']"}, {"Get": "Steps.a.B.c"}),
    "no default": ({"AppManaged": True}, {}),
    "zero is no absence": ({"a": 0}, {}),
    "false is no absence": ({"a": False}, {}),
}


@pytest.mark.parametrize("name", SAME)
def test_values_that_mean_the_same(name: str) -> None:
    first, second = SAME[name]
    assert differences(with_arguments(first), with_arguments(second)) == []


@pytest.mark.parametrize("name", DIFFERENT)
def test_values_that_differ(name: str) -> None:
    first, second = DIFFERENT[name]
    assert differences(with_arguments(first), with_arguments(second)) != []
    assert differences(with_arguments(second), with_arguments(first)) != []


def test_an_event_keeps_its_empty_members() -> None:
    first, second = {"a": None, "b": []}, {"a": None}
    assert differences(with_arguments(first, "Lambda"), with_arguments(second, "Lambda")) == [
        Difference(("Steps", "train", "Arguments", "X", "b"), [], ABSENT)
    ]
    assert differences(with_arguments(first), with_arguments(second)) == []


def compare_value(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def negated(condition: Any, member: str = "Condition") -> dict[str, Any]:
    return {"Type": "Not", member: condition}


A = compare_value("GreaterThan", parameter("Count"), 1)
B = compare_value("Equals", parameter("Text"), "x")
SAME_CONDITIONS = {
    "order": ([A, B], [B, A]),
    "mirrored": ([A], [compare_value("LessThan", 1, parameter("Count"))]),
    "not greater": (
        [negated(A)],
        [compare_value("LessThanOrEqualTo", parameter("Count"), 1)],
    ),
    "not of old SDKs": ([negated(B, "Expression")], [negated(B)]),
    "unequal": ([negated(B)], [compare_value("NotEquals", parameter("Text"), "x")]),
    "twice": ([negated(negated(A))], [A]),
    "or of one": ([{"Type": "Or", "Conditions": [A]}], [A]),
    "De Morgan": (
        [negated({"Type": "Or", "Conditions": [A, B]})],
        [negated(A), negated(B)],
    ),
    "or as a step writes its own": (
        [{"Type": "Or", "Conditions": [A, B]}],
        [{"Type": "Or", "Arguments": {"Conditions": [B, A]}}],
    ),
    "in": (
        [{"Type": "In", "QueryValue": parameter("Text"), "Values": ["a", "b"]}],
        [{"Type": "In", "Value": parameter("Text"), "In": ["b", "a", "a"]}],
    ),
}


@pytest.mark.parametrize("name", SAME_CONDITIONS)
def test_conditions_that_mean_the_same(name: str) -> None:
    first, second = (
        definition(step(kind="Condition", Arguments={"Conditions": given, "IfSteps": []}))
        for given in SAME_CONDITIONS[name]
    )
    assert differences(first, second) == []


def test_conditions_that_differ() -> None:
    for first, second in (([A], [B]), ([A, B], [{"Type": "Or", "Conditions": [A, B]}])):
        made = [
            definition(step(kind="Condition", Arguments={"Conditions": given}))
            for given in (first, second)
        ]
        assert differences(*made) != []


def test_conditions_that_would_grow_without_bound_are_compared_as_written() -> None:
    pair = negated({"Type": "Or", "Conditions": [A, B]})
    huge = [{"Type": "Or", "Conditions": [pair] * 40}]
    made = definition(step(kind="Condition", Arguments={"Conditions": huge}))
    assert differences(made, copy.deepcopy(made)) == []
    assert normal_form(made)["Steps"]["train"]["Arguments"]["Conditions"][0]["Type"] == "Or"


def test_dependencies_that_are_implied_say_nothing() -> None:
    uses = {"X": {"Get": "Steps.first.A"}}
    bare = definition(step("first"), step("second", Arguments=uses))
    said = definition(step("first"), step("second", Arguments=uses, DependsOn=["first"]))
    long = definition(
        step("first"),
        step("second", Arguments=uses, DependsOn=[{"Step": "first", "Trigger": "Completed"}]),
    )
    failed = definition(
        step("first"),
        step("second", Arguments=uses, DependsOn=[{"Step": "first", "Trigger": "Failed"}]),
    )
    assert differences(bare, said) == differences(bare, long) == []
    assert [d.path for d in differences(bare, failed)] == [("Steps", "second", "DependsOn")]
    other = definition(step("first"), step("second", DependsOn=["first"]))
    assert differences(other, definition(step("first"), step("second"))) != []


def test_a_step_in_a_branch_waits_for_its_condition_anyway() -> None:
    def made(**members: Any) -> dict[str, Any]:
        inner = step("inner", "Fail", Arguments={"ErrorMessage": "no"}, **members)
        return definition(
            step("gate", "Condition", Arguments={"Conditions": [A], "IfSteps": [inner]})
        )

    assert differences(made(), made(DependsOn=["gate"])) == []
    assert differences(made(), made(DependsOn=["else"])) != []


def test_a_step_that_moves_to_the_other_branch_is_told() -> None:
    inner = step("inner", "Fail")
    first = definition(step("gate", "Condition", Arguments={"Conditions": [A], "IfSteps": [inner]}))
    second = definition(
        step("gate", "Condition", Arguments={"Conditions": [A], "ElseSteps": [inner]})
    )
    found = {d.path: (d.before, d.after) for d in differences(first, second)}
    arguments = ("Steps", "gate", "Arguments")
    assert found[(*arguments, "IfSteps")][1] is ABSENT
    assert found[(*arguments, "ElseSteps")][0] is ABSENT


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"Enabled": False, "ExpireAfter": "30d"}, None, True),
        ({"Enabled": True, "ExpireAfter": "30d"}, {"Enabled": True, "ExpireAfter": "P30D"}, True),
        ({"Enabled": True, "ExpireAfter": "PT1H"}, {"Enabled": True, "ExpireAfter": "T60m"}, True),
        ({"Enabled": True, "ExpireAfter": "P1M"}, {"Enabled": True, "ExpireAfter": "P30D"}, False),
        ({"Enabled": True}, None, False),
        ({"Enabled": True}, {"Enabled": True, "ExpireAfter": "30d"}, False),
    ],
)
def test_caches(first: Any, second: Any, same: bool) -> None:
    made = [definition(step(CacheConfig=config)) for config in (first, second)]
    assert (differences(*made) == []) is same


def test_retry_policies_are_split_by_family() -> None:
    both = {"ExceptionType": ["SageMaker.CAPACITY_ERROR", "Step.THROTTLING"], "MaxAttempts": 3}
    split = [
        {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3, "IntervalSeconds": 1},
        {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 3, "BackoffRate": 2.0},
    ]
    first, second = definition(step(RetryPolicies=[both])), definition(step(RetryPolicies=split))
    assert differences(first, second) == []
    split[0]["MaxAttempts"] = 4
    assert differences(first, second) != []


def test_two_steps_of_one_name_are_both_kept() -> None:
    made = normal_form(definition(step(), step(kind="Processing")))
    assert [each["Type"] for each in made["Steps"].values()] == ["Training", "Processing"]


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_order_is_no_part_of_the_meaning(path: Path) -> None:
    before = json.loads(path.read_text("utf-8"))
    chance = random.Random(7)

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            names = list(value)
            chance.shuffle(names)
            return {name: shuffled(value[name]) for name in names}
        if isinstance(value, list):
            return [shuffled(item) for item in value]
        return value

    after = shuffled(before)
    chance.shuffle(after["Steps"])
    assert differences(before, after) == []
    for each in list(after["Steps"]):
        after["Steps"].remove(each)
        assert differences(before, after) != []
        after["Steps"].append(each)


def scalars(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from scalars(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from scalars(item, (*path, index))
    else:
        yield path


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.parent.name)
def test_every_changed_value_is_a_difference(path: Path) -> None:
    before = json.loads(path.read_text("utf-8"))
    chance = random.Random(7)
    places = [p for p in scalars(before["Steps"]) if p[-1] not in ("On", "Name", "ExpireAfter")]
    for place in chance.sample(places, min(12, len(places))):
        after = copy.deepcopy(before)
        value = after["Steps"]
        for key in place[:-1]:
            value = value[key]
        value[place[-1]] = "changed ✗"
        assert differences(before, after) != [], place


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["Get", "Steps.a.b", "Parameters.Text", "Or", "Not", "Equals"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["Get", "Std:Join", "Std:JsonGet", "On", "Values", "Path", "Name", "Type", "Arguments",
             "DependsOn", "Conditions", "IfSteps", "Steps", "Parameters", "CacheConfig", "Tags",
             "RetryPolicies", "ExceptionType", "Key", "Step", "Trigger", "Condition"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["Steps", "Parameters", "Metadata"]), json_values))
def test_any_json_has_a_normal_form(document: dict[str, Any]) -> None:
    assert normal_form(document) is not None
    differences(document, {"Steps": [step()]})
