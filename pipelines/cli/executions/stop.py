"""``sagedag stop``: stop an execution."""

from __future__ import annotations

from typing import Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.target import find_target
from pipelines.cli.options import environment_options


@click.command(
    epilog="""\b
Examples:
  sagedag stop pulsar --env dev                  # the latest execution
  sagedag stop pulsar/4npwdaw1lue9 --env dev --wait

Running jobs are stopped; what has succeeded stays, and `sagedag retry` goes on from there."""
)
@click.argument("execution", metavar="EXECUTION")
@environment_options
@aws_options
@click.option("--wait", is_flag=True, help="Wait until it has stopped.")
def command(execution: str, **options: Any) -> int:
    """Stop an execution that runs."""
    from pipelines.cli.executions.following import INTERRUPTED, wait_for
    from pipelines.cli.executions.lines import state
    from pipelines.cloud.executions.reading import describe, find_execution, label
    from pipelines.cloud.executions.starting import stop

    target = find_target(execution, options)
    arn = find_execution(target.clients, target.named)
    before = describe(target.clients, arn)
    if before.is_over:
        click.echo(f"Nothing to stop: {label(arn)} has {state(before.status)}.")
        return 0
    found = stop(target.clients, arn)
    click.echo(f"{label(arn).capitalize()}: {state(found.status)}")
    if options["wait"] and not found.is_over:
        _, code = wait_for(target, arn)
        return code if code == INTERRUPTED else 0
    if not found.is_over:
        click.echo(f"Wait for it: {target.command('wait', arn)}")
    return 0
