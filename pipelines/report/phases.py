"""Where a step's time went: waiting for a place, preparing, running, storing."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines.definition import Definition
from pipelines.definition.graph import dependencies
from pipelines.local.history import ExecutionRecord, StepRecord
from pipelines.report.model import Phase

_RUNS = (
    ("ProcessingStartTime", "ProcessingEndTime"),
    ("TrainingStartTime", "TrainingEndTime"),
    ("TransformStartTime", "TransformEndTime"),
)
_STORING = "Uploading"


def ready_times(
    definition: Definition, steps: Sequence[StepRecord], execution: ExecutionRecord
) -> dict[str, float]:
    """Return when each step had all it waits for, in seconds since 1970."""
    ends = {step.name: step.ended for step in steps if step.ended is not None}
    ready = {}
    waits = dependencies(definition)
    for step in definition.steps:
        needed = [edge.step for edge in waits[step.name]]
        if step.branch is not None:
            needed.append(step.branch.condition)
        ready[step.name] = max((ends[name] for name in needed if name in ends), default=0.0)
    return {name: max(when, execution.started) for name, when in ready.items()}


def phases_of(step: StepRecord, ready: float, origin: float) -> tuple[Phase, ...]:
    """Return the parts of a step's time, in order; starts count from ``origin``."""
    if step.ended is None:
        return ()
    waited = (step.phases or {}).get("waiting")
    if waited is not None:  # the time before a run was resumed is nobody's
        ready = max(ready, step.started - waited)
    marks = [("waiting", min(ready, step.started)), ("preparing", step.started)]
    told = step.properties if isinstance(step.properties, Mapping) else {}
    for start, end in _RUNS:
        begun, done = _seconds(told.get(start)), _stored_from(told, end)
        # What comes from the step cache was run by another execution.
        if begun is not None and done is not None and step.started <= begun <= done <= step.ended:
            marks += [("running", begun), ("storing", done)]
            break
    else:
        marks[1] = ("running", step.started)
    marks.append(("", step.ended))
    phases = []
    for (name, begin), (_, finish) in itertools.pairwise(marks):
        if finish - begin >= 0.001:
            phases.append(Phase(name, begin - origin, finish - begin))
    return tuple(phases)


def _stored_from(told: Mapping[str, Any], end: str) -> float | None:
    """Return when the job's process had ended and its outputs began to be stored."""
    for item in told.get("SecondaryStatusTransitions") or ():
        if isinstance(item, Mapping) and item.get("Status") == _STORING:
            return _seconds(item.get("StartTime"))
    return _seconds(told.get(end))


def _seconds(value: Any) -> float | None:
    return value.timestamp() if isinstance(value, datetime) else None
