"""Every valid definition compiles to what is kept beside it.

``SAGEDAG_REGEN=1`` writes the kept files anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from compiled_cases import ALL, CASES, Case, all_steps

from pipelines.language.schema import TOP, definition_schema, resolve_ref
from steps import KINDS, all_fields

KEPT = ("definition.json", "graph.mmd", "warnings.txt")


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_case_compiles_to_what_is_kept(case: Case) -> None:
    written = case.written
    if os.environ.get("SAGEDAG_REGEN"):
        for name in KEPT:
            (case.folder / name).unlink(missing_ok=True)
        for name, text in written.items():
            (case.folder / name).write_text(text, "utf-8")
    kept = {n: (case.folder / n).read_text("utf-8") for n in KEPT if (case.folder / n).exists()}
    assert written == kept


def test_there_are_enough_cases() -> None:
    assert len(ALL) >= 25


ONE_FILE = [case for case in ALL if case.name != "layers"]


@pytest.mark.parametrize("case", ONE_FILE, ids=lambda case: case.name)
def test_steps_keep_the_order_of_the_file(case: Case) -> None:
    names = [step["Name"] for step in case.compiled.definition["Steps"]]
    places = []
    for name in names:
        origin = case.compiled.source_map.find(f"/Steps/{names.index(name)}")
        assert origin is not None
        if origin.source.path == case.path:
            places.append(origin.span.line)
    assert places == sorted(places)


def test_steps_of_a_base_come_first_and_the_rest_in_the_order_of_the_file() -> None:
    case = next(case for case in ALL if case.name == "layers")
    assert [step["Name"] for step in case.compiled.definition["Steps"]] == [
        "first",
        "train",
        "last",
    ]


def test_branches_keep_the_order_of_the_file() -> None:
    case = next(case for case in ALL if case.name == "fail-messages")
    names = [step["Name"] for step in all_steps(case.compiled.definition["Steps"])]
    assert names == ["evaluate", "choose", "plain", "joined", "alone", "number", "dollar"]


# --- Coverage: nothing of the language is left untried ---


def test_every_field_of_every_kind_is_in_a_case() -> None:
    used: set[str] = set()
    schema = definition_schema()
    for data in _written_files():
        for step in _steps(data.get("steps")):
            used.update(_visited(step, {"$ref": f"#/definitions/{step['type']}"}, step["type"]))
    wanted = {
        path for kind in KINDS for path in _offered(schema["definitions"][kind.name], kind.name)
    }
    assert {name for kind in KINDS for name in (f"{kind.name}.{f}" for f in all_fields(kind))} <= (
        wanted
    )
    # What is inside these means the same wherever it stands: one kind's case shows it.
    blocks = ("matrix", "retry", "depends_on", "image", "code", "network", "repack", "distribution")
    elsewhere = {_inside(path, blocks) for path in used}
    missing = {path for path in wanted - used if _inside(path, blocks) not in elsewhere}
    # The parts of this kind are steps of other kinds, whose cases show what is in them.
    missing = {path for path in missing if not any(part in used for part in _of_parts(path))}
    # A version in a group takes no tags: writing them is an error, inheriting them is none.
    missing.discard("RegisterModel.tags")
    assert missing == set()


def _of_parts(path: str) -> list[str]:
    """The same field in the steps that a MonitorBatchTransform becomes."""
    kind, part, *rest = path.split(".")
    kinds = {"transform": ["Transform"], "monitor": ["QualityCheck", "ClarifyCheck"]}.get(part, [])
    wanted = kinds if kind == "MonitorBatchTransform" and rest else []
    return [".".join((each, *rest)) for each in wanted]


def _inside(path: str, blocks: tuple[str, ...]) -> str:
    """The path from the shared block on; the whole path where it is in none, or only the block."""
    words = path.split(".")
    for block in blocks:
        if block in words[:-1]:
            return ".".join(words[words.index(block) :])
    return path


def test_every_key_of_the_top_level_is_in_a_case() -> None:
    used: set[str] = set()
    top = {name: dict(field.schema) for name, field in TOP.items() if name != "steps"}
    skipped = ("defaults", "environments")
    block = {"type": "object", "properties": {n: s for n, s in top.items() if n not in skipped}}
    for data in _written_files():
        used.update(_visited(data, block, "top"))
        used.update(f"top.{name}" for name in skipped if name in data)
        used.update(f"defaults.{name}" for name in data.get("defaults", {}))
    wanted = set(_offered(block, "top")) | {f"top.{name}" for name in skipped}
    wanted |= {f"defaults.{kind.name}" for kind in KINDS}
    assert sorted(wanted - used) == []


def _written_files() -> Iterator[dict[str, Any]]:
    for path in sorted(CASES.rglob("*.yaml")):
        if path.name != "environments.yaml":
            # As text: the safe loader would read the key `on` as a boolean.
            yield yaml.load(path.read_text("utf-8"), yaml.BaseLoader)


def _steps(block: Any) -> Iterator[dict[str, Any]]:
    for step in (block or {}).values():
        if isinstance(step, dict) and "type" in step:
            yield step
            yield from _steps(step.get("then"))
            yield from _steps(step.get("else"))
            yield from _steps(step.get("steps"))


def _offered(schema: Any, path: str) -> Iterator[str]:
    """The paths of all properties that a schema knows, steps in branches left out."""
    schema = resolve_ref(schema)
    if not isinstance(schema, Mapping) or path.endswith((".then", ".else", "ForEach.steps")):
        return
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _offered(inner, f"{path}.{name}")
    for option in schema.get("anyOf", ()):
        yield from _offered(option, path)
    for keyword in ("items", "additionalProperties"):
        yield from _offered(schema.get(keyword), path)


def _visited(value: Any, schema: Any, path: str) -> Iterator[str]:
    """The paths of the properties that a value uses."""
    schema = resolve_ref(schema)
    if not isinstance(schema, Mapping) or path.endswith((".then", ".else", "ForEach.steps")):
        return
    known = schema.get("properties", {})
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in known:
                yield f"{path}.{name}"
                yield from _visited(inner, known[name], f"{path}.{name}")
            else:
                yield from _visited(inner, schema.get("additionalProperties"), path)
    if isinstance(value, list):
        for item in value:
            yield from _visited(item, schema.get("items"), path)
    for option in schema.get("anyOf", ()):
        yield from _visited(value, option, path)
