"""The steps that put code into archives: what they are made of, and how they really run."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest
from sagedag_process import run_sagedag

import pipelines
from pipelines.draw import mermaid
from pipelines.pictures import graph_of

DEFINITION = """\
pipeline: packed
parameters: {Archive: model.tar.gz}
defaults:
  image: {framework: pytorch, version: "2.3", py_version: py311}
steps:
  gate:
    type: Condition
    if: parameters.Archive != "none"
    then:
      register:
        type: RegisterModel
        group: packed
        model: "${parameters.Archive}"
        code: {dir: code, entry: inference.py}
"""


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(DEFINITION)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text("def model_fn(folder): return folder\n")
    weights = tmp_path / "weights.txt"
    weights.write_text("weights")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(weights, "weights.txt")
    return path


def branch(compiled: pipelines.Compiled) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = compiled.definition["Steps"][0]["Arguments"]["IfSteps"]
    return steps


def test_the_step_stands_before_the_one_that_needs_it(definition: Path) -> None:
    made = branch(pipelines.compile(definition))
    assert [(step["Name"], step["Type"]) for step in made] == [
        ("register-repack", "Training"),
        ("register", "RegisterModel"),
    ]
    archive = made[1]["Arguments"]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert archive == {"Get": "Steps.register-repack.ModelArtifacts.S3ModelArtifacts"}
    channel = made[0]["Arguments"]["InputDataConfig"][0]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == {"Get": "Parameters.Archive"}


@pytest.mark.parametrize(
    ("pointer", "words", "line"),
    [
        ("", "steps.gate.then.register-repack", 10),
        ("/Arguments/InputDataConfig", "steps.gate.then.register-repack.model", 13),
        ("/Arguments/ResourceConfig", "steps.gate.then.register-repack", 10),
    ],
)
def test_every_part_of_the_step_has_its_place(
    pointer: str, words: str, line: int, definition: Path
) -> None:
    origin = pipelines.compile(definition).source_map.find(f"/Steps/0/Arguments/IfSteps/0{pointer}")
    assert origin is not None
    assert (origin.words, origin.span.line) == (words, line)


def test_defaults_of_the_kind_and_the_step_choose_its_machine(definition: Path) -> None:
    text = definition.read_text()
    text = text.replace("defaults:\n", "defaults:\n  Repack: {instance: ml.m5.xlarge}\n")
    definition.write_text(text)
    assert machine(definition) == ("ml.m5.xlarge", 30)
    definition.write_text(text + "        repack: {instance: {volume_gb: 90}}\n")
    assert machine(definition) == ("ml.m5.xlarge", 90)


def machine(definition: Path) -> tuple[str, int]:
    cluster = branch(pipelines.compile(definition))[0]["Arguments"]["ResourceConfig"]
    return cluster["InstanceType"], cluster["VolumeSizeInGB"]


def test_the_archive_that_is_registered_holds_model_and_code(definition: Path) -> None:
    done = run_sagedag("run", "pipeline.yaml", cwd=definition.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    found = list((definition.parent / ".sagedag").rglob("model.tar.gz"))
    assert len(found) == 1, found
    with tarfile.open(found[0]) as tar:
        assert sorted(m.name for m in tar if m.isfile()) == ["code/inference.py", "weights.txt"]


def test_the_graph_shows_the_step(definition: Path) -> None:
    drawn = mermaid(graph_of(pipelines.compile(definition).spec))
    assert "s_register_repack --> s_register\n" in drawn
