"""The git repository: how it is asked, and what templates and deploys know of it.

Templates know ``git.sha git.branch git.tag git.dirty git.repository``.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from pipelines.assets import IGNORED_FILES, IGNORED_FOLDERS, IGNORED_SUFFIXES
from pipelines.errors import UsageError

SECONDS = 120
"""How long git may take for one answer."""

ELSEWHERE = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_GRAFT_FILE",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""Variables by which git would read another repository than the one a folder lies in, such as
those that it sets for hooks (``git rev-parse --local-env-vars``; githooks(5))."""


def run_git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Ask git about the repository that a folder lies in; ``GIT_DIR`` and the like do not count.

    No hook, monitor, pager or question to the user.

    Raises:
        UsageError: there is no git, or it does not answer.
    """
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *words]
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ELSEWHERE},
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
        raise UsageError(
            "git is not installed", "install it: it says what changed, and whose a deploy is"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git {words[0]} failed: {error}") from error


def ask_git(folder: Path, *words: str) -> str:
    """Return what git answers, without blanks around it; empty where it refuses.

    Raises:
        UsageError: there is no git.
    """
    done = run_git(folder, *words)
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""


def top_of(folder: Path) -> Path:
    """Return the folder of the repository that a folder lies in.

    Raises:
        UsageError: it lies in none, or git does not trust or understand it.
    """
    done = run_git(folder, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        # Only its line end: a folder's name may end with blanks.
        return Path(os.fsdecode(done.stdout).removesuffix("\n"))
    told = os.fsdecode(done.stderr).strip()
    distrusted = re.search(r"dubious ownership in repository at '(.*)'", told)
    if distrusted:
        where = distrusted.group(1)
        raise UsageError(
            f"git does not trust this repository, because it is another user's: {where}",
            f"git config --global --add safe.directory '{where}'",
        )
    if any((each / ".git").exists() for each in (folder, *folder.parents)):
        raise UsageError(
            f"git can't read the repository of {folder}: {told.splitlines()[-1] if told else ''}",
            "`git status` says the same there; clone it anew, or mend its `.git`",
        )
    raise UsageError(f"{folder} is in no git repository", "run it in a clone of one")


def git_names(folder: Path) -> dict[str, str | bool]:
    """Return the facts about the repository that ``folder`` is in; empty texts outside of one."""
    try:
        remote = ask_git(folder, "config", "--get", "remote.origin.url")
        return {
            "sha": ask_git(folder, "rev-parse", "--verify", "--quiet", "HEAD"),
            "branch": ask_git(folder, "symbolic-ref", "--short", "-q", "HEAD"),
            "tag": ask_git(folder, "describe", "--tags", "--exact-match"),
            "dirty": bool(ask_git(folder, "status", "--porcelain", "--untracked-files=no")),
            # A remote's URL may hold a token; it must never reach a definition.
            "repository": re.sub(r"://[^/@]*@", "://", remote),
        }
    except UsageError:
        return {"sha": "", "branch": "", "tag": "", "dirty": False, "repository": ""}


def is_dirty(folder: Path) -> bool:
    """Whether something below a folder is not committed: files that git does not know count, too.

    What git ignores does not count, nor what no asset holds.
    """
    ignored = [
        *(f":(exclude,glob)**/{name}/**" for name in sorted(IGNORED_FOLDERS)),
        *(f":(exclude,glob)**/{name}" for name in sorted(IGNORED_FILES)),
        *(f":(exclude,glob)**/*{suffix}" for suffix in IGNORED_SUFFIXES),
    ]
    words = ("status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=none")
    return bool(ask_git(folder, *words, "--", ".", *ignored))
