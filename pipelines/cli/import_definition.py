"""``sagedag import``: a pipeline definition written by others, as a definition of ours."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import plural, print_diagnostics, use_color, write_text
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.definition.normal import Difference
    from pipelines.importer import Imported
    from pipelines.importer.environment import Suggested
    from pipelines.importer.sources import Found
    from steps._contract import Environment

FILE = "pipeline.yaml"
_SUFFIXES = (".json", ".yaml", ".yml", ".template", ".tfstate", ".tf", ".txt")


@click.command(
    "import",
    epilog="""\b
Examples:
  sagedag import definition.json > pipeline.yaml
  sagedag import definition.json -o definitions/pulsar
  sagedag import template.yaml --pipeline pulsar --check
  sagedag import definition.json --env prod > definitions/pulsar/pipeline.yaml
  sagedag import pulsar --region eu-west-1 -o definitions/pulsar
  sagedag import definition.json --download -o definitions/pulsar
  aws sagemaker describe-pipeline --pipeline-name pulsar | sagedag import -

Exit status: 0 imported; 1 the result has errors; 2 nothing to import; 4 AWS refused; 7 with
--check: compiling the result gives something else.""",
)
@click.argument("source", metavar="FILE|PIPELINE_NAME|-")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help=f"Write DIR/{FILE}, and an environments.yaml where the project has none.",
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="The project's environment that it is written for (default: the one that fits).",
)
@click.option(
    "--download/--no-download",
    default=None,
    help="Fetch code (with -o) and Clarify's configurations from S3; default for a PIPELINE_NAME.",
)
@click.option("--check", "checking", is_flag=True, help="Write nothing; print the differences.")
@click.option("--pipeline", "wanted", default="", metavar="NAME", help="Which one, of several.")
@click.option("--force", is_flag=True, help=f"Replace a {FILE} that is there.")
@click.option("--json", "as_json", is_flag=True, help="Tell everything as JSON.")
@click.option("--profile", metavar="NAME", help="AWS profile, for a PIPELINE_NAME.")
@click.option("--region", metavar="NAME", help="AWS region, for a PIPELINE_NAME.")
def command(
    source: str,
    folder: Path | None,
    environment: str | None,
    download: bool | None,
    checking: bool,
    wanted: str,
    force: bool,
    as_json: bool,
    profile: str | None,
    region: str | None,
) -> int:
    """Turn a pipeline definition written by anybody into YAML.

    FILE is a definition's JSON, or a CloudFormation template (JSON or YAML), a Kubernetes (ACK)
    manifest, Terraform's JSON or an answer of describe-pipeline that holds one. Anything else is
    the name of a pipeline on AWS. What no field expresses is written as `request`; a step that no
    kind can express is written as `Raw`. The result is compiled and compared with what was read.
    """
    from pipelines.cli.downloading import downloaded, keep, staged
    from pipelines.importer import import_definition

    target = (folder or Path.cwd()) / FILE
    if folder is not None and target.exists() and not force and not checking:
        raise UsageError(f"{target} exists", "choose another folder, or replace it with --force")
    found, origin, named = _found(source, wanted, profile, region)
    chosen = _environment(environment, target, found, kept=folder is not None)
    wants = named if download is None else download
    with staged(folder if wants else None) as stage:
        fetched = downloaded(found, stage, profile, region) if wants else None
        made = import_definition(
            found.definition,
            found.around,
            path=stage / FILE if stage else target,
            origin=origin,
            head=[*found.remarks, *_of_region(chosen)],
            environment=chosen,
            fetched=fetched,
        )
        written: list[Path] = []
        if folder is not None and not checking:
            code = keep(fetched, folder, force=force) if fetched else []
            written = [*code, *_write(folder, made, found)]
    if as_json:
        click.echo(_as_json(made, written))
    elif not checking and folder is None:
        click.echo(made.text, nl=False)
    if not as_json:
        _tell(made, written, checking=checking)
    if checking:
        return 1 if made.failed else 7 if made.differences else 0
    return 1 if made.failed else 0


def _found(
    source: str, wanted: str, profile: str | None, region: str | None
) -> tuple[Found, str, bool]:
    """Return the definition that the argument means, where it comes from, and whether from AWS."""
    from pipelines.importer.sources import find_definition

    if source == "-":
        text = _text(sys.stdin.buffer.read(), "<stdin>")
        return find_definition(text, "stdin", wanted), "stdin", False
    path = Path(source)
    if path.is_file():
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{source} can't be read: {error.strerror}") from error
        name = path.name if path.name != "definition.json" else path.absolute().parent.name
        return find_definition(_text(data, source), name, wanted), path.name, False
    if path.exists():
        raise UsageError(f"{source} is a folder", "name the file that holds the definition")
    if "/" in source or path.suffix.lower() in _SUFFIXES:
        raise UsageError(f"there is no file {source}")
    from pipelines.cli.described import described

    return described(source, profile, region), f"the pipeline {source} on AWS", True


def _environment(name: str | None, target: Path, found: Found, *, kept: bool) -> str | Environment:
    """Return what the result is written for: a project's environment, or what the text tells."""
    from pipelines.importer.environment import fitting_environment
    from pipelines.language.project import find_project

    chosen = name or os.environ.get("SAGEDAG_ENV")
    if chosen:
        return chosen
    project = find_project(target.absolute().parent)
    if project.environments is not None:
        return fitting_environment(_suggested(found), project)
    return _suggested(found).environment(kept=kept)


