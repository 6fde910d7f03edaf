"""Waiting for an execution: drawing how it goes, and telling how it ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli.executions import lines
from pipelines.cli.executions.target import Target
from pipelines.cli.options import use_color
from pipelines.errors import AwsError

if TYPE_CHECKING:
    from pipelines.cli.executions.live import LiveWatcher
    from pipelines.cli.executions.plain import PlainWatcher
    from pipelines.cloud.executions.logs import Line
    from pipelines.cloud.executions.records import Execution, StepRecord
    from pipelines.definition import Definition

INTERRUPTED, FAILED = 130, 5
TIMED_OUT = 124
"""The exit code of ``timeout``, where it ended what it was to run (docs/decisions/0022)."""

GRACE_SECONDS = 1.0
"""What a call under way gets beyond ``--timeout``."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def timeout_option(function: Decorated) -> Decorated:
    """Add ``--timeout``, for :func:`wait_for`."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="Wait no longer than this (exit code 124); the execution goes on.",
    )(function)


def wait_for(
    target: Target, arn: str, *, err: bool = False, limit: float | None = None
) -> tuple[Execution | None, int]:
    """Draw an execution until it is over, and say how it ended.

    Ctrl-C ends the waiting, not the execution.

    Args:
        err: write to standard error; standard output is for machines.
        limit: for how many seconds at most.

    Returns:
        Its last state, None where the waiting was interrupted; and the exit code: 0 succeeded,
        5 failed or stopped, 124 not over in time, 130 interrupted.

    Raises:
        Refused: AWS could not be asked any more; the hint says how to wait again.
    """
    from pipelines.cloud.executions.records import RETRIED
    from pipelines.cloud.executions.watching import watch
    from pipelines.cloud.refusals import Refused

    def write(text: str) -> None:
        click.echo(text, err=err)

    again = target.command("wait", arn)
    definition = run_definition(target, arn)
    try:
        with _ending(limit), _watcher(definition, err=err) as watcher:
            # The table on a terminal says itself that AWS is silent.
            target.clients.waiting.notice = None
            execution = watch(target.clients, arn, watcher, limit=limit)
    except _TimeIsUp:
        _tell_of_going_on(target, arn, f"AWS gave no answer within {limit:g} seconds. ")
        return None, TIMED_OUT
    except KeyboardInterrupt:
        _tell_of_going_on(target, arn, "")
        return None, INTERRUPTED
    except Refused as refused:
        refused.hint = f"{refused.hint}; the execution goes on, wait for it again with `{again}`"
        raise
    if not execution.is_over:
        _tell_of_going_on(target, arn, f"It is not over after {limit:g} seconds. ")
        return execution, TIMED_OUT
    write("")
    write(lines.closing(execution))
    if execution.failure:
        for text in execution.failure.splitlines():
            write(f"  {lines.safe(text)}")
    tell_failures(target, execution, write)
    if execution.status != "Succeeded":
        write("")
        if execution.status in RETRIED:
            write(f"Run what failed again: {target.command('retry', arn)}")
        write(f"See it again: {target.command('status', arn)}")
    return execution, 0 if execution.status == "Succeeded" else FAILED


class _TimeIsUp(KeyboardInterrupt):
    """The time is up while a call is under way; it ends the command as Ctrl-C does."""


@contextmanager
def _ending(limit: float | None) -> Iterator[None]:
    """End the block some time after its limit, even in the middle of a call."""
    if limit is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, limit + GRACE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _tell_of_going_on(target: Target, arn: str, why: str) -> None:
    again = target.command("wait", arn)
    click.echo(f"\n{why}The execution goes on. Wait for it again: {again}", err=True)
    click.echo(f"Stop it: {target.command('stop', arn)}", err=True)


def _watcher(definition: Definition | None, *, err: bool) -> LiveWatcher | PlainWatcher:
    from pipelines.cli.executions.plain import PlainWatcher

    stream = sys.stderr if err else sys.stdout
    plain = os.environ.get("CI") or os.environ.get("TERM") in (None, "", "dumb")
    if plain or not use_color(stream):
        return PlainWatcher(lambda text: click.echo(text, err=err), definition)
    from rich.console import Console

    from pipelines.cli.executions.live import LiveWatcher

    return LiveWatcher(Console(stderr=err), definition)


def run_definition(target: Target, arn: str) -> Definition | None:
    """Return the definition that an execution runs; None where it can't be had."""
    from pipelines.cloud.executions.reading import read_run_definition

    return read_run_definition(target.clients, arn)


def tell_failures(target: Target, execution: Execution, write: Callable[[str], None]) -> None:
    """Write why steps failed, with the ends of their logs and where they were written."""
    if not execution.failed_steps:
        return
    places = written_places(target, execution)
    for step in execution.failed_steps:
        tail, note = _tail(target, step)
        place = places.get(step.name, "")
        logs = target.command("logs", execution.arn, step.name)
        for text in lines.failure(step, tail, place, logs, execution.region):
            write(text)
        if note:
            write(f"  {note}")


def _tail(target: Target, step: StepRecord) -> tuple[list[Line], str]:
    """Return the last lines of a step's log; a note where they can't be read."""
    from pipelines.cloud.executions.logs import TAIL_LINES, read_tail, sources_of

    found: list[Line] = []
    try:
        for source in sources_of([step]):
            found += read_tail(target.clients, source)
    except AwsError as refused:
        return [], f"Its log could not be read: {refused.message}"
    found.sort(key=lambda line: line.moment)
    return found[-TAIL_LINES:], ""


def written_places(target: Target, execution: Execution) -> Mapping[str, str]:
    """Return where the steps of an execution were written, as far as that is at hand."""
    from pipelines.deployment.step_lines import definition_file, step_lines

    arn = execution.arn.partition("/execution/")[0]
    what = f"tags of pipeline {execution.pipeline}"
    try:
        listed = target.clients.pages("sagemaker:ListTags", what, "Tags", ResourceArn=arn)
        tags = {str(tag["Key"]): str(tag["Value"]) for tag in listed}
    except AwsError:
        return {}
    file = definition_file(tags, target.folder)
    if file is None:
        return {}
    environment = target.environment or tags.get("sagedag:environment", "")
    return step_lines(file, execution.pipeline, environment or "local")
