from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator

from pipelines.cli.schema import command
from pipelines.language.diagnostics import Report
from pipelines.language.editor_schema import editor_schema
from pipelines.language.nodes import plain
from pipelines.language.schema import at_pointer, definition_schema, environments_schema
from pipelines.language.source import read

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "definitions" / "schema" / "pipeline.schema.json"
NULL = {"type": "null"}
RULES = ("if", "then", "else")
"""Keywords whose schemas add rules to properties that are described elsewhere."""


def loaded(path: Path) -> Any:
    """Return a file's data, read as the language reads YAML."""
    report = Report()
    node = read(path, path.name, path.read_bytes(), report)
    assert node is not None, report.diagnostics
    return plain(node)


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from properties(item, f"{path}/{index}")
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in ("examples", "const", "enum", *RULES):
            continue
        if keyword in ("properties", "patternProperties", "definitions"):
            for name, inner in value.items():
                if keyword == "properties":
                    yield f"{path}/{name}", inner
                yield from properties(inner, f"{path}/{name}")
        else:
            yield from properties(value, f"{path}/{keyword}")


def resolved(schema: Any) -> Any:
    while "$ref" in schema and "description" not in schema:
        schema = at_pointer(definition_schema(), schema["$ref"])
    return schema


PROPERTIES = dict(properties(definition_schema()))


def test_the_schema_is_valid_draft_07() -> None:
    Draft7Validator.check_schema(definition_schema())
    Draft7Validator.check_schema(editor_schema())
    Draft7Validator.check_schema(environments_schema())
    assert len(PROPERTIES) > 500


def test_every_property_has_a_description_and_an_example() -> None:
    for path, schema in PROPERTIES.items():
        assert resolved(schema).get("description"), path
        assert resolved(schema).get("examples"), path


def test_every_example_is_valid_where_it_stands() -> None:
    validator = Draft7Validator(definition_schema())
    wrong = [
        f"{path}: {sample!r}: {error.message}"
        for path, schema in PROPERTIES.items()
        for sample in resolved(schema)["examples"]
        for error in validator.evolve(schema=schema).iter_errors(sample)
    ]
    assert wrong == []


def test_the_committed_schema_is_the_one_that_the_command_prints() -> None:
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == editor_schema()
    assert CliRunner().invoke(command, []).output == COMMITTED.read_text(encoding="utf-8")


def test_editors_differ_from_the_checks_in_null_alone() -> None:
    def without_null(schema: Any) -> Any:
        if isinstance(schema, list):
            return [without_null(each) for each in schema if each not in (NULL, "null")]
        if not isinstance(schema, dict):
            return schema
        made = {keyword: without_null(value) for keyword, value in schema.items()}
        if isinstance(made.get("type"), list) and len(made["type"]) == 1:
            made["type"] = made["type"][0]
        if list(made) == ["anyOf"] and len(made["anyOf"]) == 1:
            return made["anyOf"][0]
        return made

    assert without_null(editor_schema()) == without_null(definition_schema())


DEFINITIONS = sorted(
    [
        *(ROOT / "tests/cases/ok").glob("*/pipeline.yaml"),
        *(ROOT / "definitions").rglob("pipeline.yaml"),
        *(ROOT / "tests/sdk").glob("*/pipeline.yaml"),
    ]
)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_an_editor_finds_nothing_wrong_with_a_valid_definition(path: Path) -> None:
    schema = json.loads(COMMITTED.read_text(encoding="utf-8"))
    found = [error.message for error in Draft7Validator(schema).iter_errors(loaded(path))]
    assert found == []


def test_there_are_definitions_to_try() -> None:
    assert ROOT / "definitions/pulsar/pipeline.yaml" in DEFINITIONS


@pytest.mark.parametrize(
    "text",
    [
        # fields from `defaults`, templates where numbers are wanted, and steps without a type
        "pipeline: a\ndefaults: {image: u, instance: ml.m5.large}\nsteps: {t: {type: Training}}",
        "pipeline: a\nparallelism: '{{ vars.n }}'\nsteps: {}",
        "extends: base.yaml\nsteps: {train: {instance: ml.m5.large}, old: null}",
        "steps: {t: {type: Training, instance: {type: x, count: '${parameters.N}'}, request: {}}}",
        "pipeline: a\nsteps: {t: {type: Training, retry: null, environment: {A: null}}}",
        "x-anything: [1]\npipeline: a\nsteps: {s: {type: Fail, message: 7 is text}}",
    ],
)
def test_an_editor_accepts_what_the_language_allows(text: str) -> None:
    node = read(Path("/a.yaml"), "a.yaml", text.encode(), Report())
    assert node is not None
    assert [e.message for e in Draft7Validator(editor_schema()).iter_errors(plain(node))] == []


@pytest.mark.parametrize(
    "text",
    [
        "pipeline: a\nsteps: {t: {type: Trainin}}",
        "pipeline: a\nsteps: {t: {message: no type}}",
        "pipeline: a\nsteps: {t: {type: Fail, mesage: a}}",
        "pipeline: a\nparallelism: many\nsteps: {}",
        "pipeline: a\nparalelism: 4\nsteps: {}",
        "steps: {t: {type: Training, instance: {type: x, count: two}}}",
    ],
)
def test_an_editor_finds_common_mistakes(text: str) -> None:
    node = read(Path("/a.yaml"), "a.yaml", text.encode(), Report())
    assert node is not None
    assert list(Draft7Validator(editor_schema()).iter_errors(plain(node)))


def test_the_environments_file_fits_its_schema() -> None:
    validator = Draft7Validator(environments_schema())
    for path in (ROOT / "definitions").rglob("environments.yaml"):
        assert [error.message for error in validator.iter_errors(loaded(path))] == []
