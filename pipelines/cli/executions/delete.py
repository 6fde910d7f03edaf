"""``sagedag delete``: delete a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options, confirm
from pipelines.cli.executions.target import find_target
from pipelines.cli.options import environment_options, plural
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.cloud.executions.removing import Deletion


@click.command(
    epilog="""\b
Examples:
  sagedag delete pulsar --env dev
  sagedag delete pulsar --env dev --stop --yes

Its schedules go with it, and the record of its executions. What they wrote to S3, models and
endpoints stay. SageMaker deletes no pipeline while executions run: --stop stops them first.
To delete all that the project no longer defines: `sagedag upsert --prune`.

\b
Exit codes: 0 deleted, 1 not confirmed, 2 executions run, 4 AWS refused, 6 it was changed
meanwhile, 130 interrupted."""
)
@click.argument("name", metavar="NAME|PATH")
@environment_options
@aws_options
@click.option("--stop", "stopping", is_flag=True, help="Stop its executions first.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def command(name: str, **options: Any) -> int:
    """Delete the deployed pipeline NAME, or that of the definition at PATH."""
    from pipelines.cli.plan import show
    from pipelines.cli.upsert import Progress
    from pipelines.cloud.apply import apply_plan
    from pipelines.cloud.executions.removing import plan_deletion, stop_all
    from pipelines.deployment import tool_version

    target = find_target(name, options)
    if target.is_execution:
        raise UsageError(
            f"`{name}` is an execution, and executions can't be deleted",
            f"`sagedag delete {target.pipeline}` deletes the pipeline with all of them",
        )
    deletion = plan_deletion(target.clients, target.pipeline, tool_version())
    show(deletion.plan)
    _tell_running(deletion)
    if deletion.running and not options["stopping"]:
        raise UsageError(
            f"{len(deletion.running)} of its executions run; SageMaker deletes no pipeline then",
            "wait for them, or pass --stop to stop them first",
        )
    place = target.clients.place.environment
    confirm(f"\nDelete {target.pipeline} from {place}?", yes=options["yes"])
    click.echo()
    if deletion.running:
        stop_all(target.clients, deletion.running)
        click.echo(f"Stopped {plural(len(deletion.running), 'execution')}")
    apply_plan(target.clients, deletion.plan, Path.cwd(), Progress(deletion.plan))
    return 0


def _tell_running(deletion: Deletion) -> None:
    from pipelines.cli.executions.lines import moment, state

    for each in deletion.running:
        click.echo(f"Under way: {each.id}, {state(each.status)} since {moment(each.started)}")
