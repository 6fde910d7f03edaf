"""``sagedag diff``: what differs between two environments."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options, connection
from pipelines.cli.options import pairs, print_diagnostics, use_color, variables_option
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.deployment import EnvironmentDifference


@click.command(
    epilog="""\b
Examples:
  sagedag diff --env dev --env prod
  sagedag diff definitions/pulsar --env dev --env prod --deployed
  sagedag diff --env dev --env prod --raw

Compares what the definitions compile to: no network, no credentials. --deployed compares what is
deployed instead (but for schedules). What every environment has of its own (bucket, prefix, role,
account, region) counts with --raw only."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "--env",
    "environments",
    metavar="NAME",
    multiple=True,
    required=True,
    help="An environment; give two.",
)
@variables_option
@aws_options
@click.option("--deployed", is_flag=True, help="Compare what is deployed.")
@click.option("--raw", is_flag=True, help="Let the environments' own values count.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 3 where they differ.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Show how definitions differ between two environments."""
    from pipelines.deployment import compare_environments
    from pipelines.language.diagnostics import InvalidDefinition

    names = options["environments"]
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError("diff compares two environments", "give --env twice")
    link = connection(options)
    try:
        found = compare_environments(
            paths or (".",),
            *names,
            variables=pairs(options["variables"], "--var"),
            deployed=options["deployed"],
            connections=(link, link),
            raw=options["raw"],
        )
    except InvalidDefinition as error:
        print_diagnostics(error.diagnostics, "text", err=True)
        return error.exit_code
    differs = any(each.changes or each.code or not all(each.names) for each in found)
    if options["as_json"]:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
    else:
        color = use_color(sys.stdout)
        for line in _lines(found, names, color):
            click.echo(line, color=color)
    return 3 if differs and options["detailed_exitcode"] else 0


def _lines(
    found: Sequence[EnvironmentDifference], names: tuple[str, str], color: bool
) -> Iterator[str]:
    from pipelines.cloud.views.lines import Line, change_line
    from pipelines.cloud.views.text import render_lines

    same = 0
    for each in found:
        if not all(each.names):
            where = [env for env, name in zip(names, each.names, strict=True) if not name]
            yield f"{each.file}  not deployed in {' and '.join(where)}"
            continue
        if not each.changes and not each.code:
            same += 1
            continue
        yield f"{each.file}  {names[0]} → {names[1]}"
        for change in each.changes:
            yield from render_lines([change_line(change)], color)
        for words in each.code:
            yield from render_lines([Line("~", f"{words}: other code", 1)], color)
        yield ""
    if same:
        total = "definition is" if same == 1 else "definitions are"
        yield f"{same} {total} the same in {names[0]} and {names[1]}."
