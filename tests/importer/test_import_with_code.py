"""Every golden comes back with its assets: code and configurations as files, at equal places."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from imported_samples import CASES, Published, complaints

from pipelines.compiler import compile as compile_definition
from pipelines.importer import Imported, Surroundings, import_definition
from pipelines.importer.environment import suggest_environment
from pipelines.importer.fetching import fetch

GOLDENS = sorted(path.parent for path in CASES.glob("*/definition.json"))


@cache
def back(folder: Path) -> tuple[Imported, int]:
    case = yaml.safe_load((folder / "pipeline.yaml").read_text("utf-8")).get("x-case", {})
    environment = case.get("environment", "dev")
    variables = case.get("variables", {})
    compiled = compile_definition(
        folder / "pipeline.yaml", environment=environment, variables=variables
    )
    objects = Published({uri: data for a in compiled.assets for uri, data in a.objects()})
    definition: Any = compiled.definition
    with tempfile.TemporaryDirectory() as name:
        fetched = fetch(definition, objects, Path(name))  # type: ignore[arg-type]  # its stand-in
        suggested = suggest_environment(definition)
        made = import_definition(
            definition,
            Surroundings(folder.name),
            path=Path(name) / "pipeline.yaml",
            origin="a test",
            environment=suggested.environment(kept=True),
            fetched=fetched,
        )
        return made, len(fetched.paths) + len(fetched.documents)


@pytest.mark.parametrize("folder", GOLDENS, ids=lambda folder: folder.name)
def test_a_golden_comes_back_with_its_assets(folder: Path) -> None:
    made, _ = back(folder)
    assert complaints(made) == []
    assert [note.message for note in made.notes] == []
    assert made.moved == []


def test_code_and_configurations_are_among_the_goldens() -> None:
    by_name = {folder.name: back(folder) for folder in GOLDENS}
    assert sum(count for _, count in by_name.values()) > 30
    assert "  type: Raw" not in by_name["checks"][0].text
    assert by_name["training-script"][0].text.count("    code: ") == 1
    assert "config:" in by_name["checks"][0].text
    assert "    code: " in by_name["training-command"][0].text
