"""``sagedag retry``: run again what failed."""

from __future__ import annotations

from typing import Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.following import timeout_option, wait_for
from pipelines.cli.executions.target import find_target
from pipelines.cli.options import environment_options
from pipelines.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  sagedag retry pulsar --env dev --wait          # the latest execution
  sagedag retry pulsar/4npwdaw1lue9 --env dev

The execution goes on where it failed or was stopped, with the definition and the parameters that
it was started with; to try a changed definition, `sagedag start --from STEP`.

\b
Exit codes: 0 retried (with --wait: succeeded), 2 it can't be, 4 AWS refused,
5 failed or stopped (--wait), 124 not over in time (--timeout), 130 interrupted; the execution
goes on."""
)
@click.argument("execution", metavar="EXECUTION")
@environment_options
@aws_options
@click.option(
    "--parallel", type=click.IntRange(1), metavar="N", help="At most N steps at the same time."
)
@click.option("--wait", is_flag=True, help="Wait until it is over and show how it goes.")
@timeout_option
def command(execution: str, **options: Any) -> int:
    """Run the failed and stopped steps of an execution again, and those after them."""
    from pipelines.cloud.executions.reading import find_execution, label
    from pipelines.cloud.executions.starting import retry

    if options["timeout"] and not options["wait"]:
        raise UsageError("--timeout goes with --wait")
    target = find_target(execution, options)
    arn = find_execution(target.clients, target.named)
    retry(target.clients, arn, parallel=options["parallel"])
    click.echo(f"Retrying {label(arn).removeprefix('execution ')}")
    if not options["wait"]:
        click.echo(f"Wait for it: {target.command('wait', arn)}")
        return 0
    click.echo()
    _, code = wait_for(target, arn, limit=options["timeout"])
    return code
