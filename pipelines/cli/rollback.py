"""``sagedag rollback``: deploy an earlier version again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.aws_options import aws_options, cloud_environment_options, confirm
from pipelines.cli.plan import show
from pipelines.cli.upsert import Progress
from pipelines.cli.versions import pipeline_and_clients


@click.command(
    epilog="""\b
Examples:
  sagedag rollback pulsar --env prod                 # the version before the newest
  sagedag rollback pulsar --env prod --to 12
  sagedag rollback pulsar --env prod --to 3f9c2ab    # what that commit deployed

The earlier definition becomes a new version, and the aliases of the newest go along. Role,
schedules and tags stay. Bring the repository to the same state, or the next upsert deploys
what it defines."""
)
@click.argument("name", metavar="NAME")
@cloud_environment_options
@aws_options
@click.option("--to", metavar="VERSION|COMMIT", default="", help="Where to go back to.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def command(name: str, **options: Any) -> int:
    """Deploy an earlier version of a pipeline; NAME is its name or its definition's path."""
    from pipelines.cloud.apply import apply_plan
    from pipelines.cloud.versions import plan_rollback
    from pipelines.deployment import tool_version
    from pipelines.deployment.naming import KindNames

    pipeline, clients = pipeline_and_clients(name, options)
    plan = plan_rollback(clients, pipeline, options["to"], tool_version(), KindNames())
    if plan.is_empty:
        click.echo(f"No changes: {plan.pipelines[0].notes[0]}.")
        return 0
    show(plan)
    confirm(f"\nRoll back in {plan.environment}?", yes=options["yes"])
    click.echo()
    apply_plan(clients, plan, Path.cwd(), Progress(plan))
    return 0
