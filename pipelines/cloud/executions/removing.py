"""Deleting a pipeline with its schedules and executions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.cloud import ownership
from pipelines.cloud.client import Clients
from pipelines.cloud.executions.pipeline import existing, schedule_group
from pipelines.cloud.executions.reading import describe, list_executions
from pipelines.cloud.executions.records import Execution
from pipelines.cloud.executions.starting import LOOKED_BACK, stop
from pipelines.cloud.plan import Plan
from pipelines.cloud.planner import removal
from pipelines.cloud.state import read_state


@dataclass(frozen=True)
class Deletion:
    """What deleting a pipeline takes.

    Args:
        plan: the schedules and the pipeline.
        running: its executions that are under way: SageMaker deletes no pipeline that has some.
        count: how many of its executions would be gone, as far as they were counted.
    """

    plan: Plan
    running: tuple[Execution, ...]
    count: int


def plan_deletion(clients: Clients, name: str, tool: str) -> Deletion:
    """Return what deletes a pipeline; nothing is written.

    Its schedules are those of the group that the deploy made: which one that is, the pipeline's
    tags say. Others that start it are not touched.

    Raises:
        AwsError: there is no such pipeline, or a call was refused.
    """
    account = clients.check_account().account
    there = existing(clients, name)
    tags, group = there.tags, schedule_group(there.tags)
    state = read_state(clients, [name], group=group)
    deployed = state.pipelines[name] or there
    executions = list_executions(clients, name, limit=LOOKED_BACK)
    notes = []
    if executions:
        many = len(executions) == LOOKED_BACK
        count = f"{'more than ' if many else ''}{len(executions)}"
        plural = "execution" if len(executions) == 1 else "executions"
        notes.append(f"the record of its {count} {plural} goes with it; what they wrote stays")
    own = ownership.owner(tags)
    made = removal(deployed, group, f"deployed by {own}" if own else "nobody's by its tags", *notes)
    plan = Plan(
        clients.place.environment,
        account,
        clients.region,
        (made,),
        group=group if state.group else "",
        notes=state.notes,
        tool=tool,
    )
    running = tuple(each for each in executions if not each.is_over)
    return Deletion(plan, running, len(executions))


def stop_all(
    clients: Clients,
    executions: Sequence[Execution],
    sleep: Callable[[float], None] = time.sleep,
    pause: float = 3.0,
) -> None:
    """Stop executions and wait until they have stopped.

    Raises:
        Refused: a call was refused.
    """
    left = [each.arn for each in executions]
    for arn in left:
        stop(clients, arn)
    while left := [arn for arn in left if not describe(clients, arn).is_over]:
        sleep(pause)
