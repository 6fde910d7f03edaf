"""``sagedag plan``: what a deploy would change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import (
    aws_options,
    cloud_environment,
    cloud_environment_options,
    connection,
)
from pipelines.cli.options import (
    pairs,
    print_diagnostics,
    use_color,
    width_of,
    write_text,
)
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.cloud.plan import Plan
    from pipelines.deployment import Planned


@click.command(
    epilog="""\b
Examples:
  sagedag plan --env dev
  sagedag plan definitions/pulsar --env prod --detailed-exitcode
  sagedag plan --env prod --out prod.plan        # then: sagedag upsert --plan prod.plan
  sagedag plan --env prod --markdown > comment.md

Reads only: it describes, lists and heads what is deployed, and gets manifests of assets.

\b
Exit codes: 0 fine (with --detailed-exitcode: no changes), 1 invalid definition,
2 wrong usage, 3 there are changes (--detailed-exitcode), 4 AWS refused."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@cloud_environment_options
@aws_options
@click.option("--alias", metavar="NAME", default="", help="The alias that a deploy would move.")
@click.option("--prune", is_flag=True, help="Delete what this repository no longer defines.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 where there are changes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Save the plan for `sagedag upsert --plan FILE`. It holds the definitions.",
)
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Show what a deploy of PATH (default: the definitions below here) would change."""
    if options["as_json"] and options["markdown"]:
        raise UsageError("--json and --markdown exclude each other")
    planned = make(paths, options)
    plan = planned.plan
    if options["as_json"]:
        from pipelines.cloud.plan import as_document

        click.echo(json.dumps(as_document(plan), indent=2, ensure_ascii=False))
    elif options["markdown"]:
        from pipelines.cloud.views.markdown import render_markdown

        click.echo(render_markdown(plan), nl=False)
    else:
        show(plan)
    if options["out"] is not None:
        save(plan, options["out"])
    return 3 if options["detailed_exitcode"] and not plan.is_empty else 0


def make(paths: tuple[str, ...], options: dict[str, Any]) -> Planned:
    """Make a plan; diagnostics of the definitions are printed.

    Raises:
        Exit: a definition is invalid.
    """
    from pipelines.deployment import plan
    from pipelines.language.diagnostics import InvalidDefinition

    try:
        planned = plan(
            paths or (".",),
            environment=cloud_environment(options["environment"]),
            variables=pairs(options["variables"], "--var"),
            connection=connection(options),
            alias=options["alias"],
            prune=options["prune"],
        )
    except InvalidDefinition as error:
        print_diagnostics(error.diagnostics, "text", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    print_diagnostics(planned.warnings, "text", err=True)
    return planned


def show(plan: Plan, *, err: bool = False) -> None:
    """Print a plan for people."""
    from pipelines.cloud.views.lines import WIDEST
    from pipelines.cloud.views.text import render_text

    stream = sys.stderr if err else sys.stdout
    color = use_color(stream)
    text = render_text(plan, color=color, width=width_of(stream, WIDEST))
    click.echo(text, err=err, color=color)


def save(plan: Plan, path: Path) -> None:
    """Write a plan's file so that its owner alone can read it: definitions may hold secrets."""
    write_text(path, "")
    path.chmod(0o600)
    write_text(path, plan.to_json())
    click.echo(f"Saved to {path}. Carry it out: sagedag upsert --plan {path}", err=True)
