"""Who deploys: the repository, the commit, this tool."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from pipelines.cloud.wanted import Provenance
from pipelines.language.repository import git_names, is_dirty, top_of

_SCP = re.compile(r"^(?:[^@/]+@)?([^:/]+):(?!/)(.+)$")


def provenance_of(root: Path) -> Provenance:
    """Return who deploys a project: its repository, commit, and this tool's version.

    Raises:
        UsageError: it lies in a repository, and git is missing or can't read it: whose the deploy
            is would be a guess.
    """
    top = _top(root)
    if top is not None:
        top_of(root)
    git = git_names(root)
    where = repository_name(str(git["repository"])) or (top or root).name
    inside = folder_in_repository(root)
    if inside:
        where = f"{where}/{inside}"
    return Provenance(where, str(git["sha"]), top is not None and is_dirty(root), tool_version())


def folder_in_repository(root: Path) -> str:
    """Return a project's folder in its repository; empty in its root, and outside of any."""
    top = _top(root)
    inside = root.relative_to(top).as_posix() if top is not None else "."
    return "" if inside == "." else inside


def _top(root: Path) -> Path | None:
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), None)


def repository_name(remote: str) -> str:
    """Return a git remote in one form: ``github.com/org/repo``, however it is reached."""
    text = remote.strip()
    short = _SCP.match(text) if "://" not in text else None
    if short:
        text = f"{short.group(1)}/{short.group(2)}"
    elif text.startswith(("/", ".", "file:")):
        text = text.rstrip("/").rpartition("/")[2]
    else:
        text = re.sub(r"^[a-z+]+://", "", text)
        host, slash, path = text.partition("/")
        text = re.sub(r":\d+$", "", host.rpartition("@")[2]) + slash + path
    return text.strip("/").removesuffix(".git").strip("/")


def tool_version() -> str:
    """Return this tool's version; a source tree that is not installed has none."""
    try:
        return metadata.version("sagedag")
    except metadata.PackageNotFoundError:
        return "unknown"
