"""CI files: deploys from git on GitHub Actions, GitLab CI and AWS CodeBuild."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError

SYSTEMS = ("github", "gitlab", "codebuild")

FILES = {
    "github": {
        ".github/workflows/sagedag{}.yml": "github.yml.jinja",
        ".github/workflows/sagedag{}-drift.yml": "github-drift.yml.jinja",
    },
    "gitlab": {".gitlab-ci.yml": "gitlab.yml.jinja"},
    "codebuild": {
        "codebuild/sagedag{}-plan.yml": "codebuild-plan.yml.jinja",
        "codebuild/sagedag{}-deploy.yml": "codebuild-deploy.yml.jinja",
    },
}
"""The files of each system; ``{}`` is the project's name where a repository may hold several."""

GITLAB_PARTS = ".gitlab/sagedag"
"""GitLab reads one file: that of a project in a folder is a part, to be included there."""
GITLAB_INCLUDE = """\
# Each project of this repository has a file of its own. Their jobs have different names.
include:
  - local: ".gitlab/sagedag-*.yml"
"""

ACTIONS = {
    "checkout": "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0",
    "python": "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0",
    "credentials": (
        "aws-actions/configure-aws-credentials@61815dcd50bd041e203e49132bacad1fd04d2708 # v5.1.1"
    ),
}
"""Actions by the commits of their releases; a tag can be moved, a commit can't."""

_CHECKOUT = """\
      - name: Check out
        uses: {checkout}
        with:
          fetch-depth: 0 # what changed since a commit needs the history
          persist-credentials: false"""
_INSTALL = """\
      - name: Set up Python
        uses: {python}
        with:
          python-version: "3.11"
      - name: Install sagedag
        run: {pip} install --quiet "sagedag==$SAGEDAG_VERSION\""""
_PIP = "python -I -m pip"
"""Isolated, so that a `pip.py` of the checkout is not run instead."""

# What stands in shell commands and YAML without quotes.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*|\.")
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_VERSION = re.compile(r"\d[A-Za-z0-9.+!-]*")


@dataclass(frozen=True)
class Target:
    """An environment to deploy to; the order of several is the order of the deploys."""

    name: str
    region: str

    @property
    def variable(self) -> str:
        """Its name as part of a variable's."""
        return self.name.upper().replace("-", "_")


def ci_files(
    systems: Sequence[str],
    *,
    targets: Sequence[Target],
    folder: str,
    branch: str,
    version: str,
) -> dict[str, str]:
    """Return CI files: names from the repository's root, and their text.

    Args:
        systems: of :data:`SYSTEMS`.
        targets: the environments.
        folder: the definitions' folder from the repository's root.
        branch: the default branch.
        version: the version of this tool that CI installs.

    Raises:
        UsageError: a name can't stand in a shell command as it is, or there is no environment.
    """
    _check(targets, folder, version)
    from jinja2 import Environment, StrictUndefined

    # The files have `{{ }}` of their own, so the templates use other brackets.
    engine = Environment(
        variable_start_string="@{",
        variable_end_string="}@",
        block_start_string="@%",
        block_end_string="%@",
        comment_start_string="@#",
        comment_end_string="#@",
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML; the values are checked above
    )
    mark = project_mark(folder)
    given: dict[str, Any] = {
        "actions": ACTIONS,
        "branch": json.dumps(branch),
        "checkout": _CHECKOUT.format(**ACTIONS),
        "environments": targets,
        "folder": folder,
        "install": _INSTALL.format(**ACTIONS, pip=_PIP),
        "mark": mark,
        "pip": _PIP,
        "names": ", ".join(each.name for each in targets),
        "version": version,
    }
    made = {}
    for system in dict.fromkeys(systems):
        for name, template in FILES[system].items():
            text = (files(__package__) / "ci" / template).read_text(encoding="utf-8")
            place = f"{GITLAB_PARTS}{{}}.yml" if mark and system == "gitlab" else name
            made[place.format(mark)] = engine.from_string(text).render(given)
    return made


