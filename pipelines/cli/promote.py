"""``sagedag promote``: give an alias to a version."""

from __future__ import annotations

from typing import Any

import click

from pipelines.cli.aws_options import aws_options, cloud_environment_options, confirm
from pipelines.cli.versions import pipeline_and_clients


@click.command(
    epilog="""\b
Examples:
  sagedag promote pulsar --env prod --version 14 --alias live
  sagedag promote pulsar --env prod --version 13 --alias live --yes    # and back again

Starts that name the alias run that version. An alias must be taken from one version before
another can have it: for a moment nobody has it."""
)
@click.argument("name", metavar="NAME")
@cloud_environment_options
@aws_options
@click.option(
    "--version", "number", type=click.IntRange(1), required=True, help="The version's number."
)
@click.option("--alias", metavar="NAME", required=True, help="The alias.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def command(name: str, **options: Any) -> int:
    """Give an alias to a version of a pipeline; NAME is its name or its definition's path."""
    from pipelines.cloud.versions import plan_promotion, promote

    pipeline, clients = pipeline_and_clients(name, options)
    clients.check_account()
    promotion = plan_promotion(clients, pipeline, options["number"], options["alias"])
    alias, after = promotion.alias, promotion.after
    if promotion.is_done:
        click.echo(f"No changes. `{alias}` is version {after} of {pipeline}.")
        return 0
    now = f"version {promotion.before}" if promotion.before is not None else "nowhere"
    click.echo(f"{pipeline}  alias {alias}: {now} → version {after}")
    confirm(f"Move it in {clients.place.environment}?", yes=options["yes"])
    promote(clients, promotion)
    click.echo(f"`{alias}` is version {after} now.")
    return 0
