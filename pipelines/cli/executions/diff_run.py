"""``sagedag diff-run``: two executions side by side."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.target import Target, find_target
from pipelines.cli.options import environment_options, use_color
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.cloud.executions.comparing import Comparison, Side


@click.command(
    epilog="""\b
Examples:
  sagedag diff-run pulsar --env dev                         # the last two
  sagedag diff-run pulsar/4npwdaw1lue9 8lzxk2c1 --env dev   # the second of the same pipeline
  sagedag diff-run pulsar/4npwdaw1lue9 pulsar --env dev --json

Parameters, how the definition changed in between, how each step ended, how long it took, whether
its result was reused, and the last metrics of training jobs."""
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
@environment_options
@aws_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(before: str, after: str | None, **options: Any) -> None:
    """Compare execution A with execution B; of a pipeline's name alone, the last two."""
    from pipelines.cloud.executions.comparing import compare_executions
    from pipelines.deployment.naming import KindNames

    target = find_target(before, options)
    arns = _pair(target, after)
    found = compare_executions(target.clients, *arns, KindNames())
    if options["as_json"]:
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
        return
    color = use_color(sys.stdout)
    for text in _lines(found, color):
        click.echo(text, color=color)


def _pair(target: Target, after: str | None) -> tuple[str, str]:
    from pipelines.cloud.executions.reading import (
        Named,
        find_execution,
        invocation,
        list_executions,
    )
    from pipelines.cloud.executions.records import pipeline_of

    clients, named = target.clients, target.named
    if after is None:
        if target.is_execution:
            raise UsageError("compare it with which?", "name a second execution, or the pipeline")
        found = list_executions(clients, named.pipeline, limit=2)
        if len(found) < 2:
            raise UsageError(
                f"pipeline `{named.pipeline}` has {len(found)} executions; comparing takes two",
                f"start it: {invocation(clients, 'start', named.pipeline)}",
            )
        return found[1].arn, found[0].arn
    first = find_execution(clients, named)
    if after.startswith("arn:"):
        second = Named(pipeline_of(after), arn=after)
    else:
        name, _, identifier = after.rpartition("/")
        if not name and identifier == named.pipeline:
            identifier = "latest"
        second = Named(name or named.pipeline, "" if identifier == "latest" else identifier)
    return first, find_execution(clients, second)


def _document(found: Comparison) -> dict[str, Any]:
    from pipelines.cli.executions.lines import document
    from pipelines.cloud.masking import masked

    return {
        "before": document(found.before),
        "after": document(found.after),
        "parameters": masked(found.parameters),
        "definition": None
        if found.changes is None
        else {
            "changes": [asdict(each) for each in found.changes.changes],
            "code": [list(each) for each in found.changes.code],
        },
        "steps": [asdict(each) for each in found.steps],
    }


def _lines(found: Comparison, color: bool) -> Iterator[str]:
    from pipelines.cli.executions.lines import moment, now, state
    from pipelines.local.views.words import columns, duration

    rows: list[tuple[str, ...]] = [("", found.before.id, found.after.id)]
    sides = (found.before, found.after)
    rows.append(("Status", *(state(each.status) for each in sides)))
    rows.append(("Started", *(moment(each.started) for each in sides)))
    taken = [each.seconds(now()) for each in sides]
    rows.append(("Took", *(duration(each) if each is not None else "?" for each in taken)))
    if any(each.version is not None for each in sides):
        rows.append(("Version", *(str(each.version or "?") for each in sides)))
    yield from columns(rows)
    yield ""
    yield from _parameters(found)
    yield from _definition(found, color)
    yield "Steps"
    table = [
        (each.name, _side(each.before), _side(each.after), _faster(each.before, each.after))
        for each in found.steps
    ]
    yield from columns(table, indent="  ")
    yield from _metrics(found)


def _parameters(found: Comparison) -> Iterator[str]:
    from pipelines.cloud.wording import shown

    if not found.parameters:
        yield "Parameters: the same"
        return
    yield "Parameters"
    for name, (before, after) in found.parameters.items():
        was = shown(before, name) if before is not None else "-"
        now = shown(after, name) if after is not None else "-"
        yield f"  {name}: {was} → {now}"


def _definition(found: Comparison, color: bool) -> Iterator[str]:
    from pipelines.cloud.views.lines import Line, change_line
    from pipelines.cloud.views.text import render_lines

    if found.changes is None:
        yield "Definition: it can't be had of both"
    elif not found.changes.any:
        yield "Definition: the same"
    else:
        yield "Definition"
        for change in found.changes.changes:
            yield from render_lines([change_line(change)], color)
        for words, _, _ in found.changes.code:
            yield from render_lines([Line("~", f"{words}: other code", 1)], color)


def _side(side: Side) -> str:
    from pipelines.cloud.executions.records import execution_id
    from pipelines.local.views.words import duration

    if side.reused:
        return f"reused from {execution_id(side.reused)}"
    if not side.state:
        return "-"
    return f"{side.state} {duration(side.seconds)}" if side.seconds is not None else side.state


def _faster(before: Side, after: Side) -> str:
    if not before.seconds or after.seconds is None:
        return ""
    part = after.seconds / before.seconds - 1
    return f"{part:+.0%}" if abs(part) >= 0.05 else ""


def _metrics(found: Comparison) -> Iterator[str]:
    from pipelines.local.views.words import columns, number

    rows = []
    for step in found.steps:
        old, new = step.before.metrics or {}, step.after.metrics or {}
        for name in dict.fromkeys([*old, *new]):
            was = number(old[name]) if name in old else "-"
            now = number(new[name]) if name in new else "-"
            change = f"{new[name] - old[name]:+.4g}" if name in old and name in new else ""
            rows.append((f"{step.name}: {name}", was, now, change))
    if rows:
        yield "Metrics"
        yield from columns(rows, indent="  ")