def project_mark(folder: str) -> str:
    """Return what tells a project's CI files and jobs from those of others: ``-churn``.

    Empty for the project of the whole repository, in its root or in ``definitions``.
    """
    parts = [part for part in folder.split("/") if part not in (".", "definitions")]
    return "".join("-" + re.sub(r"[^A-Za-z0-9_-]", "-", part) for part in parts)


def _check(targets: Sequence[Target], folder: str, version: str) -> None:
    if not targets:
        raise UsageError(
            "environments.yaml has no environment on AWS to deploy to", "write one beside `local`"
        )
    for each in targets:
        if not _PLAIN_NAME.fullmatch(each.name):
            raise UsageError(
                f"the environment's name `{each.name}` can't stand in CI files",
                "letters, digits, `-` and `_`, a letter first",
            )
        if not _REGION.fullmatch(each.region):
            raise UsageError(f"the environment `{each.name}` names no region: `{each.region}`")
    if not _PLAIN_PATH.fullmatch(folder):
        raise UsageError(
            f"the folder's name `{folder}` can't stand in CI files",
            "letters, digits, `.`, `-` and `_`, none of them a hyphen at its beginning",
        )
    if not _VERSION.fullmatch(version):
        raise UsageError(
            "CI installs the version that is installed here, and there is none",
            "install sagedag with pip or uv first",
        )


@dataclass(frozen=True)
class Repository:
    """Where CI files go.

    Args:
        top: the repository's root; the project's folder where there is no repository yet.
        folder: the definitions' folder from there.
        branch: the default branch.
        targets: the environments on AWS.
    """

    top: Path
    folder: str
    branch: str
    targets: tuple[Target, ...]


def find_repository(folder: Path) -> Repository | None:
    """Return where the CI files of an existing project go; None where there is no project.

    Raises:
        UsageError: there is more than one project below the folder.
        InvalidDefinition: the environments file has mistakes.
    """
    from pipelines.language.project import ENVIRONMENTS_FILE

    here = folder.resolve()
    if not here.is_dir():
        return None
    top = top_near(here)
    above = [each for each in here.parents if each.is_relative_to(top)]
    found = [here / ENVIRONMENTS_FILE, *sorted(here.glob(f"*/{ENVIRONMENTS_FILE}"))]
    projects = [path for path in found if path.is_file()] or [
        # Inside of a project, such as in a definition's folder: that one is meant.
        path
        for each in above
        if (path := each / ENVIRONMENTS_FILE).is_file()
    ][:1]
    if not projects:
        return None
    if len(projects) > 1:
        listed = ", ".join(path.parent.name for path in projects)
        raise UsageError(f"there are several projects here: {listed}", "name one of them")
    root = projects[0].parent
    return Repository(
        top, root.relative_to(top).as_posix(), default_branch(top), tuple(_targets(root))
    )


def top_near(folder: Path) -> Path:
    """Return the root of the repository that a folder, which need not exist, will lie in.

    That is where GitHub and GitLab look for CI files. Outside of a repository it is the folder.
    """
    here = folder.resolve()
    return next((each for each in (here, *here.parents) if (each / ".git").exists()), here)


def _targets(root: Path) -> list[Target]:
    from pipelines.language.diagnostics import Report
    from pipelines.language.environments import choose_environment
    from pipelines.language.project import find_project

    project, report = find_project(root), Report()
    names = choose_environment("local", project, report).names
    settings = [choose_environment(name, project, report).environment for name in names]
    report.stop_if_failed()
    return [Target(each.name, each.region) for each in settings if not each.local]


def default_branch(top: Path) -> str:
    """Return a repository's default branch: the remote's, else the one checked out, else main."""
    from pipelines.language.repository import ask_git

    for name in ("refs/remotes/origin/HEAD", "HEAD"):
        try:
            found = ask_git(top, "symbolic-ref", "--short", "-q", name)
        except UsageError:
            break
        if found:
            return found.removeprefix("origin/")
    return "main"
