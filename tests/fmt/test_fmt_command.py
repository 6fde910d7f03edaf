from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from orders import ORDER

import steps
from pipelines import cli
from pipelines.cli import fmt

UGLY = "# head\n\nsteps:\n  b:\n    code: x # c\n    type: Processing\npipeline: p\n"
NEAT = "# head\n\npipeline: p\nsteps:\n  b:\n    type: Processing\n    code: x # c\n"


@pytest.fixture(autouse=True)
def _order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fmt, "documented_order", lambda: ORDER)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/pipeline.yaml", "b/c/pipeline.yaml", ".hidden/pipeline.yaml", "b/other.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(UGLY)
    (tmp_path / "environments.yaml").write_text("environments:\n  local: {}\n")
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(["fmt", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_check_lists_what_would_change_and_touches_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--check") == 7
    out, err = capsys.readouterr()
    assert out.split() == ["a/pipeline.yaml", "b/c/pipeline.yaml"]
    assert "2 files would change" in err
    assert (project / "a/pipeline.yaml").read_text() == UGLY


def test_formatting_a_directory_then_checking_it(project: Path) -> None:
    (project / "a/pipeline.yaml").chmod(0o640)
    inode = (project / "environments.yaml").stat().st_ino
    assert run() == 0
    assert (project / "a/pipeline.yaml").read_text() == NEAT
    assert (project / "b/c/pipeline.yaml").read_text() == NEAT
    assert (project / ".hidden/pipeline.yaml").read_text() == UGLY
    assert (project / "b/other.yaml").read_text() == UGLY
    assert (project / "a/pipeline.yaml").stat().st_mode & 0o777 == 0o640
    assert (project / "environments.yaml").stat().st_ino == inode, "an unchanged file is rewritten"
    assert [path.name for path in (project / "a").iterdir()] == ["pipeline.yaml"]
    assert run("--check", ".") == 0


def test_a_named_file_is_formatted_through_its_link(project: Path) -> None:
    (project / "link.yaml").symlink_to("b/other.yaml")
    assert run("link.yaml") == 0
    assert (project / "link.yaml").is_symlink()
    assert (project / "b/other.yaml").read_text() == NEAT


def test_diff_prints_and_touches_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--diff", "a") == 0
    out = capsys.readouterr().out
    assert "--- a/pipeline.yaml" in out
    assert "+pipeline: p\n" in out
    assert (project / "a/pipeline.yaml").read_text() == UGLY
    assert run("--diff", "--check", "a") == 7


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_standard_input_to_standard_output(
    newline: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    raw = UGLY.replace("\n", newline).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert run("-") == 0
    assert capsysbinary.readouterr().out == NEAT.replace("\n", newline).encode()


def test_a_refused_file_is_named_with_its_place_and_the_others_are_formatted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a/pipeline.yaml").write_text("pipeline: p\npipeline: q\n")
    (project / "environments.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert run() == 1
    err = capsys.readouterr().err
    assert "a/pipeline.yaml:2:1: the key `pipeline` stands twice" in err
    assert "environments.yaml:2:1: the file is not UTF-8" in err
    assert (project / "b/c/pipeline.yaml").read_text() == NEAT


def test_wrong_use(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("nowhere\x1b[31m.yaml") == 2
    assert "nowhere\\x1b[31m.yaml" in capsys.readouterr().err
    assert run("-", "a") == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_an_unwritable_folder_is_no_traceback(project: Path) -> None:
    (project / "a").chmod(0o500)
    assert run("a") == 2


def test_the_documented_order_takes_the_kinds_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kinds = (SimpleNamespace(name="K", fields={"zeta": 0, "description": 0, "cache": 0, "b": 0}),)
    monkeypatch.setattr(steps, "KINDS", kinds, raising=False)
    order = fmt.documented_order()
    first = ("type", "display_name", "description", "depends_on", "matrix")
    last = ("cache", "retry", "request", "step_fields")
    assert order.step("K") == (*first, "zeta", "b", *last)
    assert order.step("Unknown") == (*first, *last)
