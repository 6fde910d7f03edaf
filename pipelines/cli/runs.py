"""``sagedag runs``: what ran on this machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.aws_options import DECLINED
from pipelines.cli.options import use_color
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.local.history import ExecutionRecord, StepRecord
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
def opened(folder: Path | None, *, writing: bool = False) -> Iterator[Store]:
    """Open the store for reading, or for writing once nobody else does.

    Raises:
        UsageError: there is none.
    """
    from pipelines.local.store import find_store, open_store, read_store

    place = folder or find_store(Path.cwd())
    if place is None:
        raise UsageError(
            "there is no .sagedag here or above, so nothing has run yet",
            hint="`sagedag run PATH` makes one; --store DIR names another",
        )
    with read_store(place.resolve()) as store:
        if not writing:
            yield store
            return
    with open_store(place.resolve(), on_wait=lambda text: click.echo(text, err=True)) as store:
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
  sagedag runs logs --follow
  sagedag runs logs latest tune --job 003 --tail 20
  sagedag runs prune --keep 5
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
            duration(record.seconds),
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
@click.option("--job", metavar="NUMBER", default="", help="A training job of a search: 003.")
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the run ends.")
@click.option(
    "--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines of each step."
)
@STORE
@JSON
def logs(
    run: str,
    step: str | None,
    job: str,
    follow: bool,
    tail: int | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Print what the jobs of a run printed: all steps, or one.

    With --follow, also of a run that goes on in another terminal; lines of several steps begin with
    their step's name.
    """
    from pipelines.local.history import History

    if job and step is None:
        raise UsageError("--job wants the step as well: sagedag runs logs RUN STEP --job 003")
    if follow and as_json:
        raise UsageError("--follow does not go with --json")
    with opened(folder) as store:
        history = History(store)
        record = history.find(run)
        steps = history.steps(record.id)
        if step is not None:
            _check_step(record, steps, step, job)
            steps = [item for item in steps if item.name == step]
        if follow:
            _follow(store, record, step or "", job, -1 if tail is None else tail)
            return
    texts = {item.name: _lines(_log_of(item, job), tail) for item in steps}
    if as_json:
        made = {name: "".join(f"{line}\n" for line in lines) for name, lines in texts.items()}
        click.echo(json.dumps(made, indent=2))
        return
    _print_logs({item.name: item.status for item in steps}, texts, headings=step is None)


def _check_step(record: ExecutionRecord, steps: Sequence[StepRecord], name: str, job: str) -> None:
    """Refuse a step or a training job that the run does not have.

    Raises:
        UsageError: there is none.
    """
    from pipelines.definition import read_definition
    from pipelines.definition.problems import nearest
    from pipelines.local.following import trial_logs

    begun = {item.name: item for item in steps}
    # While it runs, a step may still come.
    known = {*begun, *read_definition(json.loads(record.definition)).by_name}
    if name not in begun and (record.ended is not None or name not in known):
        raise UsageError(
            f"run {record.id} has no step `{name}`" + nearest(name, begun),
            hint=f"its steps are: {', '.join(begun) or 'none'}",
        )
    if job and name in begun and (found := trial_logs(begun[name])).keys().isdisjoint([job]):
        raise UsageError(
            f"step `{name}` has no training job `{job}`",
            hint=f"it has: {', '.join(found) or 'none'}",
        )


def _follow(store: Store, record: ExecutionRecord, step: str, job: str, tail: int) -> None:
    """Print lines as they come, each with its step's name where several are followed."""
    from pipelines.definition import read_definition
    from pipelines.local.following import follow
    from pipelines.local.history import History
    from pipelines.local.views.words import clean

    names = read_definition(json.loads(record.definition)).by_name
    width = max((len(name) for name in names), default=0)
    shades: dict[str, str] = {}
    color = None if use_color(sys.stdout) else False
    for line in follow(store, record.id, step, job, tail):
        if step:
            click.echo(clean(line.text))
            continue
        shade = shades.setdefault(line.step, _SHADES[len(shades) % len(_SHADES)])
        head = click.style(f"{line.step.ljust(width)} |", fg=shade)
        click.echo(f"{head} {clean(line.text)}", color=color)
    ended = History(store).find(record.id)
    click.echo(f"run {ended.id}: {ended.status}", err=True)


_SHADES = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan")


def _print_logs(
    states: Mapping[str, str], texts: Mapping[str, Sequence[str]], *, headings: bool
) -> None:
    from pipelines.local.views.words import clean

    for name, lines in texts.items():
        if headings:
            if not lines:
                continue
            click.echo(f"== {name} ({states[name].lower()})")
        for line in lines:
            click.echo(clean(line))


