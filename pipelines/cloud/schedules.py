"""Schedules: EventBridge Scheduler starts the pipeline by itself.

Only groups of schedules can have tags, so every repository and environment has a group of its own;
what is in it is this tool's. A schedule's name is made of the pipeline's and its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.cloud.client import Clients
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.refusals import Missing, Refused

PIPELINE_ARN = "{pipeline arn}"
"""Stands in a planned request for the ARN that CreatePipeline will answer."""

_LONGEST = 64
_OTHER = re.compile(r"[^0-9a-zA-Z\-_.]+")


@dataclass(frozen=True)
class Schedule:
    """A schedule as it is: the part of its request that this tool decides on."""

    name: str
    request: Mapping[str, Any] = field(repr=False)

    def belongs_to(self, arn: str) -> bool:
        """Whether it starts the pipeline of this ARN."""
        return bool(self.request["Target"]["Arn"] == arn)


def group_name(environment: str, repository: str) -> str:
    """Return the name of the group of a repository's schedules in an environment."""
    mark = hashlib.sha256(f"{environment}\0{repository}".encode()).hexdigest()[:8]
    return f"sagedag-{_fitting(environment, 40)}-{mark}"


def schedule_name(pipeline: str, name: str) -> str:
    """Return the name of one schedule: readable where it fits, unmistakable where it does not."""
    plain = f"{pipeline}.{name}"
    fitted = _fitting(plain, _LONGEST)
    if fitted == plain:
        return plain
    mark = hashlib.sha256(plain.encode()).hexdigest()[:8]
    return f"{_fitting(plain, _LONGEST - 9)}-{mark}"


def _fitting(text: str, most: int) -> str:
    return _OTHER.sub("-", text)[:most]


def schedule_request(
    pipeline: str, name: str, given: Mapping[str, Any], *, group: str, arn: str, role: str
) -> dict[str, Any]:
    """Return the CreateSchedule request of one schedule of a definition.

    Args:
        given: ``cron``, ``rate`` or ``at``, with ``timezone``, ``enabled``, ``parameters``.
        arn: the pipeline's ARN, or :data:`PIPELINE_ARN`.
        role: the role that EventBridge Scheduler assumes to start it: the pipeline's own.
    """
    target: dict[str, Any] = {"Arn": arn, "RoleArn": role}
    parameters = given.get("parameters") or {}
    if parameters:
        target["SageMakerPipelineParameters"] = {
            "PipelineParameterList": [
                {"Name": str(key), "Value": wire(value)} for key, value in parameters.items()
            ]
        }
    return {
        "Name": schedule_name(pipeline, name),
        "GroupName": group,
        "Description": f"Starts the pipeline {pipeline}: {name}"[:512],
        "ScheduleExpression": expression(given),
        "ScheduleExpressionTimezone": str(given.get("timezone") or "UTC"),
        "State": "DISABLED" if given.get("enabled") is False else "ENABLED",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }


def expression(given: Mapping[str, Any]) -> str:
    """Return when a schedule starts, as EventBridge Scheduler writes it."""
    for kind in ("cron", "rate", "at"):
        if given.get(kind):
            text = str(given[kind])
            return text if text.startswith(f"{kind}(") else f"{kind}({text})"
    return ""


def wire(value: Any) -> str:
    """Return a parameter's value as starts take it: a text."""
    return value if isinstance(value, str) else json.dumps(value)


_COMPARED = (
    "Name",
    "GroupName",
    "Description",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "State",
    "FlexibleTimeWindow",
)


@dataclass(frozen=True)
class Group:
    """The schedules of a group.

    Args:
        schedules: those that start one of the pipelines asked about.
        exists: whether there is the group; None where it could not be seen.
    """

    schedules: tuple[Schedule, ...] = ()
    exists: bool | None = None


def read_schedules(
    clients: Clients, group: str, arns: Collection[str], wanted: bool, notes: list[str]
) -> Group:
    """Return the schedules of a group that start one of these pipelines.

    Args:
        group: the group's name; empty: look at nothing.
        arns: the pipelines' ARNs.
        wanted: there are schedules to deploy. Otherwise a refusal is noted, not raised: nobody
            needs a permission for what he does not use.
        notes: gets the note.

    Raises:
        Refused: they could not be read, and are needed.
    """
    if not group:
        return Group()
    label = f"schedule group {group}"
    try:
        clients.call("scheduler:GetScheduleGroup", label, Name=group)
        listed = clients.pages(
            "scheduler:ListSchedules", label, "Schedules", GroupName=group, MaxResults=100
        )
        names = [
            str(each["Name"]) for each in listed if (each.get("Target") or {}).get("Arn") in arns
        ]
        found = in_parallel(lambda name: _read(clients, group, name), names)
        return Group(tuple(each for each in found if each is not None), True)
    except Missing:
        return Group((), False)
    except Refused as refused:
        if wanted:
            raise
        notes.append(f"schedules were not looked at: {refused.message}")
        return Group()


def _read(clients: Clients, group: str, name: str) -> Schedule | None:
    try:
        answer = clients.call(
            "scheduler:GetSchedule", f"schedule {group}/{name}", GroupName=group, Name=name
        )
    except Missing:
        return None
    made = {member: answer[member] for member in _COMPARED if answer.get(member)}
    target = answer.get("Target", {})
    kept = ("Arn", "RoleArn", "SageMakerPipelineParameters")
    made["Target"] = {member: target[member] for member in kept if target.get(member)}
    return Schedule(name, made)
