"""The ``pip`` that a job finds: it checks and never installs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pipelines.local.jobs.pip_stand_in as stand_in


def pip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, stand_in.__file__, *words], capture_output=True, text=True, check=False
    )


def test_requirements_that_are_met_pass_in_silence(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pytest>=1\n# a comment\nclick\n")
    done = pip("install", "--quiet", "-r", str(tmp_path / "requirements.txt"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_missing_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pytest>=99999\nno-such-package-anywhere\n")
    done = pip("install", "-r", str(tmp_path / "requirements.txt"))
    assert done.returncode == 1
    assert "pytest>=99999 (version" in done.stderr
    assert "no-such-package-anywhere (not installed)" in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["install", "-q", "--upgrade", "--index-url", "https://x.invalid", "pytest"], 0),
        (["install", "pytest", "no-such-package-anywhere==1"], 1),
        (["install", "--requirement=/nowhere/requirements.txt"], 1),
        (["uninstall", "--yes", "typing"], 0),
    ],
)
def test_forms_of_the_command(words: list[str], code: int) -> None:
    assert pip(*words).returncode == code


def test_other_commands_reach_the_real_pip() -> None:
    assert pip("--version").stdout.startswith("pip ")
