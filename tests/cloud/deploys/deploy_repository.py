"""A git repository with definitions, and git for tests of what changed in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cloud_project import LINE, write_project

IDENTITY = {
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def git(folder: Path, *words: str) -> str:
    """Run git and return what it prints."""
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**os.environ, **IDENTITY},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> str:
    """Commit everything; return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def write_repository(folder: Path, url: str) -> Path:
    """Write a repository with the definitions ``line`` and ``other``, committed on ``main``."""
    write_project(folder, url)
    (folder / "other").mkdir()
    other = LINE.replace("pipeline: line", "pipeline: other").replace("dir: code", "dir: lib")
    (folder / "other/pipeline.yaml").write_text(other.replace("code/split.py", "split.py"))
    (folder / "other/split.py").write_text("print('other')\n")
    (folder / "other/lib").mkdir()
    (folder / "other/lib/train.py").write_text("print('train')\n")
    (folder / "other/lib/requirements.txt").write_text("pandas\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "first")
    return folder


def edit(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text that a file holds once."""
    path = folder / file
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))
