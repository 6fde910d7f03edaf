"""``sagedag run``: run pipelines on this machine."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import environment_options
from pipelines.cli.running.dry import dry_run
from pipelines.cli.running.once import run_once
from pipelines.cli.running.request import RunRequest, check_request
from pipelines.cli.running.watch import watch

if TYPE_CHECKING:
    from pipelines.local.stopping import Stop


@click.command(
    epilog="""\b
Examples:
  sagedag run definitions/pulsar
  sagedag run definitions/pulsar -p InputData=data/HTRU_2.csv -p MinPrecision=0.8
  sagedag run definitions/pulsar --from evaluate
  sagedag run definitions/pulsar --resume
  sagedag run definition.json --parallel 4
  aws sagemaker describe-pipeline --pipeline-name pulsar | sagedag run -
"""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="A pipeline parameter's value. One that names a local file or folder is made absolute.",
)
@click.option(
    "--params",
    "params_files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    multiple=True,
    help="Parameters' values from a YAML or JSON file; -p wins over it.",
)
@environment_options
@click.option("--name", metavar="NAME", help="The pipeline's name, where PATH is JSON.")
@click.option(
    "--isolation",
    default="auto",
    metavar="MODE",
    help="How jobs are kept apart: auto (the best that works here), strict (one that protects, "
    "or none), or a mode's name; `sagedag doctor` lists them.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 200), metavar="N", help="Run at most N jobs at once."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the latest run of the pipeline: what had succeeded is kept, the rest runs.",
)
@click.option("--only", metavar="STEP", multiple=True, help="Run this step alone; repeatable.")
@click.option(
    "--from", "start", metavar="STEP", multiple=True, help="Run this step and all after it."
)
@click.option("--to", "end", metavar="STEP", multiple=True, help="Run this step and all it needs.")
@click.option(
    "--source",
    metavar="RUN",
    default="",
    help="The run to resume, or whose results stand for the steps that do not run (default: the "
    "latest, the latest that succeeded).",
)
@click.option("--no-cache", is_flag=True, help="Run every step, even where a result is cached.")
@click.option(
    "--service-cache",
    is_flag=True,
    help="Reuse as the service does: by the arguments alone, not by what the inputs hold.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="A quick try: the first N rows of each CSV or Parquet input from outside.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Resolve and check everything, show the order and the arguments, start no job.",
)
@click.option(
    "--watch", is_flag=True, help="Run again what changed whenever a file of the pipeline changes."
)
@click.option(
    "--shell", metavar="STEP", default="", help="Open a shell in the step's job instead of it."
)
@click.option(
    "--job-env",
    default="current",
    show_default=True,
    metavar="NAME",
    help="Where jobs' libraries come from: current (this interpreter), venv (a kept virtual "
    "environment for each image and its requirements), docker or podman (the image itself).",
)
@click.option(
    "--allow-s3",
    is_flag=True,
    help="Read from S3 itself, with your own credentials, what the local store lacks.",
)
@click.option(
    "--mlflow/--no-mlflow",
    default=None,
    help="Track the run in MLflow, in the store (default: where the definition asks).",
)
@click.option(
    "--inject",
    "faults",
    metavar="STEP=FAULT:N",
    multiple=True,
    help="Raise a service fault at a step's first N attempts, to try its retry policy: "
    "Throttling, ServiceFault, JobInternal, Capacity, ResourceLimit.",
)
@click.option(
    "--store",
    "store_folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where runs and models are kept (default: .sagedag near the definition).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Run pipelines on this machine: no AWS account, no Docker.

    PATH is a folder with a pipeline.yaml, a YAML file, a definition's JSON, or - for standard
    input; without it, the one definition below here.
    """
    from pipelines.local.stopping import Stop

    paths = paths or (".",)
    stop, request = Stop(), RunRequest(**options)
    check_request(request, len(paths))
    documents: list[dict[str, Any]] = []
    code = 0
    if request.watch:
        with _signals(stop):
            ctx.exit(watch(paths[0], request, stop))
    with _signals(stop):
        for path in paths:
            if request.dry_run:
                document, result = dry_run(path, request)
            else:
                document, result = run_once(path, request, stop)
            documents.append(document)
            code = code or result
            if stop.event.is_set():
                break
    if request.as_json:
        click.echo(json.dumps(documents[0] if len(paths) == 1 else documents, indent=2))
    ctx.exit(130 if stop.event.is_set() and code else code)


@contextmanager
def _signals(stop: Stop) -> Iterator[None]:
    """Turn Ctrl-C, and what ends a CI job, into a request to stop."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}
    for number in wanted:
        # A signal that is ignored stays so: `nohup sagedag run …` must outlive its terminal.
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.request())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
