"""What is compiled here passes AWS's published schema of definitions, behind the errata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schema_patch import problems

import pipelines

REPOSITORY = Path(__file__).parents[2]
CASES = REPOSITORY / "tests" / "cases" / "ok"
PULSAR = REPOSITORY / "definitions" / "pulsar" / "pipeline.yaml"

Definition = dict[str, Any]


# Step types that the published schema does not know at all; the SDK has classes for the first four,
# the others are what the cases of Raw steps make up. Other tests compare them with the SDK.
UNPUBLISHED = frozenset({"ForEach", "Lineage", "Cleanup", "Job", "BrandNew", "Athena"})


def published(steps: list[Definition]) -> list[Definition]:
    """The steps of types that the schema knows, branches included."""
    kept = []
    for step in steps:
        if step["Type"] in UNPUBLISHED:
            continue
        arguments = step["Arguments"]
        inner = {b: published(arguments[b]) for b in ("IfSteps", "ElseSteps") if b in arguments}
        kept.append({**step, "Arguments": {**arguments, **inner}})
    return kept


def test_compiled_cases_pass(schema: Definition) -> None:
    goldens = sorted(CASES.glob("*/definition.json"))
    assert len(goldens) > 30
    definitions = {path.parent.name: json.loads(path.read_text("utf-8")) for path in goldens}
    found = {
        name: problems(schema, {**definition, "Steps": published(definition["Steps"])})
        for name, definition in definitions.items()
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_only_types_that_the_schema_lacks_are_left_out(schema: Definition) -> None:
    text = json.dumps(schema)
    assert [kind for kind in UNPUBLISHED if f'["{kind}"]' in text] == []
    assert '["Processing"]' in text


def test_the_compiled_pulsar_pipeline_passes(schema: Definition) -> None:
    compiled = pipelines.compile(PULSAR, environment="dev").definition
    assert problems(schema, compiled) == []
