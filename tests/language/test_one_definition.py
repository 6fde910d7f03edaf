"""Commands that take one definition find it where there is only one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sagedag_process import run_sagedag

FAIL = "pipeline: {name}\nsteps: {{stop: {{type: Fail, message: enough}}}}\n"


def write(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(FAIL.format(name=name))


@pytest.mark.parametrize("command", ["compile", "run", "graph"])
def test_the_only_definition_below_here_is_meant(command: str, tmp_path: Path) -> None:
    write(tmp_path / "definitions" / "one", "one")
    for arguments in ([], ["."], ["definitions"]):
        result = run_sagedag(command, *arguments, cwd=tmp_path)
        assert result.returncode == (5 if command == "run" else 0), result.stderr
        assert "stop" in result.stdout


@pytest.mark.parametrize("command", ["compile", "run", "policy", "start"])
def test_several_are_named(command: str, tmp_path: Path) -> None:
    write(tmp_path / "definitions" / "one", "one")
    write(tmp_path / "definitions" / "two", "two")
    arguments = ["definitions", "--env", "prod"] if command == "start" else ["definitions"]
    result = run_sagedag(command, *arguments, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert "there are 2 definitions below definitions" in result.stderr
    assert "name one of them: definitions/one, definitions/two" in result.stderr


def test_a_folders_own_definition_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "outer", "outer")
    write(tmp_path / "outer" / "inner", "inner")
    result = run_sagedag("run", "outer", cwd=tmp_path)
    assert result.returncode == 5
    assert "Pipeline   outer" in result.stdout
