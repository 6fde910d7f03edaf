"""What the service would refuse is imported as far as it makes sense; nothing is a traceback.

``SAGEDAG_MUTANTS=500`` tries as many damaged definitions.
"""

from __future__ import annotations

import copy
import json
import os
import random
from typing import Any

import pytest
from click.testing import CliRunner, Result
from imported_samples import CASES

from pipelines.cli.import_definition import command
from pipelines.errors import SagedagError

Json = Any
MUTANTS = int(os.environ.get("SAGEDAG_MUTANTS", "40"))
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}


def step(name: str = "a", **members: Any) -> Json:
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "AppSpecification": {"ImageUri": IMAGE},
            "RoleArn": "arn:aws:iam::111122223333:role/r",
            **members.pop("arguments", {}),
        },
        **members,
    }


def run(definition: Json, *options: str) -> Result:
    text = json.dumps(definition)
    result = CliRunner().invoke(command, ["-", *options], input=text, standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SagedagError):
        raise AssertionError(text) from result.exception
    return result


def of(*steps: Json) -> Json:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": list(steps)}


JOIN = {"Std:Join": {"On": ""}}
ODD = {"Get": "Parameters.P"}
GATE = {"Name": "g", "Type": "Condition", "Arguments": {"IfSteps": [], "ElseSteps": []}}


@pytest.mark.parametrize(
    ("steps", "told", "code"),
    [
        ([step(), step("b", Type=5)], "/Steps/1: this is no step: it has no type", 0),
        ([step(), step()], "the name `a` is taken: it is called `a-2`", 0),
        ([step(DependsOn=["b"]), step("b", DependsOn=["a"])], "wait for each other: a → b → a", 1),
        ([step(DependsOn=["gone"])], "there is no step `gone`", 1),
        (
            [step(arguments={"Environment": {"X": {"Get": "Steps.gone.Name"}}})],
            "/Steps/0: it refers to the step `gone`, which is not there",
            0,
        ),
        ([step(arguments={"Environment": {"X": ODD}})], "there is no parameter `P`", 1),
        (
            [step(arguments={"StoppingCondition": {"MaxRuntimeInSeconds": "long"}})],
            "`MaxRuntimeInSeconds` wants an integer",
            0,
        ),
        ([step("a b")], "`a b` can't be a step's name", 1),
        ([], "the pipeline has no steps", 1),
        # Members of forms that nobody expects.
        ([step(), step("b", DependsOn=[{"Step": "a", "Trigger": ODD}])], "is no dependency", 0),
        ([step(arguments={"RoleArn": JOIN})], "written raw", 0),
        (
            [{**GATE, "Arguments": {"Conditions": [{"Type": "Not", "Condition": {"Type": ODD}}]}}],
            "there is no comparison",
            1,
        ),
    ],
)
def test_what_the_service_refuses_is_told(steps: list[Json], told: str, code: int) -> None:
    result = run(of(*steps))
    assert told in result.stderr
    assert result.return_value == code
    assert "pipeline: stdin" in result.stdout


JUNK: list[Json] = [
    None, 5, -1, 1.5, True, "", "x", "${a}", "{{b}}", [], {}, [[]], [None], {"a": None}, "\x00",
    {"Get": "Steps.a.b"}, {"Get": 5}, {"Get": "Parameters.Nope"}, {"Get": "ForEach.CurrentItem"},
    {"Get": "IterationOutput.a.b"}, {"Get": "Steps.a['x'].[0]"}, {"Std:Join": 5}, JOIN,
    {"Std:Join": {"On": "", "Values": []}}, {"Std:JsonGet": {}},
    {"Std:JsonGet": {"S3Uri": 5, "Path": "a"}}, "a" * 300, 10**30, "s3://", "Steps.train",
]  # fmt: skip


def places(value: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [p for key, item in items for p in ((*path, key), *places(item, (*path, key)))]


def damaged(definition: Json, source: random.Random) -> Json:
    """Return a definition with a few values replaced, removed, doubled or renamed."""
    made = copy.deepcopy(definition)
    for _ in range(source.choice([1, 1, 2, 4])):
        found = sorted(places(made), key=len)
        if not found:
            break
        path = found[int(len(found) * source.random() ** 2)]
        around = made
        for key in path[:-1]:
            around = around[key]
        key, way = path[-1], source.random()
        if way < 0.15:
            del around[key]
        elif way < 0.25 and isinstance(around, list):
            around.append(copy.deepcopy(around[key]))
        elif way < 0.4 and isinstance(around, dict):
            name = source.choice([f"{key}x", "Type", "Name", "Arguments", "DependsOn"])
            around[name] = copy.deepcopy(around[key])
        else:
            around[key] = copy.deepcopy(source.choice(JUNK))
    return made


SMALL = [
    text
    for path in sorted(CASES.glob("*/definition.json"))
    if len(text := path.read_text("utf-8")) < 9000
]


@pytest.mark.parametrize("seed", range(MUTANTS))
def test_a_damaged_definition_is_told_about(seed: int) -> None:
    source = random.Random(seed)
    run(damaged(json.loads(source.choice(SMALL)), source), "--check")
