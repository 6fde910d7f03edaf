"""Every broken definition in tests/cases/bad prints what stands beside it.

A case is `NAME.yaml`, or `NAME/pipeline.yaml` where it needs files of its own; its golden output
has the ending `.out`. Comments in its first lines choose the environment (`# env: dev`) and give
variables (`# var: trees=20`). `SAGEDAG_REGEN=1` writes the golden outputs anew.
"""

from __future__ import annotations

import os
import re
import shutil
from functools import cache
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import render

CASES = Path(__file__).parents[1] / "cases" / "bad"
REGEN = os.environ.get("SAGEDAG_REGEN") == "1"


def case_files() -> list[Path]:
    alone = [p for p in CASES.glob("*.yaml") if p.name != "environments.yaml"]
    return sorted(p.relative_to(CASES) for p in (*alone, *CASES.glob("*/pipeline.yaml")))


def directives(path: Path) -> tuple[str, dict[str, str]]:
    environment, variables = "local", {}
    for line in path.read_bytes().decode("utf-8", "replace").splitlines():
        found = re.fullmatch(r"# (env|var): (.+)", line)
        if found is None:
            break
        if found[1] == "env":
            environment = found[2]
        else:
            name, _, value = found[2].partition("=")
            variables[name] = value
    return environment, variables


@cache
def checked(path: Path) -> Checked:
    """Check a case, named from the folder of cases, where the tests stand."""
    environment, variables = directives(path)
    return check(path, environment=environment, variables=variables)


def compare(golden: Path, text: str) -> None:
    if REGEN:
        golden.write_text(text, encoding="utf-8")
    assert golden.exists(), f"{golden} is missing: look at the output and run SAGEDAG_REGEN=1"
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", case_files(), ids=str)
def test_broken_definition_prints_its_golden_output(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CASES)
    found = checked(case)
    assert found.failed, "this definition is not broken"
    assert [d.sort_key for d in found.diagnostics] == sorted(d.sort_key for d in found.diagnostics)
    compare(CASES / case.with_suffix(".out"), render(found.diagnostics, "text") + "\n")


def test_there_are_enough_cases_and_no_forgotten_outputs() -> None:
    assert len(case_files()) >= 75
    outputs = {p.relative_to(CASES).with_suffix(".yaml") for p in CASES.rglob("*.out")}
    assert outputs == {*case_files(), *(Path(name) for name in LINKS)}


def test_spans_lie_on_what_they_are_about(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caret stands under something: no span lies outside its line."""
    monkeypatch.chdir(CASES)
    for case in case_files():
        for found in checked(case).diagnostics:
            line = found.source.lines[found.span.line - 1]
            assert 1 <= found.span.column <= len(line) + 1, (case, found)
            assert found.span.column < found.span.end <= len(line) + 2, (case, found)


LINKS = ("link-out-of-the-project.yaml", "link-in-a-code-folder.yaml", "link-in-a-circle.yaml")


@pytest.mark.parametrize("name", LINKS)
def test_links_out_of_the_project_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("print('not yours')\n")
    project = tmp_path / "project"
    (project / "code").mkdir(parents=True)
    shutil.copy(CASES / "environments.yaml", project)
    (project / "code" / "job.py").write_text("print('fine')\n")
    if name == "link-out-of-the-project.yaml":
        (project / "linked.py").symlink_to(outside / "secret.py")
        (project / "folder").symlink_to(outside)
    elif name == "link-in-a-code-folder.yaml":
        (project / "code" / "linked.py").symlink_to(outside / "secret.py")
    else:
        (project / "a").symlink_to(project / "b")
        (project / "b").symlink_to(project / "a")
    text = LINKED[name]
    (project / name).write_text(text)
    monkeypatch.chdir(project)
    found = check(name)
    assert found.failed
    compare(CASES / name.replace(".yaml", ".out"), render(found.diagnostics, "text") + "\n")


LINKED = {
    "link-out-of-the-project.yaml": """\
pipeline: pulsar
defaults: {instance: ml.m5.large, image: {framework: sklearn, version: 1.4-2-py312}}
steps:
  file: {type: Processing, code: linked.py}
  folder: {type: Processing, code: {dir: folder, entry: secret.py}}
  through: {type: Processing, code: folder/secret.py}
  template: {type: Fail, message: "{{ asset('folder') }}"}
""",
    "link-in-a-code-folder.yaml": """\
pipeline: pulsar
defaults: {instance: ml.m5.large, image: {framework: sklearn, version: 1.4-2-py312}}
steps:
  entry: {type: Processing, code: {dir: code, entry: linked.py}}
  beside: {type: Processing, code: {dir: code, entry: job.py}}
""",
    "link-in-a-circle.yaml": """\
pipeline: pulsar
defaults: {instance: ml.m5.large, image: {framework: sklearn, version: 1.4-2-py312}}
steps:
  circle: {type: Processing, code: a}
""",
}


@pytest.mark.parametrize("case", ["many-mistakes.yaml", "condition-in-folded-block.yaml"])
def test_the_command_prints_the_same(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CASES)
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--quiet", case])
    assert ended.value.code == 1
    assert capsys.readouterr().out == (CASES / case).with_suffix(".out").read_text(encoding="utf-8")


def test_messages_are_one_clause_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """One style throughout: no full stop at the end, and no word of Python or the schema."""
    monkeypatch.chdir(CASES)
    for case in case_files():
        for found in checked(case).diagnostics:
            assert not found.message.endswith("."), found
            assert not found.hint.endswith("."), found
            assert "SourceInt" not in found.message + found.hint
            assert "additionalProperties" not in found.message
