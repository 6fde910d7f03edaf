"""The Pythons of this machine."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SECONDS = 20
"""How long an interpreter may take to say who it is."""

_NAME = re.compile(r"python3\.(\d{1,2})")


def nearest_python(wanted: str) -> tuple[str, Path]:
    """Return the interpreter of a version (``3.9``), else the nearest; of two, the newer one.

    Those on PATH count, and those that pyenv and uv installed; none is fetched. Without a wanted
    version it is our own.
    """
    ours = (f"{sys.version_info[0]}.{sys.version_info[1]}", Path(sys.executable))
    if wanted in ("", ours[0]):
        return ours
    minor = int(wanted.partition(".")[2])
    known = {**_candidates(), ours[0]: (Path(sys.executable),)}
    for version in sorted(known, key=lambda each: (abs(_minor(each) - minor), -_minor(each))):
        for path in known[version]:
            if path == ours[1] or _runs(path, version):
                return version, path
    return ours


def find_uv() -> str | None:
    """Return the program uv: beside our interpreter, or on PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _candidates() -> dict[str, tuple[Path, ...]]:
    """Return what looks like an interpreter, by version."""
    found: dict[str, list[Path]] = {}
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    folders += sorted(pyenv.glob("*/bin")) + sorted(uv.glob("cpython-*/bin"))
    for folder in folders:
        for path in folder.glob("python3.*"):
            if (match := _NAME.fullmatch(path.name)) is not None:
                found.setdefault(f"3.{match[1]}", []).append(path)
    return {version: tuple(dict.fromkeys(paths)) for version, paths in found.items()}


def _minor(version: str) -> int:
    return int(version.partition(".")[2])


@functools.cache
def _runs(path: Path, version: str) -> bool:
    """Whether an interpreter runs, is of its version and can make environments.

    pyenv's shims do not run where the version is not chosen; Debian may lack ensurepip.
    """
    program = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [str(path), "-I", "-S", "-c", program],
            capture_output=True, timeout=SECONDS, check=True, text=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.strip() == version
