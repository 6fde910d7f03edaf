"""What is compiled here passes AWS's published schema of definitions, behind the errata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from schema_patch import problems

import pipelines

REPOSITORY = Path(__file__).parents[2]
CASES = REPOSITORY / "tests" / "cases" / "ok"
PULSAR = REPOSITORY / "definitions" / "pulsar" / "pipeline.yaml"

Definition = dict[str, Any]


def test_compiled_cases_pass(schema: Definition) -> None:
    goldens = sorted(CASES.glob("*/definition.json"))
    if not goldens:
        pytest.skip("there are no compiled cases in tests/cases/ok")
    definitions = {path.parent.name: json.loads(path.read_text("utf-8")) for path in goldens}
    found = {name: problems(schema, definition) for name, definition in definitions.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_compiled_pulsar_pipeline_passes(schema: Definition) -> None:
    compiled = pipelines.compile(PULSAR, environment="dev").definition
    assert problems(schema, compiled) == []
