"""What differs between a commit and the working tree, as git tells it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pipelines.errors import UsageError

SECONDS = 120
"""How long git may take for one answer."""

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
    top = _top(folder)
    if not since.strip():
        return Difference(since, why="no commit was given to compare with")
    if _ZEROS.fullmatch(since):
        return Difference(since, why="it is the branch's first push")
    commit = _commit(top, since)
    base = _ask(top, "merge-base", commit, "HEAD")
    if not base:
        raise UsageError(f"`{since}` and HEAD have no commit in common", _unshallow(top))
    return Difference(since, base, tuple(_changes(top, base)), top=top)


def text_before(difference: Difference, change: FileChange) -> bytes | None:
    """Return what a file that was modified held before; None where git can't say it."""
    if not difference.base or change.path.is_symlink():
        return None
    return _blob(difference.top, f"{difference.base}:{change.path.relative_to(difference.top)}")


@lru_cache(maxsize=64)
def _blob(top: Path, name: str) -> bytes | None:
    done = _git(top, "cat-file", "blob", name)
    return done.stdout if done.returncode == 0 else None


def head_of(folder: Path) -> str:
    """Return the commit that is checked out; empty outside of git and before the first one."""
    return _ask(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")


def contains(folder: Path, commit: str) -> bool:
    """Whether HEAD is a commit or came after it; False where this clone does not know it."""
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        return False
    done = _git(folder, "merge-base", "--is-ancestor", commit, "HEAD")
    return done.returncode == 0


def _top(folder: Path) -> Path:
    done = _git(folder, "rev-parse", "--show-toplevel")
    told = os.fsdecode(done.stderr).strip()
    if done.returncode != 0:
        if "dubious ownership" in told:
            raise UsageError(
                f"git does not trust this repository, because it is another user's: {folder}",
                f"git config --global --add safe.directory {folder}",
            )
        raise UsageError(f"{folder} is in no git repository", "run it in a clone of one")
    # Only its line end: a folder's name may end with blanks.
    return Path(os.fsdecode(done.stdout).removesuffix("\n"))


def _commit(top: Path, name: str) -> str:
    found = ""
    # A name with a hyphen in front would be an option.
    if not name.startswith("-") and "\0" not in name:
        found = _ask(top, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not found:
        raise UsageError(f"this clone has no commit `{name}`", _unshallow(top))
    return found


def _unshallow(top: Path) -> str:
    """Return what to do where history is missing."""
    if _ask(top, "rev-parse", "--is-shallow-repository") == "true":
        return (
            "its history is cut off: clone all of it (`fetch-depth: 0` for actions/checkout, "
            "`GIT_DEPTH: 0` in GitLab, `git-clone-depth: 0` in CodeBuild), or run "
            "`git fetch --unshallow`"
        )
    return "fetch it first (`git fetch origin`), or name another one"


def _changes(top: Path, base: str) -> Iterator[FileChange]:
    # Diff programs that a repository's configuration names are not run.
    words = ("--name-status", "-z", "--find-renames", "--no-ext-diff", "--no-textconv")
    parts = iter(_parts(top, "diff", *words, base, "--"))
    for letter in parts:
        status = _STATUS.get(letter[:1], "modified")
        before = top / next(parts) if letter[:1] in ("R", "C") else None
        yield FileChange(top / next(parts), status, before)
    for name in _parts(top, "ls-files", "--others", "--exclude-standard", "-z"):
        yield FileChange(top / name, "untracked")


def _parts(top: Path, *words: str) -> list[str]:
    done = _git(top, *words)
    if done.returncode != 0:
        told = os.fsdecode(done.stderr).strip().splitlines()
        raise UsageError(f"git {words[0]} failed: {told[-1] if told else done.returncode}")
    return [os.fsdecode(part) for part in done.stdout.split(b"\0") if part]


def _ask(folder: Path, *words: str) -> str:
    done = _git(folder, *words)
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run git for an answer; no hook, monitor or question to the user."""
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *words]
    environment = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise UsageError("git is not installed", "install it; changes are read with it") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git {words[0]} failed: {error}") from error
