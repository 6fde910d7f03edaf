"""``sagedag init``: start a small working project, and its deploys from git."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.starting.continuous import Repository, Target

GITLAB_ROOT = ".gitlab-ci.yml"


@click.command(
    epilog="""\b
Examples:
  sagedag init my-pipeline
  sagedag init . --name churn
  sagedag init my-pipeline --ci github
  sagedag init . --ci gitlab                add the CI files to the project that is here

CI files check and plan pull requests, deploy what is merged, and look for drift: docs/ci.md."""
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--name", metavar="NAME", help="The pipeline's name (default: made of the folder's name)."
)
@click.option(
    "--ci",
    "systems",
    type=click.Choice(["github", "gitlab", "codebuild"]),
    multiple=True,
    help="Write CI files, too; where a project is, only those. May be repeated.",
)
@click.option("--force", is_flag=True, help="Write CI files over those that are there.")
def command(folder: Path, name: str | None, systems: tuple[str, ...], force: bool) -> int:
    """Write a small working project into DIR: a pipeline, its jobs, sample data.

    No file that is there already is touched: if one is in the way, nothing is written.
    """
    from pipelines.starting import name_from, write_project
    from pipelines.starting.continuous import (
        Repository,
        Target,
        default_branch,
        find_repository,
        top_near,
    )

    there = find_repository(folder) if systems else None
    if force and there is None:
        raise UsageError("--force is for the CI files of a project that is there (--ci)")
    chosen = name_from(folder) if name is None else name
    if there is None:
        contents = _project(chosen)
        if systems:
            # A folder of a larger repository: CI files belong to its root.
            top = top_near(folder)
            inside = folder.resolve().relative_to(top)
            contents = {(inside / name).as_posix(): text for name, text in contents.items()}
            definitions, targets = inside / "definitions", (Target("dev", "us-east-1"),)
            branch = default_branch(top if top.is_dir() else Path())
            fresh = Repository(top, definitions.as_posix(), branch, targets)
            contents.update(_ci(systems, fresh))
        else:
            top = folder
    else:
        if name is not None:
            raise UsageError("--name is for a new project; here is one already")
        contents, top = _ci(systems, there), there.top
    if there is None:
        write_project(top, contents)
    else:
        hint = "move these away, or write over them with --force"
        write_project(_told(top), contents, force=force, hint=hint)
    for path in contents:
        click.echo(f"wrote {_told(top / path)}")
    click.echo("\nNext:")
    if there is None:
        if folder.resolve() != Path.cwd():
            click.echo(f"  cd {shlex.quote(str(folder))}")
        click.echo("  sagedag validate")
        click.echo("  sagedag run")
    if systems:
        part = _left_to_include(there or fresh, contents)
        if part:
            click.echo(f'  add to {GITLAB_ROOT}, under `include:`: - local: "{part}"')
        click.echo("  make the AWS roles and set their variables (docs/ci.md of sagedag):")
        click.echo(f"    {', '.join(_variables(systems, (there or fresh).targets))}")
    return 0


def _variables(systems: tuple[str, ...], targets: tuple[Target, ...]) -> list[str]:
    """Return the variables that CI files read."""
    if set(systems) == {"codebuild"}:
        return ["SAGEDAG_ENV"]
    plans = [f"SAGEDAG_PLAN_ROLE_{each.variable}" for each in targets]
    return [*plans, "SAGEDAG_DEPLOY_ROLE"]


def _told(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _project(name: str) -> dict[str, str]:
    import json

    from pipelines.language.editor_schema import editor_schema
    from pipelines.starting import project_files

    contents = project_files(name)
    schema = json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n"
    contents["definitions/schema/pipeline.schema.json"] = schema
    return contents


def _ci(systems: tuple[str, ...], repository: Repository) -> dict[str, str]:
    from importlib import metadata

    from pipelines.starting.continuous import GITLAB_INCLUDE, ci_files, project_mark

    try:
        version = metadata.version("sagedag")
    except metadata.PackageNotFoundError:
        version = ""
    made = ci_files(
        systems,
        targets=repository.targets,
        folder=repository.folder,
        branch=repository.branch,
        version=version,
    )
    root = repository.top / GITLAB_ROOT
    if "gitlab" in systems and project_mark(repository.folder) and not root.exists():
        made[GITLAB_ROOT] = GITLAB_INCLUDE
    return made


def _left_to_include(repository: Repository, contents: dict[str, str]) -> str:
    """Return the part that GitLab does not read yet; empty where there is none."""
    from pipelines.starting.continuous import GITLAB_PARTS

    part = next((name for name in contents if name.startswith(GITLAB_PARTS)), "")
    root = repository.top / GITLAB_ROOT
    read = root.read_text(encoding="utf-8", errors="replace") if root.is_file() else ""
    return "" if GITLAB_PARTS in read else part
