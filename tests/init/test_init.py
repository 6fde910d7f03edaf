"""`sagedag init` makes a project that is valid, compiles and really runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagedag_process import run_sagedag

from pipelines.errors import UsageError
from pipelines.starting import NAME, name_from, project_files, sample_data, write_project

ROOT = Path(__file__).parents[2]
CHECK = ["check", "--isolated", "--select", "E,F,I,B,D1", "--ignore", "D107"]


def sagedag(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    environment.pop("SAGEDAG_ENV", None)
    return run_sagedag(*arguments, cwd=cwd, env=environment)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("init")
    done = sagedag("init", "Red flowers", cwd=parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nNext:\n  cd 'Red flowers'\n  sagedag validate\n  sagedag run\n")
    return parent / "Red flowers"


def test_what_is_printed_is_what_is_there(project: Path) -> None:
    found = sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())
    assert found == sorted(
        [*project_files("red-flowers"), "definitions/schema/pipeline.schema.json"]
    )


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_valid_without_a_warning(project: Path, environment: str) -> None:
    done = sagedag("validate", "--strict", "--env", environment, cwd=project)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_formatted_as_fmt_would(project: Path) -> None:
    done = sagedag("fmt", "--check", ".", cwd=project)
    assert done.returncode == 0, done.stdout


def test_compiles(project: Path) -> None:
    done = sagedag("compile", "definitions/red-flowers", "--env", "dev", cwd=project)
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)["Steps"]
    assert [step["Type"] for step in steps] == ["Processing", "Training", "Processing", "Condition"]
    assert "111122223333" in done.stdout


def test_runs_and_registers_a_model(project: Path) -> None:
    done = sagedag("run", "definitions/red-flowers", "--json", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = sagedag("models", "list", cwd=project).stdout
    assert "red-flowers" in listed
    accuracy = float(re.search(r"accuracy ([0-9.]+)", listed)[1])  # type: ignore[index]
    # The gate lets it pass with room to spare, and the data are not trivial.
    assert 0.87 < accuracy < 1


def test_the_gate_rejects(project: Path) -> None:
    done = sagedag("run", "definitions/red-flowers", "-p", "MinAccuracy=0.999", cwd=project)
    assert done.returncode == 5
    assert "is below 0.999" in done.stdout


def test_the_editor_comment_leads_to_the_schema(project: Path) -> None:
    definition = project / "definitions/red-flowers/pipeline.yaml"
    first = definition.read_text().splitlines()[0]
    path = first.removeprefix("# yaml-language-server: $schema=")
    assert json.loads((definition.parent / path).read_text())["$schema"].endswith(
        "draft-07/schema#"
    )


def test_the_jobs_are_tidy(project: Path) -> None:
    for command in (
        ["check", "--isolated", "--select", "E,F,I,B,D1", "--ignore", "D107"],
        ["format", "--check"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--line-length", "100", "--no-cache", "."],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("in_the_way", ["README.md", "definitions/red/data/flowers.csv"])
def test_nothing_is_overwritten(tmp_path: Path, in_the_way: str) -> None:
    mine = tmp_path / "red" / in_the_way
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = sagedag("init", "red", cwd=tmp_path)
    assert done.returncode == 2
    assert f"\n  red/{in_the_way}\n" in done.stderr
    assert mine.read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_a_link_into_nowhere_counts_as_there(tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to("elsewhere/README.md")
    done = sagedag("init", ".", "--name", "red", cwd=tmp_path)
    assert done.returncode == 2
    assert "\n  README.md\n" in done.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_where_a_folder_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "red").write_text("mine")
    done = sagedag("init", "red", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "can't be written: " in done.stderr


@pytest.mark.parametrize("name", ["", "a b", "-a", "a_b", "a" * 64, "../up", "a\n"])
def test_names_that_sagemaker_refuses(name: str) -> None:
    with pytest.raises(UsageError, match="no name for a pipeline"):
        project_files(name)


def test_a_refused_name_is_wrong_usage(tmp_path: Path) -> None:
    assert sagedag("init", "red", "--name", "a_b", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "red").exists()


def test_names_that_yaml_would_misread(tmp_path: Path) -> None:
    names = ["true", "1e5", "2024", "null", "Schema"]
    for name in names:
        write_project(tmp_path / name, project_files(name))
    done = sagedag("validate", "--strict", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(names)} definitions valid" in done.stderr


@given(st.text())
def test_every_folder_gives_a_name(text: str) -> None:
    name = name_from(Path("/", text.replace("\0", "").replace("/", "")))
    assert NAME.fullmatch(name)


def test_the_same_data_every_time() -> None:
    data = sample_data()
    assert data == sample_data()
    assert sorted({line.rsplit(",", 1)[1] for line in data.splitlines()[1:]}) == ["0", "1"]
    assert sample_data(seed=8) != data
