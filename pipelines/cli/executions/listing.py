"""``sagedag list``: executions of a pipeline, or the pipelines there are."""

from __future__ import annotations

import json
from typing import Any

import click

from pipelines.cli.aws_options import aws_options, cloud_environment, connection
from pipelines.cli.executions.target import find_target
from pipelines.cli.options import environment_options

STATES = ("Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures")


@click.command(
    epilog="""\b
Examples:
  sagedag list --env dev                         # the pipelines
  sagedag list pulsar --env dev                  # its executions
  sagedag list pulsar --env dev --status Failed -n 5 --json"""
)
@click.argument("name", metavar="[NAME|PATH]", required=False)
@environment_options
@aws_options
@click.option(
    "--status", type=click.Choice(STATES, case_sensitive=False), help="Only those in this state."
)
@click.option(
    "-n", "limit", type=click.IntRange(1), default=20, show_default=True, help="At most this many."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, **options: Any) -> None:
    """List the executions of a pipeline, latest first; without NAME, the pipelines."""
    from pipelines.cli.executions import lines
    from pipelines.cloud.executions.reading import list_executions
    from pipelines.local.views.words import columns

    if name is None:
        _pipelines(options)
        return
    target = find_target(name, options)
    found = list_executions(
        target.clients, target.pipeline, limit=options["limit"], status=options["status"] or ""
    )
    if options["as_json"]:
        keys = ("arn", "id", "status", "name", "description", "started", "failure", "aliases")
        made = [{k: v for k, v in lines.document(each).items() if k in keys} for each in found]
        click.echo(json.dumps(made, indent=2))
        return
    if not found:
        which = f" that are {lines.state(options['status'])}" if options["status"] else ""
        click.echo(f"Pipeline `{target.pipeline}` has no executions{which}.")
        return
    rows = [("EXECUTION", "STATUS", "STARTED", "NAME", "")]
    rows += [
        (
            each.id,
            lines.state(each.status),
            lines.moment(each.started),
            each.name or "-",
            lines.safe(each.failure.splitlines()[0])[:80] if each.failure else "",
        )
        for each in found
    ]
    for text in columns(rows):
        click.echo(text)


def _pipelines(options: dict[str, Any]) -> None:
    from pipelines.cli.executions import lines
    from pipelines.cloud.executions.reading import list_pipelines
    from pipelines.deployment import find_place
    from pipelines.errors import UsageError
    from pipelines.local.views.words import columns

    if options["status"]:
        raise UsageError("--status goes with a pipeline", "sagedag list NAME --status Failed")
    clients = connection(options).open(find_place(cloud_environment(options["environment"])))
    clients.check_account()
    found = list_pipelines(clients, limit=options["limit"])
    if options["as_json"]:
        click.echo(
            json.dumps(
                [
                    {
                        "name": each["PipelineName"],
                        "arn": each["PipelineArn"],
                        "displayName": each.get("PipelineDisplayName"),
                        "changed": lines.stamp(each.get("LastModifiedTime")),
                        "lastExecution": lines.stamp(each.get("LastExecutionTime")),
                    }
                    for each in found
                ],
                indent=2,
            )
        )
        return
    if not found:
        click.echo(f"There are no pipelines in account {clients.identity.account}.")
        return
    rows = [("PIPELINE", "CHANGED", "LAST EXECUTION")]
    for each in found:
        ran = each.get("LastExecutionTime")
        rows.append(
            (
                str(each["PipelineName"]),
                lines.moment(each.get("LastModifiedTime")),
                lines.moment(ran) if ran is not None else "-",
            )
        )
    for text in columns(rows):
        click.echo(text)
