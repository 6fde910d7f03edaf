"""``sagedag runs``: what ran on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.local.store import Store

STORE = click.option(
    "--store",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The store (default: the nearest .sagedag upwards of here).",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@contextmanager
def opened(folder: Path | None) -> Iterator[Store]:
    """Open the store for reading.

    Raises:
        UsageError: there is none.
    """
    from pipelines.local.store import find_store, read_store

    place = folder or find_store(Path.cwd())
    if place is None:
        raise UsageError(
            "there is no .sagedag here or above, so nothing has run yet",
            hint="`sagedag run PATH` makes one; --store DIR names another",
        )
    with read_store(place.resolve()) as store:
        yield store


class ListByDefault(click.Group):
    """A group whose ``list`` command may be left out: ``sagedag runs --json``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``list`` before options that are not the group's own."""
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=ListByDefault,
    epilog="""\b
Examples:
  sagedag runs
  sagedag runs show latest
  sagedag runs show 3f9 --json
  sagedag runs logs latest train
""",
)
def command() -> None:
    """List and inspect the runs of this machine; without a command, list.

    RUN is a run's id, the beginning of one, its ARN, or `latest`.
    """


@command.command("list")
@click.option("--pipeline", metavar="NAME", help="Only runs of this pipeline.")
@click.option(
    "-n", "limit", type=click.IntRange(1), default=20, show_default=True, help="At most this many."
)
@STORE
@JSON
def list_runs(pipeline: str | None, limit: int, folder: Path | None, as_json: bool) -> None:
    """List runs, latest first."""
    from pipelines.local import responses
    from pipelines.local.encoding import plain
    from pipelines.local.history import History
    from pipelines.local.views.words import clock, columns, duration

    with opened(folder) as store:
        records = History(store).executions(pipeline=pipeline, limit=limit)
    if as_json:
        click.echo(json.dumps(plain(responses.list_executions(records)), indent=2))
        return
    if not records:
        click.echo(f"pipeline `{pipeline}` has not run here" if pipeline else "nothing has run yet")
        return
    rows = [("RUN", "PIPELINE", "STATUS", "STARTED", "TOOK")]
    rows += [
        (
            record.id,
            record.pipeline,
            record.status,
            clock(record.started),
            duration((record.ended or time.time()) - record.started),
        )
        for record in records
    ]
    for line in columns(rows, right=(4,)):
        click.echo(line)


@command.command("show")
@click.argument("run", default="latest")
@STORE
@JSON
def show(run: str, folder: Path | None, as_json: bool) -> None:
    """Show one run: parameters, steps, failures, what it registered."""
    from pipelines.local.history import History
    from pipelines.local.views.runs import details
    from pipelines.local.views.summary import document

    with opened(folder) as store:
        record = History(store).find(run)
        if as_json:
            click.echo(json.dumps(document(store, record), indent=2))
            return
        for line in details(store, record):
            click.echo(line)


@command.command("logs")
@click.argument("run", default="latest")
@click.argument("step", required=False)
@STORE
@JSON
def logs(run: str, step: str | None, folder: Path | None, as_json: bool) -> None:
    """Print what the jobs of a run printed: all steps, or one."""
    from pipelines.definition.problems import nearest
    from pipelines.local.history import History
    from pipelines.local.views.words import clean

    with opened(folder) as store:
        history = History(store)
        record = history.find(run)
        steps = history.steps(record.id)
    if step is not None:
        names = [item.name for item in steps]
        if step not in names:
            raise UsageError(
                f"run {record.id} has no step `{step}`" + nearest(step, names),
                hint=f"its steps are: {', '.join(names) or 'none'}",
            )
        steps = [item for item in steps if item.name == step]
    if as_json:
        texts = {item.name: _read(item.log) for item in steps}
        click.echo(json.dumps(texts, indent=2))
        return
    for item in steps:
        lines = _read(item.log).splitlines()
        if step is None:
            if not lines:
                continue
            click.echo(f"== {item.name} ({item.status.lower()})")
        for line in lines:
            click.echo(clean(line))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        # A step that ran no job has no log.
        return ""
