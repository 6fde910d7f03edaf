"""``request`` takes every member that botocore's model knows; those that a pipeline refuses are
told with the reason.

One definition for each kind holds a step for every member of its request, however deep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from members_of_shapes import members
from shapes_of_requests import service

import pipelines
from steps import kind_named

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/image:1"
JOB = {"image": IMAGE, "instance": "ml.m5.large"}
STEPS: dict[str, dict[str, Any]] = {
    "Processing": {"type": "Processing", **JOB},
    "Training": {"type": "Training", **JOB},
    "Tuning": {
        "type": "Tuning",
        **JOB,
        "metrics": {"loss": "loss=([0-9.]+)"},
        "objective": {"metric": "loss", "goal": "Minimize"},
        "ranges": {"rate": {"min": 0.1, "max": 0.5}},
        "max_jobs": 2,
        "max_parallel_jobs": 1,
    },
    "Transform": {
        "type": "Transform",
        "instance": "ml.m5.large",
        "model": "a-model",
        "input": "s3://bucket/in",
    },
    "RegisterModel": {"type": "RegisterModel", "group": "group", "image": IMAGE},
    "CreateModel": {"type": "CreateModel", "image": IMAGE},
    "AutoML": {"type": "AutoML", "inputs": {"training": "s3://bucket/in"}, "target": "label"},
}
ENOUGH = {
    "Processing": 70,
    "Training": 130,
    "Tuning": 200,
    "Transform": 35,
    "RegisterModel": 150,
    "CreateModel": 80,
    "AutoML": 35,
}
"""Members that there are at least: a walk that loses its way must not pass."""
ENVIRONMENTS = """
environments:
  dev:
    account: "111122223333"
    region: eu-west-1
    role: arn:aws:iam::111122223333:role/pipelines
    bucket: bucket
"""


@cache
def requests(kind: str) -> tuple[tuple[str, str], ...]:
    """The members of a kind's request, each as its dotted path and a request in JSON."""
    operation = kind_named(kind).operation  # type: ignore[union-attr]  # the kinds above exist
    shape = service().operation_model(operation).input_shape
    own = set(shape.required_members)
    found: dict[str, str] = {}
    for path, value in members(shape):
        # The step says the members that are required; the request says the one that is tried.
        given = {name: part for name, part in value.items() if name == path[0] or name not in own}
        found[".".join(path)] = json.dumps(given)
    return tuple(found.items())


def refusal(kind: str, path: str) -> str:
    """Why a pipeline refuses a member; empty where it takes it."""
    refused = kind_named(kind).refused  # type: ignore[union-attr]  # the kinds above exist
    return next((why for name, why in refused.items() if f"{path}.".startswith(f"{name}.")), "")


def written(folder: Path, kind: str, chosen: Mapping[str, str]) -> Path:
    steps = {
        f"s{number}": {**STEPS[kind], "request": json.loads(request)}
        for number, request in enumerate(chosen.values())
    }
    (folder / "environments.yaml").write_text(ENVIRONMENTS)
    path = folder / "pipeline.yaml"
    # JSON is YAML; indented, since a line has its limits.
    path.write_text(json.dumps({"pipeline": "members", "steps": steps}, indent=1))
    return path


def holds(value: Any, given: Any) -> bool:
    """Whether all that was given is in a value."""
    if isinstance(given, dict) and isinstance(value, dict):
        return all(name in value and holds(value[name], part) for name, part in given.items())
    if isinstance(given, list) and isinstance(value, list):
        return len(value) >= len(given) and all(any(holds(v, g) for v in value) for g in given)
    return type(value) is type(given) and bool(value == given)


@pytest.mark.slow  # for importing the SDK
@pytest.mark.parametrize("kind", list(STEPS))
def test_every_member_comes_into_the_definition(kind: str, tmp_path: Path) -> None:
    taken = {path: request for path, request in requests(kind) if not refusal(kind, path)}
    assert len(taken) >= ENOUGH[kind]
    compiled = pipelines.compile(written(tmp_path, kind, taken), environment="dev")
    made = {step["Name"]: step["Arguments"] for step in compiled.definition["Steps"]}
    lost = {
        path: made[f"s{number}"]
        for number, (path, request) in enumerate(taken.items())
        if not holds(made[f"s{number}"], json.loads(request))
    }
    assert lost == {}


@pytest.mark.parametrize("kind", list(STEPS))
def test_what_a_pipeline_refuses_is_told_with_the_reason(kind: str, tmp_path: Path) -> None:
    refused = {path: request for path, request in requests(kind) if refusal(kind, path)}
    known = kind_named(kind)
    assert known is not None
    assert {name for name in known.refused if name not in refused} == set()
    path = written(tmp_path, kind, refused)
    told: dict[str, set[str]] = {}
    for found in pipelines.check(path, environment="dev").diagnostics:
        if found.code == "refused-member":
            told.setdefault(found.message.split("`")[1], set()).add(found.hint)
    assert told == {name: {why} for name, why in known.refused.items()}


def test_a_member_that_the_model_does_not_know_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "Training", {"one": json.dumps({"OutputDataConfig": {"Place": 1}})})
    found = pipelines.check(path, environment="dev").diagnostics
    assert [each.code for each in found] == ["unknown-member"]