def _suggested(found: Found) -> Suggested:
    from pipelines.importer.environment import suggest_environment

    return suggest_environment(found.definition, found.around.role, found.around.arn)


def _of_region(chosen: str | Environment) -> list[str]:
    """Return what must be known of a result for which no environments file is written."""
    from pipelines.language.environments import LOCAL

    if isinstance(chosen, str) or chosen.name != LOCAL.name or chosen.region == LOCAL.region:
        return []
    return [f"It is for the region {chosen.region}, which the environment must name."]


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text (byte {error.start})") from None


def _write(folder: Path, made: Imported, found: Found) -> list[Path]:
    from pipelines.importer.environment import NAME
    from pipelines.importer.yaml_text import yaml_text
    from pipelines.language.project import find_project

    write_text(folder / FILE, made.text)
    written = [folder / FILE]
    if find_project(folder.absolute()).environments is None:
        entry = _suggested(found).entry()
        environments = folder / "environments.yaml"
        head = [
            "Where the imported pipeline ran, as far as its definition tells.",
            "`sagedag validate --env aws` checks it for there; `local` is this machine.",
        ]
        write_text(environments, yaml_text({"environments": {"local": {}, NAME: entry}}, head))
        written.append(environments)
    return written


def _tell(made: Imported, written: list[Path], *, checking: bool) -> None:
    """Tell on standard error what was made of it."""
    from pipelines.language.diagnostics import escape_control

    color = use_color(sys.stderr)
    for note in made.notes:
        label = click.style("lost" if note.lost else "note", fg="yellow", bold=True)
        line = f"{label}: {escape_control(note.pointer)}: {escape_control(note.message)}"
        click.echo(line, err=True, color=color)
    print_diagnostics([d for d in made.diagnostics if d.level == "error"], "text", err=True)
    for difference in made.differences or ():
        place = escape_control(".".join(str(part) for part in difference.path))
        click.echo(f"differs: {place}", err=not checking)
        click.echo(f"  imported: {_shown(difference.before)}", err=not checking)
        click.echo(f"  compiled: {_shown(difference.after)}", err=not checking)
    for difference in made.moved:
        place = escape_control(".".join(str(part) for part in difference.path))
        click.echo(f"moved: {place}", err=not checking)
        click.echo(f"  imported: {_shown(difference.before)}", err=not checking)
        click.echo(f"  compiled: {_shown(difference.after)}", err=not checking)
    for path in written:
        click.echo(f"wrote {path}", err=True)
    if made.failed:
        summary = "The result has errors; mend them by hand."
    elif made.differences:
        many = plural(len(made.differences), "value")
        summary = f"Compiling the result differs in {many} from what was imported."
    else:
        place = f" for `{made.environment}`" if made.environment != "local" else ""
        summary = f"Compiling the result{place} gives what was imported."
    if made.moved and not made.failed:
        summary = f"{summary[:-1]}, but for {plural(len(made.moved), 'place')} of the same files."
    tint = "green" if not made.failed and not made.differences else "red"
    click.echo(click.style(summary, fg=tint), err=True, color=color)


def _shown(value: Any) -> str:
    from pipelines.definition.normal import ABSENT
    from pipelines.language.diagnostics import escape_control

    text = "nothing" if value is ABSENT else json.dumps(value, ensure_ascii=False)
    text = escape_control(text)
    return text if len(text) <= 300 else f"{text[:299]}…"


def _as_json(made: Imported, written: list[Path]) -> str:
    from pipelines.definition.normal import ABSENT
    from pipelines.language.diagnostics import render

    def side(value: Any) -> dict[str, Any]:
        return {} if value is ABSENT else {"value": value}

    def listed(found: Sequence[Difference]) -> list[dict[str, Any]]:
        return [
            {"path": list(d.path), "imported": side(d.before), "compiled": side(d.after)}
            for d in found
        ]

    return json.dumps(
        {
            "pipeline": made.name,
            "definition": made.text,
            "written": [str(path) for path in written],
            "notes": [vars(note) for note in made.notes],
            "diagnostics": json.loads(render(made.diagnostics, "json")),
            "differences": None if made.differences is None else listed(made.differences),
            "moved": listed(made.moved),
        },
        indent=2,
        ensure_ascii=False,
    )
