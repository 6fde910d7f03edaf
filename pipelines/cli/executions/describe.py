"""``sagedag describe``: all about a deployed pipeline or an execution."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options
from pipelines.cli.executions.target import Target, find_target
from pipelines.cli.options import environment_options

if TYPE_CHECKING:
    from pipelines.cloud.executions.pipeline import Described
    from pipelines.cloud.executions.records import Execution


@click.command(
    epilog="""\b
Examples:
  sagedag describe pulsar --env dev              # the pipeline
  sagedag describe pulsar/4npwdaw1lue9 --env dev # an execution: parameters, jobs
  sagedag describe pulsar --env dev --json

Values whose names sound like secrets are masked, in the definition of --json as well. For a
faithful copy there is `aws sagemaker describe-pipeline`."""
)
@click.argument("name", metavar="NAME|PATH|EXECUTION")
@environment_options
@aws_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(name: str, **options: Any) -> None:
    """Tell all about a deployed pipeline, or about one of its executions."""
    from pipelines.cli.executions import lines
    from pipelines.cloud.executions.pipeline import describe_pipeline
    from pipelines.cloud.executions.reading import find_execution, read_execution

    target = find_target(name, options)
    if target.is_execution:
        arn = find_execution(target.clients, target.named)
        execution = read_execution(target.clients, arn, parameters=True)
        if options["as_json"]:
            click.echo(json.dumps(lines.document(execution), indent=2))
            return
        for text in _execution_lines(target, execution):
            click.echo(text)
        return
    found = describe_pipeline(target.clients, target.pipeline)
    if options["as_json"]:
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
        return
    for text in _pipeline_lines(found):
        click.echo(text)


def _execution_lines(target: Target, execution: Execution) -> Iterator[str]:
    from pipelines.cli.executions import lines
    from pipelines.cloud.executions.jobs import console_url, log_url
    from pipelines.cloud.wording import shown
    from pipelines.local.views.words import columns

    yield from lines.header(execution)
    more = [("ARN", execution.arn)]
    if execution.description:
        more.append(("Description", lines.safe(execution.description)))
    if execution.role:
        more.append(("Role", execution.role))
    if execution.parallel is not None:
        more.append(("At once", str(execution.parallel)))
    yield from columns(more)
    if execution.parameters:
        yield ""
        yield "Parameters"
        rows = [(name, shown(value, name)) for name, value in execution.parameters.items()]
        yield from columns(rows, indent="  ")
    for step in execution.steps:
        yield ""
        state, spent, note = lines.step_cells(step)
        took = f" in {spent}" if spent and step.is_over else ""
        yield f"{step.label}  {state}{took}" + (f": {note}" if note else "")
        for job in step.jobs:
            yield f"  {job.kind}  {job.arn}"
            url = console_url(job) or log_url(job, execution.region)
            if url:
                yield f"  {url}"
            if job.note:
                yield f"  {lines.safe(job.note)}"
        if any(job.group for job in step.jobs):
            yield f"  {target.command('logs', execution.arn, step.label)}"


def _pipeline_lines(found: Described) -> Iterator[str]:
    from pipelines.cli.executions import lines
    from pipelines.local.views.words import columns

    yield from columns(_about(found))
    for title, rows in (
        ("Parameters", _parameters(found)),
        ("Steps", _steps(found)),
        ("Schedules", _schedules(found)),
    ):
        if rows:
            yield ""
            yield title
            yield from columns(rows, indent="  ")
    yield ""
    if not found.executions:
        yield "It has not run yet."
        return
    yield "Latest executions"
    yield from columns(
        [
            (each.id, lines.state(each.status), lines.moment(each.started))
            for each in found.executions
        ],
        indent="  ",
    )


def _about(found: Described) -> Iterator[tuple[str, str]]:
    from pipelines.cli.executions import lines
    from pipelines.cloud import ownership

    there, tags = found.pipeline, found.pipeline.tags
    version = f"newest version {found.version}" if found.version is not None else ""
    aliases = ", ".join(f"{alias} → {number}" for alias, number in found.aliases.items())
    beside = "; ".join(filter(None, [version, aliases]))
    yield "Pipeline", there.name + (f" ({beside})" if beside else "")
    yield "ARN", there.arn
    description = str(there.settings.get("PipelineDescription") or "")
    if description:
        yield "Description", lines.safe(description)
    yield "Role", str(there.settings.get("RoleArn") or "?")
    parallel = (there.settings.get("ParallelismConfiguration") or {}).get(
        "MaxParallelExecutionSteps"
    )
    if parallel:
        yield "At once", str(parallel)
    if there.changed:
        yield "Changed", lines.safe(there.changed)
    own = ownership.owner(tags)
    if own:
        yield "Deployed by", own
        written = tags.get(ownership.DEFINITION, "?")
        commit = tags.get(ownership.COMMIT, "")
        yield "From", written + (f", commit {commit}" if commit else "")
    if there.is_drifted:
        yield "Drift", "changed by something else since the last deploy; see `sagedag plan`"


def _parameters(found: Described) -> list[tuple[str, ...]]:
    from pipelines.cloud.wording import shown

    rows: list[tuple[str, ...]] = []
    for each in found.definition.parameters if found.definition else ():
        default = shown(each.default, each.name) if each.default is not None else "(required)"
        allowed = f"one of {', '.join(map(str, each.enum))}" if each.enum else ""
        rows.append((each.name, each.type, default, allowed))
    return rows


def _steps(found: Described) -> list[tuple[str, ...]]:
    from pipelines.definition import dependencies

    if found.definition is None:
        return []
    edges = dependencies(found.definition)
    rows: list[tuple[str, ...]] = []
    for step in found.definition.steps:
        depth = 0
        branch = step.branch
        while branch is not None:
            depth += 1
            branch = found.definition.by_name[branch.condition].branch
        after = ", ".join(edge.step for edge in edges[step.name])
        rows.append(("  " * depth + step.name, step.type, f"after {after}" if after else ""))
    return rows


def _schedules(found: Described) -> list[tuple[str, ...]]:
    return [
        (
            name,
            str(each.request.get("ScheduleExpression", "")),
            str(each.request.get("ScheduleExpressionTimezone", "")),
            str(each.request.get("State", "")).lower(),
        )
        for name, each in sorted(found.pipeline.schedules.items())
    ]


def _document(found: Described) -> dict[str, Any]:
    from pipelines.cli.executions import lines
    from pipelines.cloud.masking import masked

    there = found.pipeline
    return {
        "name": there.name,
        "arn": there.arn,
        **{name[0].lower() + name[1:]: value for name, value in there.settings.items()},
        "changed": there.changed,
        "version": found.version,
        "aliases": dict(found.aliases),
        "drifted": there.is_drifted,
        "tags": masked(there.tags),
        "schedules": [masked(each.request) for _, each in sorted(there.schedules.items())],
        "definition": masked(there.definition),
        "executions": [
            {
                "arn": each.arn,
                "id": each.id,
                "status": each.status,
                "started": lines.stamp(each.started),
            }
            for each in found.executions
        ],
    }
