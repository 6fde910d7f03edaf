"""The distribution: what the wheel holds, and what it says about itself."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomllib", reason="tomllib is in Python from 3.11 on")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel by the project's own build backend."""
    builder = pytest.importorskip(
        "hatchling.builders.wheel", reason="hatchling, the build backend, is not installed"
    )
    folder = tmp_path_factory.mktemp("dist")
    (built,) = builder.WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


def minors(text: str) -> set[str]:
    return set(re.findall(r"3\.1\d", text))


def test_python_versions_agree(project: dict[str, Any]) -> None:
    said = project["project"]
    oldest, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", said["requires-python"]).groups()  # type: ignore[union-attr]
    supported = {f"3.{minor}" for minor in range(int(oldest), int(beyond))}
    classifiers = [each for each in said["classifiers"] if each.startswith("Programming Language")]
    assert minors(" ".join(classifiers)) == supported
    assert project["tool"]["ruff"]["target-version"] == f"py3{oldest}"
    install = (ROOT / "scripts/install.sh").read_text()
    assert f"oldest='(3, {oldest})'" in install
    assert f"beyond='(3, {beyond})'" in install
    assert minors(" ".join(re.findall(r"for name in (.*);", install))) == supported
    from pipelines.doctor.software import NEWEST_PYTHON, OLDEST_PYTHON

    assert (OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1) == (int(oldest), int(beyond))


def test_the_doctor_knows_the_sdk_that_is_required(project: dict[str, Any]) -> None:
    from pipelines.service.sdk import SDK_RANGE

    (sdk,) = (each for each in project["project"]["dependencies"] if each.startswith("sagemaker"))
    assert sdk == f"sagemaker{SDK_RANGE}"


def test_the_version_is_in_the_changelog(project: dict[str, Any]) -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    released = headings[1:]
    assert not released or released[0] == project["project"]["version"]


def test_the_licence_is_the_one_named(project: dict[str, Any]) -> None:
    text = (ROOT / "LICENSE").read_text()
    assert project["project"]["license"] == "Apache-2.0"
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", text)
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_wheel_holds_all_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = {
        str(path.relative_to(ROOT))
        for package in ("pipelines", "steps")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".mypy_cache" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == source
    assert {"pipelines/py.typed", "steps/py.typed"} <= names
    assert "pipelines/starting/project/.gitignore.jinja" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_a_project_made_by_the_wheel_is_valid(wheel: Path, tmp_path: Path) -> None:
    """The wheel alone, unpacked away from the source, has the templates and the commands."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import pipelines\n"
        f"assert pipelines.__file__.startswith({str(tmp_path)!r}), pipelines.__file__\n"
        "from importlib.metadata import entry_points\n"
        "(command,) = entry_points(group='console_scripts', name='sagedag')\n"
        "command.load()(sys.argv[1:])\n"
    )
    for arguments in (["--version"], ["init", "made"], ["-C", "made", "validate", "--strict"]):
        done = subprocess.run(
            [sys.executable, "-I", "-c", script, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http://", "https://")):
            assert (ROOT / target).exists(), target
