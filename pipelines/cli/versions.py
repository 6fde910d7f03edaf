"""``sagedag versions``: what was deployed when."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import (
    aws_options,
    cloud_environment,
    cloud_environment_options,
    connection,
)
from pipelines.cli.options import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.cloud.client import Clients
    from pipelines.cloud.state import Version


@click.command(
    epilog="""\b
Examples:
  sagedag versions pulsar --env prod
  sagedag versions definitions/pulsar --env prod --json

SageMaker makes a version whenever a definition changes. The commit is what the deploy wrote
into it; a version without one was not made by this tool."""
)
@click.argument("name", metavar="NAME")
@cloud_environment_options
@aws_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str, **options: Any) -> None:
    """List the versions of a deployed pipeline; NAME is its name or its definition's path."""
    from pipelines.cloud.versions import commit_of, known_versions

    pipeline, clients = pipeline_and_clients(name, options)
    clients.check_account()
    versions = known_versions(clients, pipeline)
    if options["as_json"]:
        made = [{**asdict(each), "commit": commit_of(each)} for each in versions]
        click.echo(json.dumps(made, indent=2))
        return
    for line in _table(versions):
        click.echo(line)


def pipeline_and_clients(name: str, options: dict[str, Any]) -> tuple[str, Clients]:
    """Return the pipeline that a word means, and AWS as its environment sees it."""
    from pipelines.deployment import find_place, pipeline_named

    environment = cloud_environment(options["environment"])
    variables = pairs(options["variables"], "--var")
    pipeline, folder = pipeline_named(name, environment=environment, variables=variables)
    return pipeline, connection(options).open(find_place(environment, folder))


def _table(versions: Sequence[Version]) -> Iterator[str]:
    from pipelines.cloud.planned_calls import ROLLED_BACK
    from pipelines.cloud.versions import commit_of
    from pipelines.cloud.wording import clipped

    rows = [("VERSION", "DEPLOYED (UTC)", "COMMIT", "ALIASES", "")]
    for number, each in enumerate(versions):
        moment = datetime.fromtimestamp(each.created, timezone.utc)
        told = (
            each.description.partition(",")[0] if each.description.startswith(ROLLED_BACK) else ""
        )
        rows.append(
            (
                str(each.number),
                f"{moment:%Y-%m-%d %H:%M}" if each.created else "?",
                _short(commit_of(each)) or "?",
                ", ".join(each.aliases) or "-",
                clipped(", ".join(filter(None, ["newest" if number == 0 else "", told]))),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def _short(commit: str) -> str:
    dirty = "-dirty" if commit.endswith("-dirty") else ""
    return commit[:12] + dirty if commit else ""
