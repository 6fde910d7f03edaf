"""``sagedag wait``: wait for an execution."""

from __future__ import annotations

import json
from typing import Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.following import timeout_option, wait_for
from pipelines.cli.executions.target import find_target
from pipelines.cli.options import environment_options


@click.command(
    epilog="""\b
Examples:
  sagedag wait pulsar --env dev                  # the latest execution
  sagedag wait pulsar/4npwdaw1lue9 --env dev --json
  sagedag wait pulsar --env dev --timeout 3600

Ctrl-C and --timeout end the waiting, not the execution: the same command waits on. EXECUTION is
PIPELINE/ID, an ARN, an id alone, or a pipeline's name or its definition's path: the latest of
that pipeline.

\b
Exit codes: 0 succeeded, 4 AWS refused, 5 failed or stopped, 124 not over in time (--timeout),
130 interrupted."""
)
@click.argument("execution", metavar="EXECUTION")
@environment_options
@aws_options
@timeout_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def command(execution: str, **options: Any) -> int:
    """Wait until an execution is over, and show how it goes."""
    from pipelines.cli.executions import lines
    from pipelines.cloud.executions.reading import describe, find_execution

    target = find_target(execution, options)
    arn = find_execution(target.clients, target.named)
    quiet = options["as_json"]
    for text in lines.header(describe(target.clients, arn)):
        click.echo(text, err=quiet)
    click.echo(err=quiet)
    found, code = wait_for(target, arn, err=quiet, limit=options["timeout"])
    if quiet and found is not None:
        click.echo(json.dumps(lines.document(found), indent=2))
    return code
