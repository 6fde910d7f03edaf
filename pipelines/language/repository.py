"""What templates can know of the git repository: ``git.sha git.branch git.tag git.dirty``."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def git_names(folder: Path) -> dict[str, str | bool]:
    """Return the facts about the repository that ``folder`` is in; empty texts outside of one.

    Reads only; no hook, pager, credential helper or file-system monitor of the repository is run.
    """
    remote = _git(folder, "config", "--get", "remote.origin.url")
    return {
        "sha": _git(folder, "rev-parse", "HEAD"),
        "branch": _git(folder, "symbolic-ref", "--short", "-q", "HEAD"),
        "tag": _git(folder, "describe", "--tags", "--exact-match"),
        "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no")),
        # A remote's URL may hold a token; it must never reach a definition.
        "repository": re.sub(r"://[^/@]*@", "://", remote),
    }


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *words]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
