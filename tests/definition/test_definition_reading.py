from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from definition_samples import condition, document, equals, full, step
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.definition import Branch, Dependency, dependencies, read_definition
from pipelines.errors import DefinitionError


def test_reads_everything_that_matters() -> None:
    definition = read_definition(json.dumps(full()))
    names = [item.name for item in definition.steps]
    assert names == ["prepare", "watch", "evaluate", "gate", "register", "inner", "deep", "reject"]
    assert [item.type for item in definition.parameters] == [
        "String", "String", "Integer", "Float", "Boolean",
    ]  # fmt: skip
    assert definition.parameters[3].default == 1.0
    evaluate = definition.by_name["evaluate"]
    assert evaluate.cache is not None and evaluate.cache.expire_after == "P30D"
    assert evaluate.retries[0].max_attempts == 3
    assert evaluate.property_files[0].path == "m.json"
    assert evaluate.pointer == "/Steps/2"
    assert definition.by_name["deep"].branch == Branch("inner", True)
    assert definition.by_name["reject"].branch == Branch("gate", False)
    assert "IfSteps" not in definition.by_name["gate"].arguments
    edges = dependencies(definition)
    assert edges["evaluate"] == (Dependency("prepare"), Dependency("watch", "Any"))
    assert edges["gate"] == (Dependency("evaluate"),)
    assert edges["register"] == ()


