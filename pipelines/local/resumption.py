"""Going on with an execution that failed, was stopped or was killed.

Steps that had succeeded are kept; all others run again, in the same execution. A step is kept only
where it is still the same step and everything it waits for is kept too: what changed since runs
again, and so does what comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipelines.definition import Definition, Step, body_dependencies, dependencies, read_definition
from pipelines.errors import DefinitionError, UsageError
from pipelines.local.history import ExecutionRecord, History, StepRecord


@dataclass(frozen=True)
class Resumption:
    """An execution to go on with.

    Attributes:
        record: the execution as it ended.
        kept: the steps that need not run again, by name; those of ForEach rounds among them.
        position: the last position that a kept step has.
    """

    record: ExecutionRecord
    kept: Mapping[str, StepRecord]
    position: int

    @property
    def finished(self) -> bool:
        """Whether it had succeeded, so that nothing is left to do."""
        return self.record.status == "Succeeded"


def find_resumable(history: History | None, pipeline: str, text: str) -> ExecutionRecord:
    """Find the execution to go on with.

    Args:
        history: the executions; None where nothing has run yet.
        pipeline: the pipeline's name.
        text: an id or its beginning, an ARN; ``latest`` is the pipeline's latest.

    Raises:
        UsageError: there is none, or it is another pipeline's.
    """
    if history is None or text in ("", "latest"):
        found = history.executions(pipeline=pipeline, limit=1) if history else []
        if not found:
            raise UsageError(
                f"pipeline `{pipeline}` has not run here, so there is nothing to resume",
                "leave --resume out to run it",
            )
        return found[0]
    record = history.find(text)
    if record.pipeline != pipeline:
        raise UsageError(f"run {record.id} is one of pipeline `{record.pipeline}`")
    return record


def plan_resumption(
    definition: Definition, record: ExecutionRecord, history: History
) -> Resumption:
    """Decide which steps of an execution are kept."""
    try:
        before = read_definition(record.definition)
    except DefinitionError:
        # Read by an older version that was more lenient: then nothing is known to be the same.
        return Resumption(record, {}, 0)
    records = {step.name: step for step in history.steps(record.id)}
    kept = _Keeping(definition, before, records).kept()
    position = max((step.position for step in kept.values()), default=0)
    return Resumption(record, kept, position)


class _Keeping:
    """Finds the steps that can be kept.

    Args:
        definition: what is to run now.
        before: what ran.
        records: how its steps ended.
    """

    def __init__(
        self, definition: Definition, before: Definition, records: Mapping[str, StepRecord]
    ) -> None:
        self._definition = definition
        self._before = before
        self._records = records
        self._edges = dependencies(definition)
        self._known: dict[str, bool] = {}

    def kept(self) -> dict[str, StepRecord]:
        """Return the records of all that is kept."""
        found = {}
        for step in self._definition.steps:
            if self._keeps(step.name):
                found[step.name] = self._records[step.name]
            if step.type == "ForEach":
                found |= self._rounds(step, whole=step.name in found)
        return found

    def _keeps(self, name: str) -> bool:
        """Whether a step is kept; steps that wait for each other were refused before."""
        trail = [name]
        while trail:
            current = trail[-1]
            if current in self._known:
                trail.pop()
                continue
            unknown = [other for other in self._before_it(current) if other not in self._known]
            if unknown:
                trail.extend(unknown)
                continue
            self._known[current] = self._succeeded(current) and (
                self._records[current].selective_source is not None
                or (self._same(current) and self._ready(current))
            )
            trail.pop()
        return self._known[name]

    def _before_it(self, name: str) -> list[str]:
        branch = self._definition.by_name[name].branch
        inside = [branch.condition] if branch else []
        return [edge.step for edge in self._edges[name]] + inside

    def _succeeded(self, name: str) -> bool:
        return name in self._records and self._records[name].status == "Succeeded"

    def _ready(self, name: str) -> bool:
        """Whether all a step waits for is kept."""
        return all(self._known[other] for other in self._before_it(name))

    def _same(self, name: str) -> bool:
        old = self._before.by_name.get(name)
        return old is not None and _placeless(old) == _placeless(self._definition.by_name[name])

    def _rounds(self, loop: Step, *, whole: bool) -> dict[str, StepRecord]:
        """The kept steps of a ForEach's rounds; whether the items are the same is seen later."""
        old = self._before.by_name.get(loop.name)
        outside = all(self._keeps(other) for other in self._before_it(loop.name))
        if old is None or not outside:
            return {}
        same = {
            step.name
            for step in loop.body
            if any(_placeless(step) == _placeless(other) for other in old.body)
        }
        inner = body_dependencies(loop)
        found: dict[str, StepRecord] = {}
        mine = [
            record
            for record in self._records.values()
            if record.iteration and record.iteration.get("ParentStepName") == loop.name
        ]
        for record in sorted(mine, key=lambda each: each.position):
            name, _, index = record.name.rpartition("-")
            if whole or (
                record.status == "Succeeded"
                and name in same
                and all(f"{edge.step}-{index}" in found for edge in inner[name])
            ):
                found[record.name] = record
        return found


def _placeless(step: Step) -> Step:
    """A step without where it stands in the document, to compare it."""
    return replace(step, pointer="", body=tuple(_placeless(inner) for inner in step.body))
