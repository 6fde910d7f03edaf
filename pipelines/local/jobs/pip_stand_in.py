"""What a job gets as ``pip``: it checks that requirements are met and installs nothing.

A job runs in the user's own interpreter, which it must not change. The runner copies this file and
``requirements.py`` beside the job and puts it first on PATH; it runs as a script there, without
this package.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

_TAKES_VALUE = frozenset({
    "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links",
    "--trusted-host", "--timeout", "--retries", "--proxy", "--cert", "--cache-dir", "--log",
})  # fmt: skip
"""Options of ``pip install`` that say where and how, not what; skipped with their values."""


def main(words: list[str]) -> int:
    """Answer ``pip WORDS``: 0 where everything asked for is there, 1 where something is missing.

    What is not an installation is left to the real pip.
    """
    if not words or words[0] not in ("install", "uninstall"):
        os.execv(sys.executable, [sys.executable, "-m", "pip", *words])  # noqa: S606 - by design
    if words[0] == "uninstall":
        print("a local run leaves this interpreter's packages as they are")
        return 0
    files, names = _asked(words[1:])
    missing = [each for file in files for each in _requirements().missing_requirements(file)]
    unread = [file for file in files if not file.is_file()]
    if names:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
            listed.write("\n".join(names))
            listed.flush()
            missing += _requirements().missing_requirements(Path(listed.name))
    for file in unread:
        print(f"ERROR: there is no requirements file {file}", file=sys.stderr)
    if missing:
        print(f"ERROR: this interpreter ({sys.executable}) lacks: {', '.join(missing)}\n"
              "A local run installs nothing; install them where `sagedag` is installed.",
              file=sys.stderr)  # fmt: skip
    return 1 if missing or unread else 0


def _asked(words: list[str]) -> tuple[list[Path], list[str]]:
    """Return the requirements files and the requirements of ``pip install WORDS``."""
    files: list[Path] = []
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-r", "--requirement"):
            files.append(Path(next(rest, "")))
        elif word.startswith("--requirement="):
            files.append(Path(word.partition("=")[2]))
        elif word in _TAKES_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            names.append(word)
    return files, names


def _requirements() -> ModuleType:
    """Return the check that lies beside this file, in the package as in a job."""
    place = Path(__file__).with_name("requirements.py")
    spec = importlib.util.spec_from_file_location("requirements", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
