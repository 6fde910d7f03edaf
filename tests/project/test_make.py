"""The commands of the Makefile and the installer, without installing anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    ours = ("MAKEFLAGS", "VENV", "VENV_SDK2", "MAKELEVEL")
    environment = {k: v for k, v in os.environ.items() if k not in ours}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder in which installing leaves a note instead of downloading."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    install = folder / "scripts/install.sh"
    install.write_text(
        '#!/bin/sh\nmkdir -p "$1/bin"\nln -sf /bin/true "$1/bin/python"\n'
        'ln -sf /bin/true "$1/bin/sagedag"\nshift; echo "$*" >> installed\n'
    )
    install.chmod(0o755)
    return folder


def installed(checkout: Path) -> list[str]:
    path = checkout / "installed"
    return path.read_text().splitlines() if path.exists() else []


def test_installing_happens_once(checkout: Path) -> None:
    assert make(checkout, "run").returncode == 0
    assert make(checkout, "run").returncode == 0
    assert installed(checkout) == ["pulsar"]
    # The tests need more; what they install is enough for a run.
    assert make(checkout, "test").returncode == 0
    assert make(checkout, "run").returncode == 0
    assert installed(checkout) == ["pulsar", "dev"]


def test_a_changed_project_is_installed_again(checkout: Path) -> None:
    make(checkout, "test")
    stamp = checkout / ".venv/.ready-dev"
    later = stamp.stat().st_mtime + 10
    os.utime(checkout / "pyproject.toml", (later, later))
    make(checkout, "test")
    assert installed(checkout) == ["dev", "dev"]


def test_a_moved_checkout_is_installed_again(checkout: Path) -> None:
    make(checkout, "test")
    moved = checkout.rename(checkout.parent / "elsewhere")
    make(moved, "test")
    assert installed(moved) == ["dev", "dev"]


def test_a_lost_interpreter_is_replaced(checkout: Path) -> None:
    make(checkout, "test")
    python = checkout / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    make(checkout, "run")
    assert installed(checkout) == ["dev", "pulsar"]


def test_the_other_sdk_has_an_environment_of_its_own(checkout: Path) -> None:
    assert make(checkout, "test-sdk2").returncode == 0
    assert make(checkout, "test-sdk2").returncode == 0
    assert installed(checkout) == ["dev", "dev sagemaker<3"]
    assert (checkout / ".venv-sdk2/.ready-dev").exists()
    moved = checkout.rename(checkout.parent / "elsewhere")
    make(moved, "test-sdk2")
    assert installed(moved) == ["dev", "dev sagemaker<3"] * 2


def test_help_names_every_target() -> None:
    done = make(ROOT, "help")
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert re.findall(r"^  make ([\w-]+) ", done.stdout, re.MULTILINE) == phony[1].split()
    assert make(ROOT).stdout == done.stdout


def test_no_suitable_python_is_said_plainly(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts/install.sh"), str(tmp_path / "venv"), "dev"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "No Python 3.10 to 3.13" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_named_python_is_not_passed_over(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts/install.sh"), str(tmp_path / "venv"), "dev"],
        env={"PATH": os.environ["PATH"], "PYTHON": "/bin/false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "PYTHON=/bin/false is not" in done.stderr


def test_the_benchmark_measures(tmp_path: Path) -> None:
    """The parts that need no cold SDK: a small definition and a few jobs."""
    script = "import run; print(run.measure_jobs(2)); print(run.measure_big(3))"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'bench'}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" ms'") >= 2
    assert "what='check'" in done.stdout
    assert "what='compile'" in done.stdout


@pytest.mark.parametrize("uv_works", [True, False])
def test_pip_installs_where_uv_cannot(tmp_path: Path, uv_works: bool) -> None:
    """uv does not read pip's configuration, so it may fail where pip finds all."""
    programs = tmp_path / "venv/bin"
    programs.mkdir(parents=True)
    for name, status in (("python", 0), ("uv", 0 if uv_works else 2)):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/calls\nexit {status}\n')
        program.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "scripts/install.sh"), str(tmp_path / "venv"), "dev", "one<2"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text()
    assert "uv pip install" in calls
    assert "--editable .[dev] one<2" in calls
    by_pip = "python -m pip install --quiet --disable-pip-version-check --editable .[dev] one<2"
    assert (by_pip in calls) is not uv_works
