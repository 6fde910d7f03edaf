"""One run of one definition: everything between the request and what is printed at the end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import use_color
from pipelines.cli.running.request import RunRequest, read_faults, read_parameters
from pipelines.cli.running.source import Source, load, publish
from pipelines.cli.running.tracked import check_tracking, tracked
from pipelines.errors import SagedagError, UsageError

if TYPE_CHECKING:
    from pipelines.definition import Definition
    from pipelines.local.history import ExecutionRecord
    from pipelines.local.observer import Observer
    from pipelines.local.options import RunOptions
    from pipelines.local.stopping import Stop
    from pipelines.local.store import Store
    from pipelines.local.upstream import Upstream

CODES = {"Succeeded": 0, "Stopped": 130}
"""Exit codes by how an execution ended; any other is 5."""


def run_once(
    path: str, request: RunRequest, stop: Stop, source: Source | None = None
) -> tuple[dict[str, Any], int]:
    """Run one definition and print what it came to.

    Args:
        path: what names it.
        request: what is asked for.
        stop: ends the run when requested.
        source: the definition where it has been read already.

    Returns:
        Its document for ``--json`` and the exit code.
    """
    from pipelines.definition.parameters import bind
    from pipelines.local.execute import execute
    from pipelines.local.isolation import choose
    from pipelines.local.store import open_store, place_store
    from pipelines.local.views.summary import document

    source = source or load(path, request)
    options = run_options(source, request)
    check_tracking(request)
    if request.shell:
        check_shell(source.definition, request.shell)
    # Nothing is made, not even the store, for a run that cannot start.
    if not request.resume:
        bind(source.definition.parameters, options.parameters)
    folder = (request.store_folder or place_store(source.root)).resolve()
    if not folder.exists():
        _check_beginning(source, options)
    isolation = choose(isolation_of(request))
    view = choose_view(request)
    with (
        _machine_trouble(),
        open_store(folder, on_wait=view.waiting, stop=stop.event) as store,
    ):
        publish(source.assets, store, source.base)
        if request.resume and (done := _done(store, source.name, options)) is not None:
            view.waiting(f"run {done.id} has succeeded; nothing is left to do")
            return document(store, done), 0
        if request.shell:
            options = with_shell(source, options, request, store)
        with tracked(source, request, store, options, view) as (options, observer):
            record = execute(
                source.definition,
                name=source.name,
                base=source.base,
                store=store,
                isolation=isolation,
                options=options,
                observer=observer,
                stop=stop,
            )
        if request.shell and record.status == "Stopped" and not stop.event.is_set():
            return document(store, record), 0
        if not request.as_json:
            print_end(store, record)
        return document(store, record), CODES.get(record.status, 5)


@contextlib.contextmanager
def _machine_trouble() -> Iterator[None]:
    """Tell what the machine refuses: a full disk, a folder that cannot be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SagedagError(
            f"this machine failed the run: {error}",
            "once that is mended, --resume goes on with a run that had begun",
        ) from None


def _check_beginning(source: Source, options: RunOptions) -> None:
    """Refuse what needs an earlier run where nothing has run yet.

    Raises:
        UsageError: there is no run to resume or to take results from.
    """
    from pipelines.local.resumption import find_resumable
    from pipelines.local.selecting import select

    if options.resume:
        find_resumable(None, source.name, options.resume)
    if options.selection:
        select(source.definition, options.selection, None, source.name, options.sample)


def _done(store: Store, pipeline: str, options: RunOptions) -> ExecutionRecord | None:
    """Return the run to resume where there is nothing to do any more."""
    from pipelines.local.history import History
    from pipelines.local.resumption import find_resumable

    record = find_resumable(History(store), pipeline, options.resume)
    return record if record.status == "Succeeded" else None


