"""``sagedag status``: how an execution stands."""

from __future__ import annotations

import json
from typing import Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.target import find_target
from pipelines.cli.options import environment_options


@click.command(
    epilog="""\b
Examples:
  sagedag status pulsar --env dev                # the latest execution
  sagedag status pulsar/4npwdaw1lue9 --env dev
  sagedag status arn:aws:sagemaker:…:pipeline/pulsar/execution/4npwdaw1lue9

EXECUTION is PIPELINE/ID, an ARN, an id alone, or a pipeline's name or its definition's
path: the latest of that pipeline."""
)
@click.argument("execution", metavar="EXECUTION")
@environment_options
@aws_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(execution: str, **options: Any) -> None:
    """Show how an execution stands: its steps, and why those failed that did."""
    from pipelines.cli.executions import lines
    from pipelines.cli.executions.following import run_definition, tell_failures
    from pipelines.cloud.executions.reading import find_execution, read_execution

    target = find_target(execution, options)
    arn = find_execution(target.clients, target.named)
    found = read_execution(target.clients, arn, parameters=options["as_json"])
    definition = run_definition(target, arn)
    if options["as_json"]:
        click.echo(json.dumps(lines.document(found, definition), indent=2))
        return
    for text in lines.header(found):
        click.echo(text)
    click.echo()
    for text in lines.step_table(found, definition):
        click.echo(text)
    tell_failures(target, found, click.echo)
