"""The README's commands are run, and what they print is what it shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sagedag_process import run_sagedag

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What differs from run to run, and from machine to machine.
CHANGING = [
    (re.compile(r"Run        \w{12}"), "Run        RUN"),
    (re.compile(r"Isolation  .*"), "Isolation  …"),
    (re.compile(r"Store      .*"), "Store      …"),
    (re.compile(r"pipelines-\w{12}-([\w-]+?)-\w{10}\b"), r"pipelines-RUN-\1-ID"),
    (re.compile(r"/\w{12}/"), "/RUN/"),
    (re.compile(r"runs show \w{12}"), "runs show RUN"),
    (re.compile(r"in [0-9.]+ s"), "in T s"),
    (re.compile(r"at most \d+ at once"), "at most N at once"),
]


def steady(text: str) -> str:
    for pattern, stand_in in CHANGING:
        text = pattern.sub(stand_in, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def transcripts() -> list[tuple[str, str]]:
    found = []
    for block in blocks("console"):
        command, _, output = block.partition("\n")
        assert command.startswith("$ sagedag "), command
        found.append((command[2:], output))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("readme")
    ignored = shutil.ignore_patterns(".sagedag", "__pycache__")
    shutil.copytree(ROOT / "definitions", made / "definitions", ignore=ignored)
    shutil.copytree(ROOT / "definitions/line/code", made / "code", ignore=ignored)
    shutil.copy(ROOT / "definitions/line/points.csv", made)
    typo = definition().replace("outputs.test}", "outputs.tests}")
    (made / "typo.yaml").write_text(typo, encoding="utf-8")
    return made


def definition() -> str:
    return blocks("yaml")[0]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "sagedag"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SAGEDAG", "CI"))}
    # One text as on a terminal: messages and output in the order in which they were written.
    environment["PYTHONPATH"] = str(ROOT)
    return run_sagedag(*words[1:], cwd=folder, env=environment, together=True)


def test_the_first_definition_is_the_shipped_one() -> None:
    shipped = (ROOT / "definitions/line/pipeline.yaml").read_text(encoding="utf-8")
    assert shipped.partition("\n")[2] == definition()
    assert len(definition().splitlines()) <= 15


@pytest.mark.parametrize(("command", "output"), transcripts(), ids=lambda value: value[:40])
def test_a_command_prints_what_the_readme_shows(command: str, output: str, folder: Path) -> None:
    done = run(command, folder)
    assert steady(done.stdout) == steady(output)
    assert done.returncode == (1 if "typo" in command else 0)


def test_what_was_compiled_is_a_definition(folder: Path) -> None:
    command = next(c for c, _ in transcripts() if c.startswith("sagedag compile"))
    assert run(command, folder).returncode == 0
    made = json.loads((folder / "line.json").read_text(encoding="utf-8"))
    assert [step["Name"] for step in made["Steps"]] == ["split", "train", "register"]


def test_the_python_example_works(folder: Path) -> None:
    code = next(block for block in blocks("python") if "pipelines.compile" in block)
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint(compiled.source_map.find('/Steps/1').words)"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "steps.train", done.stderr


def test_every_linked_file_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_every_command_of_the_table_exists() -> None:
    from pipelines.cli import COMMANDS

    table = README.partition("## Commands")[2].partition("Each has")[0]
    named = set(re.findall(r"`sagedag ([\w-]+)", table))
    assert named == set(COMMANDS)
