"""What differs between the schedules a definition asks for and those there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.cloud.plan import Call, Change
from pipelines.cloud.schedules import PIPELINE_ARN, Schedule, schedule_request
from pipelines.cloud.state import Deployed
from pipelines.cloud.wanted import Wanted
from pipelines.cloud.wording import shown


@dataclass(frozen=True)
class ScheduleChanges:
    """Lines of difference, and the calls that make it so."""

    changes: tuple[Change, ...] = ()
    calls: tuple[Call, ...] = ()


def compare_schedules(
    wanted: Wanted, deployed: Deployed | None, group: str, settings: Mapping[str, Any]
) -> ScheduleChanges:
    """Return how a pipeline's schedules become those of its definition.

    Args:
        group: the schedules' group.
        settings: the pipeline's; its role is what EventBridge Scheduler assumes.
    """
    changes: list[Change] = []
    calls: list[Call] = []
    left = dict(deployed.schedules) if deployed is not None else {}
    for name, given in wanted.schedules.items():
        request = schedule_request(
            wanted.name,
            name,
            given,
            group=group,
            arn=deployed.arn if deployed is not None else PIPELINE_ARN,
            role=str(settings.get("RoleArn", "")),
        )
        label = f"schedule {group}/{request['Name']}"
        there = left.pop(request["Name"], None)
        if there is None:
            position = wanted.sources.position("schedules", name)
            changes.append(Change("+", f"schedules.{name}", "", _summary(request), position))
            calls.append(Call("scheduler:CreateSchedule", label, request))
        elif differing := tuple(_differences(name, there, request, wanted)):
            changes += differing
            calls.append(Call("scheduler:UpdateSchedule", label, request))
    for gone, schedule in left.items():
        own = gone.removeprefix(f"{wanted.name}.")
        position = wanted.sources.position("schedules", own)
        changes.append(Change("-", f"schedules.{own}", _summary(schedule.request), "", position))
        request = {"GroupName": group, "Name": gone}
        calls.append(Call("scheduler:DeleteSchedule", f"schedule {group}/{gone}", request))
    return ScheduleChanges(tuple(changes), tuple(calls))


def _differences(
    name: str, there: Schedule, request: Mapping[str, Any], wanted: Wanted
) -> Iterable[Change]:
    before, after = _facts(there.request), _facts(request)
    for member in after:
        if before[member] != after[member]:
            words = f"schedules.{name}" + (f".{member}" if member != "when" else "")
            position = wanted.sources.position("schedules", name, member)
            if member == "parameters":
                told = _given(there.request, shown), _given(request, shown)
                yield Change("~", words, *told, position)
                continue
            yield Change("~", words, before[member], after[member], position)


def _facts(request: Mapping[str, Any]) -> dict[str, str]:
    return {
        "when": str(request.get("ScheduleExpression", "")),
        "timezone": str(request.get("ScheduleExpressionTimezone") or "UTC"),
        "enabled": "false" if request.get("State") == "DISABLED" else "true",
        "parameters": _given(request, lambda value, _: str(value)),
        "role": str(request.get("Target", {}).get("RoleArn", "")),
    }


def _given(request: Mapping[str, Any], said: Callable[[Any, str], str]) -> str:
    """Return a schedule's parameters in words; ``said`` tells a value, and its name."""
    target = request.get("Target", {})
    listed = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList", [])
    named = sorted(listed, key=_name)
    return ", ".join(f"{e['Name']}={said(e['Value'], e['Name'])}" for e in named) or "none"


def _name(parameter: Mapping[str, Any]) -> str:
    return str(parameter.get("Name"))


def _summary(request: Mapping[str, Any]) -> str:
    facts = _facts(request)
    more = [facts["when"]]
    if facts["timezone"] != "UTC":
        more.append(facts["timezone"])
    if facts["enabled"] == "false":
        more.append("switched off")
    if facts["parameters"] != "none":
        more.append(f"with {_given(request, shown)}")
    return " ".join(more)
