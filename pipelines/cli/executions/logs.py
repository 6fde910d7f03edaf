"""``sagedag logs``: what the jobs of an execution printed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.target import Target, find_target
from pipelines.cli.options import environment_options
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.cloud.executions.logs import Line
    from pipelines.cloud.executions.records import StepRecord


@click.command(
    epilog="""\b
Examples:
  sagedag logs pulsar --env dev                  # all steps of the latest execution
  sagedag logs pulsar train --env dev --tail 50
  sagedag logs pulsar/4npwdaw1lue9 train --env dev --follow
  sagedag logs pulsar --env dev --since 10m --json

With several steps every line begins with its step's name; lines of further machines and of
the trainings of a search begin with theirs. --follow ends with the execution.

EXECUTION is PIPELINE/ID, an ARN, an id alone, or a pipeline's name or its definition's
path: the latest of that pipeline."""
)
@click.argument("execution", metavar="EXECUTION")
@click.argument("step", metavar="[STEP]", required=False)
@environment_options
@aws_options
@click.option("-f", "--follow", is_flag=True, help="Go on as long as the execution does.")
@click.option(
    "--since",
    metavar="WHEN",
    default="",
    help="Only lines of the last 90s, 10m, 2h, 1d, or since a time.",
)
@click.option(
    "--tail",
    "count",
    type=click.IntRange(1),
    metavar="N",
    help="Only the last N lines of every step.",
)
@click.option("-t", "--timestamps", is_flag=True, help="Begin every line with its time.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for every line.")
def command(execution: str, step: str | None, **options: Any) -> int:
    """Print what the jobs of an execution printed: of all steps, or of one."""
    from pipelines.cloud.executions.reading import find_execution, read_steps

    if options["follow"] and options["count"]:
        raise UsageError("--follow and --tail exclude each other", "--since says where to begin")
    since = _since(options["since"])
    target = find_target(execution, options)
    arn = find_execution(target.clients, target.named)
    steps = read_steps(target.clients, arn)
    chosen = _chosen(target, arn, steps, step)
    write = _Writer(options, several=step is None)
    try:
        if options["follow"]:
            _follow(target, arn, chosen, since, write)
        else:
            _print(target, [each for each in steps if chosen(each)], since, options, write)
    except KeyboardInterrupt:
        return 130
    return 0


def _chosen(
    target: Target, arn: str, steps: Iterable[StepRecord], name: str | None
) -> Callable[[StepRecord], bool]:
    """Return whether a step is meant.

    Raises:
        UsageError: the execution has no such step.
    """
    from pipelines.cli.executions.following import run_definition
    from pipelines.definition.problems import nearest

    if name is None:
        return lambda _: True
    known = {word for each in steps for word in (each.name, each.label)}
    if name not in known:
        definition = run_definition(target, arn)
        later = {step.name for step in definition.steps} if definition is not None else set()
        if name not in later:
            raise UsageError(
                f"the execution has no step `{name}`" + nearest(name, known | later),
                f"its steps are: {', '.join(sorted(known | later)[:40]) or 'none yet'}",
            )
    return lambda each: name in (each.name, each.label)


def _print(
    target: Target,
    steps: Iterable[StepRecord],
    since: int | None,
    options: dict[str, Any],
    write: _Writer,
) -> None:
    from pipelines.cloud.executions.logs import read_lines, read_tail, sources_of

    listed = list(steps)
    if not listed:
        click.echo("It has not begun.", err=True)
    for step in listed:
        for job in step.jobs:
            if job.note:
                click.echo(f"{step.label}: {job.note}", err=True)
        for source in sources_of([step]):
            if options["count"]:
                lines: Iterable[Line] = read_tail(target.clients, source, options["count"])
                write([line for line in lines if since is None or line.moment >= since])
            else:
                for line in read_lines(target.clients, source, since=since):
                    write([line])
    if listed and not write.count:
        when = " since then" if since is not None else " yet"
        click.echo(f"CloudWatch has nothing that their jobs printed{when}.", err=True)


def _follow(
    target: Target,
    arn: str,
    chosen: Callable[[StepRecord], bool],
    since: int | None,
    write: _Writer,
) -> None:
    from pipelines.cli.executions.lines import state
    from pipelines.cloud.executions.logs import follow

    done = follow(target.clients, arn, write, chosen=chosen, since=since)
    click.echo(f"The execution has {state(done.status)}.", err=True)


class _Writer:
    """Writes lines: safe ones for people, objects for machines."""

    def __init__(self, options: dict[str, Any], *, several: bool) -> None:
        self._json, self._times = options["as_json"], options["timestamps"]
        self._several = several
        self.count = 0

    def __call__(self, lines: Iterable[Line]) -> None:
        from pipelines.local.views.words import clean

        for line in lines:
            self.count += 1
            when = datetime.fromtimestamp(line.moment / 1000, timezone.utc)
            if self._json:
                stamp = when.isoformat(timespec="milliseconds")
                made = {
                    "step": line.step,
                    "stream": line.stream,
                    "time": stamp,
                    "message": line.text,
                }
                click.echo(json.dumps(made, ensure_ascii=False))
                continue
            names = [line.step] if self._several else []
            names += [machine(line.stream)] if machine(line.stream) else []
            begin = f"{when.astimezone():%H:%M:%S} " if self._times else ""
            begin += f"{'/'.join(names)} | " if names else ""
            for text in line.text.splitlines() or [""]:
                click.echo(begin + clean(text))


_HOST = re.compile(r"(algo-\d+)(-\d+)?")


def machine(stream: str) -> str:
    """Return what tells a stream from others of its step; empty for the only or first machine.

    Streams are named by the machine and the time it began: ``algo-2-1700000000``; the trainings of
    a search bring their own number before it.
    """
    *before, last = stream.split("/")
    found = _HOST.fullmatch(last)
    host = found.group(1) if found else last
    return "/".join([*before, *([host] if host not in ("", "algo-1") else [])])


_AGO = re.compile(r"(\d+)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _since(text: str) -> int | None:
    """Return a moment in milliseconds.

    Raises:
        UsageError: it is none.
    """
    if not text:
        return None
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return int((time.time() - int(ago.group(1)) * _SECONDS[ago.group(2)]) * 1000)
    try:
        # Python 3.10 does not know the Z.
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(
            f"--since takes 90s, 10m, 2h, 1d or a time such as 2026-01-31T08:00, not `{text}`"
        ) from None
    return int(moment.timestamp() * 1000)
