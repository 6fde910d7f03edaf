"""What differs between a commit and the working tree, as git tells it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.language.repository import ask_git, run_git, top_of

_STATUS = {
    "A": "added",
    "C": "copied",
    "D": "deleted",
    "M": "modified",
    "R": "renamed",
    "T": "type changed",
    "U": "unmerged",
}
_ZEROS = re.compile(r"0{40,64}")
_SHA = re.compile(r"[0-9a-f]{40,64}")
_SUBMODULES = "--ignore-submodules=none"

DEPLOYED = "deployed"
"""Instead of a commit: every definition is compared with the commit it was deployed from."""


@dataclass(frozen=True)
class FileChange:
    """A file that differs.

    Args:
        path: where it is, or was, absolute.
        status: ``added``, ``modified``, ``deleted``, ``renamed``, ``untracked``, ….
        before: where it was before it was renamed or copied.
    """

    path: Path
    status: str
    before: Path | None = None


@dataclass(frozen=True)
class Difference:
    """What differs.

    Args:
        since: the commit as it was named.
        base: the commit that was compared with: the last one that HEAD and ``since`` have in
            common; empty where everything counts as changed.
        changes: the files, committed or not.
        why: why everything counts as changed; empty where it does not.
        top: the repository's folder.
    """

    since: str
    base: str = ""
    changes: tuple[FileChange, ...] = ()
    why: str = ""
    top: Path = Path()

    @property
    def everything(self) -> bool:
        """Whether all there is counts as changed."""
        return bool(self.why)


def differences(folder: Path, since: str) -> Difference:
    """Return what the working tree has that the last common commit with ``since`` has not.

    That is ``git diff SINCE...HEAD`` and what is not committed, untracked files included; what
    git ignores does not count. Nothing at all, or zeros (what GitHub and GitLab name as the commit
    before a branch's first push), makes everything count.

    Args:
        folder: a folder in the repository.
        since: a commit, branch or tag.

    Raises:
        UsageError: this is no repository, there is no such commit in it, or no common history.
    """
    top = top_of(folder)
    if not since.strip():
        return Difference(since, why="no commit was given to compare with")
    if _ZEROS.fullmatch(since):
        return Difference(since, why="it is the branch's first push")
    commit = _commit(top, since)
    base = ask_git(top, "merge-base", commit, "HEAD")
    if not base:
        raise UsageError(f"`{since}` and HEAD have no commit in common", _where_to_find(top, since))
    return Difference(since, base, tuple(_changes(top, base)), top=top)


def text_before(difference: Difference, change: FileChange) -> bytes | None:
    """Return what a file that was modified held before; None where git can't say it."""
    if not difference.base or change.path.is_symlink():
        return None
    return _blob(difference.top, f"{difference.base}:{change.path.relative_to(difference.top)}")


@lru_cache(maxsize=64)
def _blob(top: Path, name: str) -> bytes | None:
    done = run_git(top, "cat-file", "blob", name)
    return done.stdout if done.returncode == 0 else None


def head_of(folder: Path) -> str:
    """Return the commit that is checked out; empty outside of git and before the first one."""
    try:
        return ask_git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except UsageError:  # there is no git, either
        return ""


def contains(folder: Path, commit: str) -> bool:
    """Whether HEAD is a commit or came after it; False where this clone does not know it."""
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        return False
    done = run_git(folder, "merge-base", "--is-ancestor", commit, "HEAD")
    return done.returncode == 0


def _commit(top: Path, name: str) -> str:
    if not head_of(top):
        raise UsageError(
            f"this repository has no commit yet: {top}", "make one: there is nothing to compare"
        )
    found = ""
    # A name with a hyphen in front would be an option.
    if not name.startswith("-") and "\0" not in name:
        found = ask_git(top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    # `^main` is an answer of git's, too, but no commit.
    if not _SHA.fullmatch(found):
        raise UsageError(f"this clone has no commit `{name}`", _where_to_find(top, name))
    return found


def _where_to_find(top: Path, name: str) -> str:
    """Return what to do where a commit is missing."""
    cut_off = how_to_deepen(top)
    if cut_off:
        return cut_off
    if name == DEPLOYED:
        return "what is deployed is asked by `sagedag deploy --since deployed` alone"
    if _SHA.fullmatch(name):
        return (
            f"`git fetch origin {name}`; a push with force may have made it unreachable: name a "
            "branch instead, or `sagedag deploy --since deployed`, which needs no commit"
        )
    return "fetch it first (`git fetch origin`), or name another one"


def how_to_deepen(top: Path) -> str:
    """Return what to do where a clone's history is cut off; empty where it is not."""
    if ask_git(top, "rev-parse", "--is-shallow-repository") == "true":
        return (
            "its history is cut off: clone all of it (`fetch-depth: 0` for actions/checkout, "
            "`GIT_DEPTH: 0` in GitLab, `git-clone-depth: 0` in CodeBuild), or run "
            "`git fetch --unshallow`"
        )
    return ""


def _changes(top: Path, base: str) -> Iterator[FileChange]:
    # Diff programs that a repository's configuration names are not run.
    words = ("--name-status", "-z", "--find-renames", "--no-ext-diff", "--no-textconv", _SUBMODULES)
    parts = iter(_parts(top, "diff", *words, base, "--"))
    for letter in parts:
        status = _STATUS.get(letter[:1], "modified")
        before = top / next(parts) if letter[:1] in ("R", "C") else None
        yield FileChange(top / next(parts), status, before)
    for name in _parts(top, "ls-files", "--others", "--exclude-standard", "-z"):
        yield FileChange(top / name, "untracked")


def _parts(top: Path, *words: str) -> list[str]:
    done = run_git(top, *words)
    if done.returncode != 0:
        told = os.fsdecode(done.stderr).strip().splitlines()
        raise UsageError(f"git {words[0]} failed: {told[-1] if told else done.returncode}")
    return [os.fsdecode(part) for part in done.stdout.split(b"\0") if part]