def run_options(source: Source, request: RunRequest) -> RunOptions:
    """Read a request for a definition.

    Raises:
        UsageError: it names something that the definition does not have.
    """
    from pipelines.local.environments import choose_environments
    from pipelines.local.identity import ACCOUNT, REGION
    from pipelines.local.options import RunOptions, Selection
    from pipelines.local.stand_ins import StandIns

    return RunOptions(
        account=source.identity.get("account", ACCOUNT),
        region=source.identity.get("region", REGION),
        parameters=read_parameters(source.definition, request),
        parallelism=request.parallel or source.parallelism,
        # Who watches wants what changed to run, whatever the definition says of caching.
        caching="off" if request.no_cache else "all" if request.watch else "definition",
        faults=read_faults(source.definition, request),
        stand_ins=source.stand_ins or StandIns(),
        service_cache=request.service_cache,
        selection=Selection(request.only, request.start, request.end, request.source),
        resume=(request.source or "latest") if request.resume else "",
        sample=request.sample,
        environments=choose_environments(request.job_env),
        upstream=_real_s3(source) if request.allow_s3 else None,
    )


def isolation_of(request: RunRequest) -> str:
    """Return the isolation's name: an image runs in its engine's container.

    Raises:
        UsageError: another isolation is asked for as well.
    """
    from pipelines.local.environments import ENGINES

    if request.job_env not in ENGINES:
        return request.isolation
    if request.isolation not in ("auto", "strict", request.job_env):
        raise UsageError(f"--job-env {request.job_env} is an isolation of its own")
    return request.job_env


def _real_s3(source: Source) -> Upstream:
    """Return S3 itself, with the user's own credentials; asked when something is read."""
    from pipelines.cloud.client import Place, connect
    from pipelines.cloud.objects import RemoteObjects

    place = Place("local", region=source.identity.get("region", ""))
    return RemoteObjects(lambda: connect(place), lambda line: click.echo(line, err=True))


def check_shell(definition: Definition, name: str) -> None:
    """Refuse a shell in a step that runs no job.

    Raises:
        UsageError: there is no such step, or it has no job of its own.
    """
    from pipelines.definition.problems import nearest

    step = definition.by_name.get(name)
    if step is None:
        raise UsageError(f"there is no step `{name}`" + nearest(name, definition.by_name))
    if step.type not in ("Processing", "Training"):
        raise UsageError(f"the step `{name}` is a {step.type} and runs no job of its own")


def with_shell(
    source: Source, options: RunOptions, request: RunRequest, store: Store
) -> RunOptions:
    """Have the step run alone on an earlier run's results; without any, after all it needs.

    Raises:
        UsageError: the run that was named has not what is needed.
    """
    from dataclasses import replace

    from pipelines.local.history import History
    from pipelines.local.options import Selection
    from pipelines.local.selecting import select

    alone = Selection(only=(request.shell,), source=request.source)
    try:
        select(source.definition, alone, History(store), source.name, options.sample)
    except UsageError:
        if request.source:
            raise
        alone = Selection(end=(request.shell,))
    return replace(options, selection=alone, shell=request.shell)


def print_end(store: Store, record: ExecutionRecord) -> None:
    """Print how a run ended."""
    from pipelines.local.views.summary import failure, summary

    color = None if use_color(sys.stdout) else False
    first, *rest = summary(store, record)
    shade = {"Succeeded": "green", "Stopped": "yellow"}.get(record.status, "red")
    click.echo("\n" + click.style(first, fg=shade, bold=True), color=color)
    if record.status in ("Succeeded", "CompletedWithFailures"):
        for line in rest:
            click.echo(line)
    for line in failure(store, record):
        click.echo(line)
    click.echo(f"\nMore: sagedag runs show {record.id}")
    if record.status in ("Failed", "Stopped"):
        click.echo("Go on: the same command with --resume; what succeeded is kept")


def choose_view(request: RunRequest) -> Observer:
    """Choose how to show the run: live on a terminal, else lines; on stderr where stdout is not
    ours alone."""
    from pipelines.local.views.plain import PlainView

    if request.as_json or request.shell:
        return PlainView(lambda line: click.echo(line, err=True))
    plain = os.environ.get("CI") or os.environ.get("TERM") in (None, "", "dumb")
    if plain or not sys.stdout.isatty():
        return PlainView(click.echo)
    from rich.console import Console

    from pipelines.local.views.live import LiveView

    return LiveView(Console())