def _log_of(step: StepRecord, job: str) -> Path:
    path = Path(step.log)
    return path.with_suffix("") / f"{job}.log" if job else path


def _lines(path: Path, tail: int | None) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        # A step that ran no job has no log.
        return []
    return lines if tail is None else lines[len(lines) - min(tail, len(lines)) :]


@command.command("delete")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Also a run whose results other runs reuse.")
@STORE
def delete_runs(runs: tuple[str, ...], yes: bool, force: bool, folder: Path | None) -> None:
    """Delete runs, their logs, and those of their outputs that nothing else needs.

    Versions and models that a run registered stay, with what they are made of.
    """
    from pipelines.local.history import History
    from pipelines.local.pruning import users_of

    with opened(folder, writing=True) as store:
        history = History(store)
        records = list({record.id: record for record in map(history.find, runs)}.values())
        going = {record.id for record in records}
        for record in records:
            users = [run for run in users_of(store, record) if run not in going]
            if users and not force:
                raise UsageError(
                    f"run {', '.join(users[:5])} reuses results of run {record.id}",
                    hint="delete them together, or --force: what is deleted will run again",
                )
        _delete(store, records, yes)


@command.command("prune")
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    metavar="N",
    help="The latest N runs of each pipeline stay.",
)
@click.option("--pipeline", metavar="NAME", help="Only runs of this pipeline.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@STORE
def prune(keep: int, pipeline: str | None, yes: bool, folder: Path | None) -> None:
    """Delete all but the latest runs of each pipeline.

    What stays besides: the latest run that succeeded, and every run whose results one that stays
    reuses, so that the step cache and running a part of a pipeline lose nothing of theirs.
    """
    from pipelines.local.history import History
    from pipelines.local.pruning import needed_by

    with opened(folder, writing=True) as store:
        staying: set[str] = set()
        counts: dict[str, int] = {}
        succeeded: set[str] = set()
        records = History(store).executions()
        for record in records:
            counts[record.pipeline] = counts.get(record.pipeline, 0) + 1
            latest = record.status == "Succeeded" and record.pipeline not in succeeded
            if latest:
                succeeded.add(record.pipeline)
            other = pipeline is not None and record.pipeline != pipeline
            if latest or other or counts[record.pipeline] <= keep:
                staying.add(record.id)
        reused = needed_by(store, staying)
        if reused:
            click.echo(f"Kept because later runs reuse their results: {', '.join(sorted(reused))}")
        _delete(store, [each for each in records if each.id not in staying | reused], yes)


def _delete(store: Store, records: Sequence[ExecutionRecord], yes: bool) -> None:
    """Say what goes, ask, and delete it."""
    from pipelines.local.pruning import delete, doom
    from pipelines.local.views.words import clock, columns, plural, size

    if not records:
        click.echo("There is nothing to delete.")
        return
    doomed = doom(store, records)
    rows = [("RUN", "PIPELINE", "STATUS", "STARTED", "SIZE")]
    rows += [
        (e.record.id, e.record.pipeline, e.record.status, clock(e.record.started), size(e.size))
        for e in doomed
    ]
    for line in columns(rows, right=(4,)):
        click.echo(line)
    results = sum(each.results for each in doomed)
    if results:
        click.echo(f"{plural(results, 'result')} of steps can then no more be reused.")
    total = size(sum(each.size for each in doomed))
    what = f"{plural(len(doomed), 'run')} with {total}"
    if not yes and not click.confirm(f"Delete {what}?"):
        click.echo("Nothing was deleted.", err=True)
        raise click.exceptions.Exit(DECLINED)
    delete(store, doomed)
    click.echo(f"Deleted {what}.")


@command.command("mlflow")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--print", "only_print", is_flag=True, help="Print the command line, do not run it.")
@STORE
def open_mlflow(port: int, only_print: bool, folder: Path | None) -> None:
    """Serve the MLflow pages of the runs that were tracked here, until Ctrl-C."""
    import shlex
    import subprocess

    from pipelines.tracking import TrackingPlace, is_installed
    from pipelines.tracking.place import QUIET

    with opened(folder) as store:
        place = TrackingPlace(store.folder / "mlflow")
    if not place.artifacts.is_dir():
        raise UsageError("no run was tracked here", hint="`sagedag run PATH --mlflow` tracks one")
    line = place.command(port)
    if only_print:
        click.echo(shlex.join(line))
        return
    if not is_installed():
        raise UsageError("MLflow is not installed", hint='pip install "mlflow>=3"')
    click.echo(f"MLflow at http://127.0.0.1:{port}; Ctrl-C ends it.")
    raise click.exceptions.Exit(subprocess.call(line, env={**os.environ, **QUIET}))