def problems(value: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        read_definition(value)
    return caught.value.message


def get(path: str) -> dict[str, Any]:
    return {"X": {"Get": path}}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("{", "is not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        ("[]", "/: must be an object, not a list"),
        ('{"Version": "2020-12-01", "Version": "x"}', 'the key "Version" stands twice'),
        ('{"Version": NaN}', "NaN is no JSON value"),
        ("[" * 100_000, "nests"),
        ('{"a":' * 150 + "1" + "}" * 150, "deeper than"),
        ("1" * 6000, "not JSON"),
        (r'{"Version": "\ud83d"}', r"\ud83d is half of a surrogate pair"),
        (document(Version="1999-01-01"), '/Version: must be "2020-12-01"'),
        (document(), "at least one step"),
        ({"Version": "2020-12-01", "Steps": {}}, "/Steps: must be a list of steps"),
        (document(7), "/Steps/0: a step must be an object, not a number"),
        (document(step("a b")), "/Steps/0/Name: must be 1 to 64"),
        (document({"Name": "a"}), "/Steps/0/Type"),
        (document(step("a", Arguments=[])), "/Steps/0/Arguments: must be an object, not a list"),
        (document(step("a"), step("a")), "`a` is taken by the step at /Steps/0"),
        (
            document(condition("c", [equals(1, 1)], [step("a")], [step("a")])),
            "/Steps/0/Arguments/ElseSteps/0/Name: the name `a` is taken",
        ),
        (document(step("a", DependsOn="b")), "/Steps/0/DependsOn: must be a list, not text"),
        (document(step("a", DependsOn=["prepaer"]), step("prepare")), "did you mean `prepare`?"),
        (document(step("a", DependsOn=["a"])), "depends on itself"),
        (
            document(step("a"), step("b", DependsOn=[{"Step": "a", "Trigger": "Fail"}])),
            "/Steps/1/DependsOn/0/Trigger: must be one of Completed, Failed, Stopped, Any; "
            "did you mean `Failed`?",
        ),
        (document(step("a", Arguments=get("Parameters.X"))), "there is no parameter `X`"),
        (document(step("a", Arguments=get("Steps.b.C"))), "there is no step `b`"),
        (document(step("a", Arguments=get("Steps.a.C"))), "the step `a` refers to itself"),
        (document(step("a", Arguments=get("Execution.PipelineId"))), "did you mean `PipelineArn`?"),
        (document(step("a", Arguments=get("Nowhere.x"))), "/Steps/0/Arguments/X: `Nowhere.x`"),
        (document(step("a", Arguments={"X": {"Get": 5}})), "`Get` needs a path as text"),
        (document(step("a", Arguments={"X": {"Std:Join": []}})), "`Std:Join` needs an object"),
        (
            document(step("a", Arguments={"X": {"Std:Join": {"Values": "x"}}})),
            "`Values` of `Std:Join` must be a list, not text",
        ),
        (
            document(step("a", Arguments={"X": {"Std:JsonGet": {"Path": "a"}}})),
            "exactly one of `PropertyFile` and `S3Uri`",
        ),
        (
            document(step("a"), step("b", Arguments=get("Steps.a.PropertyFiles.m"))),
            "the step `a` has no property file `m`",
        ),
        (document(condition("c", [])), "at least one condition"),
        (document(condition("c", [{"Type": "Equal"}])), "did you mean `Equals`?"),
        (document(condition("c", [{"Type": "Equals", "LeftValue": 1}])), "lacks `RightValue`"),
        (document(condition("c", [equals([1], 1)])), "a value or an expression, not a list"),
        (
            document(step("a", DependsOn=["b"]), step("b", DependsOn=["a"])),
            "steps wait for each other: a → b → a",
        ),
        (
            document(condition("c", [equals({"Get": "Steps.a.X"}, 1)], [step("a")])),
            "steps wait for each other",
        ),
        (
            document(step("a"), Parameters=[{"Name": "P", "Type": "Int"}]),
            "/Parameters/0/Type: must be one of String, Integer, Float, Boolean",
        ),
        (
            document(step("a"), Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": "1"}]),
            "/Parameters/0/DefaultValue: text is no Integer",
        ),
        (
            document(
                step("a"),
                Parameters=[
                    {"Name": "P", "Type": "String", "DefaultValue": "c", "EnumValues": ["a"]}
                ],
            ),
            "is none of EnumValues",
        ),
        (
            document(step("a"), Parameters=[{"Name": "P", "Type": "String"}] * 2),
            "the parameter `P` stands twice",
        ),
        (
            document(step("a", RetryPolicies=[{"ExceptionType": ["x"], "MaxAttempts": -1}])),
            "/Steps/0/RetryPolicies/0/MaxAttempts",
        ),
    ],
)
def test_says_what_is_wrong_and_where(value: Any, says: str) -> None:
    assert says in problems(value)


def test_reports_all_problems_at_once_and_counts_the_rest() -> None:
    text = problems(document(*[step("bad name") for _ in range(60)]))
    assert text.count("/Name:") == 40
    assert "and 20 more" in text


def test_cycles_of_ten_thousand_steps_need_no_recursion() -> None:
    steps = [step(f"s{n}", DependsOn=[f"s{(n + 1) % 10_000}"]) for n in range(10_000)]
    assert "steps wait for each other" in problems(document(*steps))


def mutate(value: Any, chooser: random.Random) -> Any:
    """Delete, retype, rename or duplicate one place of a JSON value."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []
    rest = [value]
    while rest:
        item = rest.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, below in pairs:
            places.append((item, key))
            if isinstance(below, (dict, list)):
                rest.append(below)
    holder, key = chooser.choice(places)
    junk: list[Any] = [
        None,
        0,
        -1,
        1e308,
        True,
        "",
        "x.y[",
        [],
        {},
        [[]],
        {"Get": "Steps.a"},
        {"Get": None},
    ]
    action = chooser.randrange(4)
    if action == 0:
        del holder[key]
    elif action == 1:
        holder[key] = chooser.choice(junk)
    elif action == 2 and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[key] = [holder[key]]
    return value


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_damaged_definition_is_read_or_refused_never_a_traceback(seed: int, times: int) -> None:
    chooser, value = random.Random(seed), full()
    for _ in range(times):
        value = mutate(value, chooser)
    try:
        definition = read_definition(json.dumps(value))
    except DefinitionError as error:
        assert error.message.startswith("the pipeline definition ")
    else:
        dependencies(definition)


@settings(max_examples=200, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["Version", "Steps", "Parameters", "Name", "Type", "Arguments", "Get"]),
        inner, max_size=4),
    max_leaves=20,
))  # fmt: skip
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        read_definition(json.dumps(value))
    except DefinitionError as error:
        assert error.message
