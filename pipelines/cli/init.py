"""``sagedag init``: start a small working project."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  sagedag init my-pipeline
  sagedag init . --name churn"""
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--name", metavar="NAME", help="The pipeline's name (default: made of the folder's name)."
)
def command(folder: Path, name: str | None) -> int:
    """Write a small working project into DIR: a pipeline, its jobs, sample data.

    No file that is there already is touched: if one is in the way, nothing is written.
    """
    import json

    from pipelines.language.editor_schema import editor_schema
    from pipelines.starting import name_from, project_files, write_project

    chosen = name_from(folder) if name is None else name
    contents = project_files(chosen)
    schema = json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n"
    contents["definitions/schema/pipeline.schema.json"] = schema
    write_project(folder, contents)
    for path in contents:
        click.echo(f"wrote {folder / path}")
    click.echo("\nNext:")
    if folder.resolve() != Path.cwd():
        click.echo(f"  cd {shlex.quote(str(folder))}")
    click.echo("  sagedag validate")
    click.echo(f"  sagedag run definitions/{chosen}")
    return 0
