"""Selective execution: some steps run, the results of the others come from another execution.

Source: AWS, "Selective execution of pipeline steps". There the chosen steps must hang together;
here they need not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.definition import Definition, Step, dependencies, step_references
from pipelines.definition.problems import nearest
from pipelines.errors import UsageError
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.options import Selection


@dataclass(frozen=True)
class Selected:
    """What a selective execution runs, and what it takes from where.

    Attributes:
        steps: the names of the steps that run.
        source: the execution that the others' results come from; None where none are needed.
        given: the records of those results, by step.
    """

    steps: frozenset[str]
    source: ExecutionRecord | None = None
    given: Mapping[str, StepRecord] | None = None


def select(
    definition: Definition,
    selection: Selection,
    history: History | None,
    pipeline: str,
    sample: int | None,
) -> Selected:
    """Decide what runs, and find the results of the rest.

    Args:
        definition: all steps.
        selection: what was asked for.
        history: the executions; None where nothing has run yet.
        pipeline: the pipeline's name.
        sample: the size of this run's sample; by default only a source with the same one counts.

    Raises:
        UsageError: there is no such step, nothing is selected, or no execution has the results
            that are needed; the message lists them.
    """
    graph = _Graph(definition)
    steps = graph.chosen(selection)
    needed = graph.needed(steps)
    source = _source(history, pipeline, selection.source, sample)
    if source is None:
        if needed:
            raise UsageError(
                f"no run of pipeline `{pipeline}` has succeeded here, and these results are "
                f"needed:\n{_listed(needed)}",
                "run the whole pipeline first, or name a run with --source RUN",
            )
        return Selected(steps)
    assert history is not None
    records = {
        record.name: record
        for record in history.steps(source.id)
        if record.status == "Succeeded"
        and record.name in definition.by_name
        and record.type == definition.by_name[record.name].type
    }
    missing = {name: users for name, users in needed.items() if name not in records}
    if missing:
        raise UsageError(
            f"run {source.id} has no results of steps that are needed:\n{_listed(missing)}",
            "select them too, or name another run with --source RUN",
        )
    upstream = graph.before(steps) - steps
    return Selected(steps, source, {name: records[name] for name in upstream if name in records})


def _source(
    history: History | None, pipeline: str, text: str, sample: int | None
) -> ExecutionRecord | None:
    if history is None:
        return None
    if text and text != "latest":
        record = history.find(text)
        if record.pipeline != pipeline:
            raise UsageError(f"run {record.id} is one of pipeline `{record.pipeline}`")
        return record
    for record in history.executions(pipeline=pipeline):
        succeeded = record.status == "Succeeded" or (text == "latest" and record.ended)
        if succeeded and (record.options or {}).get("sample") == sample:
            return record
    return None


def _listed(needed: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"  {name}, for {', '.join(users)}" for name, users in needed.items())


class _Graph:
    """What comes before and after what."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._before: dict[str, set[str]] = {}
        self._after: dict[str, set[str]] = {step.name: set() for step in definition.steps}
        for name, edges in dependencies(definition).items():
            branch = definition.by_name[name].branch
            self._before[name] = {edge.step for edge in edges}
            self._before[name] |= {branch.condition} if branch else set()
            for other in self._before[name]:
                self._after[other].add(name)

    def chosen(self, selection: Selection) -> frozenset[str]:
        """Return the steps that a selection means."""
        for name in (*selection.only, *selection.start, *selection.end):
            self._check(name)
        found: set[str] = set()
        if selection.start or selection.end:
            found = set(self._definition.by_name)
        if selection.start:
            found &= self.after(selection.start)
        if selection.end:
            found &= self.before(selection.end) | set(selection.end)
        found |= self._with_branches(selection.only)
        if not found:
            raise UsageError(
                "nothing is selected: no step lies between "
                f"{', '.join(selection.start)} and {', '.join(selection.end)}"
            )
        return frozenset(found)

    def needed(self, steps: Iterable[str]) -> dict[str, list[str]]:
        """Return the steps whose results chosen ones refer to, with those that do."""
        found: dict[str, list[str]] = {}
        chosen = set(steps)
        for step in self._definition.steps:
            if step.name not in chosen:
                continue
            for name in _referred(step, self._definition):
                if name not in chosen:
                    found.setdefault(name, []).append(step.name)
        return found

    def before(self, names: Iterable[str]) -> set[str]:
        """Return all that comes before some steps, they themselves where one needs another."""
        return _reach(names, self._before)

    def after(self, names: Iterable[str]) -> set[str]:
        """Return some steps and all that comes after them."""
        return set(names) | _reach(names, self._after)

    def _with_branches(self, names: Iterable[str]) -> set[str]:
        """Return some steps, with the steps inside those that are Conditions."""
        found = set(names)
        for step in self._definition.steps:
            if step.branch is not None and step.branch.condition in found:
                found.add(step.name)
        return found

    def _check(self, name: str) -> None:
        if name in self._definition.by_name:
            return
        for step in self._definition.steps:
            if name in {inner.name for inner in step.body}:
                raise UsageError(
                    f"the step `{name}` runs inside `{step.name}`", f"select {step.name}"
                )
        raise UsageError(
            f"there is no step `{name}`" + nearest(name, self._definition.by_name),
            f"the steps are: {', '.join(list(self._definition.by_name)[:40])}",
        )


def _reach(names: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    rest = list(names)
    while rest:
        for other in edges[rest.pop()]:
            if other not in found:
                found.add(other)
                rest.append(other)
    return found


def _referred(step: Step, definition: Definition) -> dict[str, None]:
    """The steps that a step's arguments, or its body's, refer to."""
    return {
        reference.name: None
        for each in (step, *step.body)
        for _, reference in step_references(each)
        if reference.root == "Steps" and reference.name in definition.by_name
    }
