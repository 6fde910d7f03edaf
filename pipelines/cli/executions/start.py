"""``sagedag start``: start an execution."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.following import timeout_option, wait_for
from pipelines.cli.executions.target import Target, find_target
from pipelines.cli.options import environment_options, pairs
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.cloud.executions.reading import Named
    from pipelines.cloud.executions.starting import Wish


@click.command(
    epilog="""\b
Examples:
  sagedag start pulsar --env dev
  sagedag start pulsar --env dev -p Rows=200 --params nightly.yaml --wait
  sagedag start pulsar --env prod --alias live
  sagedag start pulsar --env dev --from train          # the rest from the latest success
  sagedag start pulsar --env dev --only train --source 4npwdaw1lue9

Parameters are checked against the deployed definition before anything starts. In CI give
--token a word of the job (its run's number): a job that runs again starts nothing twice.

\b
Exit codes: 0 started (with --wait: succeeded), 2 wrong usage, 4 AWS refused,
5 failed or stopped (--wait), 124 not over in time (--timeout), 130 interrupted; the execution
goes on."""
)
@click.argument("name", metavar="NAME|PATH")
@environment_options
@aws_options
@click.option(
    "-p", "parameters", metavar="NAME=VALUE", multiple=True, help="A pipeline parameter's value."
)
@click.option(
    "--params",
    "params_files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    multiple=True,
    help="A YAML or JSON file of parameters; -p wins.",
)
@click.option("--alias", metavar="NAME", default="", help="Start the version with this alias.")
@click.option("--version", type=click.IntRange(1), metavar="N", help="Start this version.")
@click.option(
    "--from",
    "begin",
    metavar="STEP",
    multiple=True,
    help="Run this step and all after it; the rest comes from --source.",
)
@click.option("--only", metavar="STEP", multiple=True, help="Run only this step; may be repeated.")
@click.option(
    "--source",
    metavar="EXECUTION",
    default="",
    help="Where --from and --only take other results from (default: the latest success).",
)
@click.option(
    "--parallel", type=click.IntRange(1), metavar="N", help="At most N steps at the same time."
)
@click.option("--name", "display", metavar="TEXT", default="", help="What to call the execution.")
@click.option("--description", metavar="TEXT", default="", help="What it is for.")
@click.option("--token", metavar="TEXT", default="", help="Start at most once for the same TEXT.")
@click.option("--wait", is_flag=True, help="Wait until it is over and show how it goes.")
@timeout_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def command(name: str, **options: Any) -> int:
    """Start the deployed pipeline NAME, or that of the definition at PATH."""
    from pipelines.cloud.executions.starting import prepare, start

    if options["timeout"] and not options["wait"]:
        raise UsageError("--timeout goes with --wait")
    target = find_target(name, options)
    if target.is_execution:
        from pipelines.cloud.executions.reading import invocation

        raise UsageError(
            f"`{name}` is an execution",
            f"start its pipeline: {invocation(target.clients, 'start', target.pipeline)}",
        )
    prepared = prepare(target.clients, _wish(target, options))
    quiet = options["as_json"]
    arn = start(target.clients, prepared, options["token"] or secrets.token_hex(8))
    _say(target, arn, options)
    code = 0
    document: dict[str, Any] = {"arn": arn, "id": arn.rpartition("/")[2]}
    if options["wait"]:
        from pipelines.cli.executions.lines import document as whole

        execution, code = wait_for(target, arn, err=quiet, limit=options["timeout"])
        document = whole(execution) if execution is not None else document
    if quiet:
        click.echo(json.dumps(document, indent=2))
    return code


def _say(target: Target, arn: str, options: dict[str, Any]) -> None:
    quiet = options["as_json"]
    identifier = arn.rpartition("/")[2]
    click.echo(f"Started {target.pipeline}/{identifier}", err=quiet)
    if options["wait"]:
        click.echo(err=quiet)
    elif not quiet:
        click.echo(f"Wait for it: {target.command('wait', arn)}")


def _wish(target: Target, options: dict[str, Any]) -> Wish:
    from pipelines.cli.running.request import parameters_of_file
    from pipelines.cloud.executions.starting import Wish

    if options["alias"] and options["version"] is not None:
        raise UsageError("--alias and --version exclude each other")
    if options["source"] and not (options["begin"] or options["only"]):
        raise UsageError("--source goes with --from or --only")
    parameters: dict[str, str] = {}
    for file in options["params_files"]:
        parameters.update(parameters_of_file(file))
    parameters.update(pairs(options["parameters"], "-p"))
    return Wish(
        target.pipeline,
        parameters,
        options["alias"],
        options["version"],
        options["only"],
        options["begin"],
        _source(target, options["source"]),
        options["parallel"],
        options["display"],
        options["description"],
    )


def _source(target: Target, text: str) -> Named | None:
    """Return the execution that --source means: an id, ``latest``, PIPELINE/ID or an ARN."""
    from pipelines.cloud.executions.reading import Named
    from pipelines.cloud.executions.records import pipeline_of

    if not text:
        return None
    if text.startswith("arn:"):
        if pipeline_of(text).lower() != target.pipeline.lower():
            raise UsageError(f"{text} is no execution of `{target.pipeline}`")
        return Named(target.pipeline, arn=text)
    name, _, identifier = text.rpartition("/")
    if name and name != target.pipeline:
        raise UsageError(f"`{text}` is no execution of `{target.pipeline}`")
    return Named(target.pipeline, "" if identifier == "latest" else identifier)
