"""Function steps: the script in the job, and a pipeline of functions that really runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sagedag_process import run_sagedag

SCRIPT = Path(__file__).parents[2] / "steps" / "_function_bootstrap.py"
MODULE = """
def back(**given):
    return given

def bad():
    return {1, 2}

def infinite():
    return float("inf")

def raises():
    raise TypeError("its own mistake")

number = 7
"""


def call(folder: Path, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "given.py").write_text(MODULE)
    command = [sys.executable, SCRIPT, folder, f"given:{name}", folder / "out" / "result.json"]
    return subprocess.run([*map(str, command), *words], capture_output=True, text=True, check=False)


def result(folder: Path) -> Any:
    return json.loads((folder / "out" / "result.json").read_text())["result"]


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("json", "7", 7),
        ("json", '{"a": [1, null, "é"]}', {"a": [1, None, "é"]}),
        ("json", "True", True),
        ("text", "7", "7"),
        ("text", 'a "b" \\ c', 'a "b" \\ c'),
        ("any", "0.5", 0.5),
        ("any", "monday", "monday"),
    ],
)
def test_an_argument_arrives_as_it_was_meant(
    form: str, text: str, value: Any, tmp_path: Path
) -> None:
    done = call(tmp_path, "back", f"given:{form}", text)
    assert done.returncode == 0, done.stderr
    assert result(tmp_path) == {"given": value}


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("bad", (), "the result of given:bad can't be written as JSON"),
        ("infinite", (), "the result of given:infinite can't be written as JSON"),
        ("raises", (), "its own mistake"),
        ("missing", (), "given has no function missing"),
        ("number", (), "given has no function number"),
        ("back", ("given:json", "{"), "the argument given is not JSON: {"),
    ],
)
def test_a_call_that_goes_wrong_writes_nothing_and_says_why(
    name: str, words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = call(tmp_path, name, *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


DEFINITION = """
pipeline: functions
parameters: {Night: monday, Rows: 7}
defaults: {image: {framework: sklearn, version: 1.4-2}, instance: ml.m5.large}
steps:
  first:
    type: Function
    function: tools:count
    arguments: {night: "${parameters.Night}", rows: "${parameters.Rows}"}
  second:
    type: Function
    function: code.more:double
    arguments: {value: "${steps.first.result.total}"}
  gate:
    type: Condition
    if: steps.second.result == 28
    then:
      told:
        type: Fail
        message: "twice ${steps.second.result} on ${steps.first.result.night}"
"""


def test_functions_run_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(DEFINITION)
    (tmp_path / "tools.py").write_text(
        "def count(night, rows):\n    return {'night': night, 'total': rows * 2}\n"
    )
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "more.py").write_text(
        "from code.other import two\n\n\ndef double(value):\n    return value * two\n"
    )
    (tmp_path / "code" / "other.py").write_text("two = 2\n")
    done = run_sagedag("run", "pipeline.yaml", cwd=tmp_path)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "twice 28 on monday" in done.stdout + done.stderr
