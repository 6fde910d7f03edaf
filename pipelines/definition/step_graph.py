"""What comes before and after which step, branches included: the ground of selections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.definition.graph import dependencies, step_references
from pipelines.definition.model import Definition, Step
from pipelines.definition.problems import nearest
from pipelines.errors import UsageError


class StepGraph:
    """The order of a definition's steps.

    A step of a branch comes after its Condition.

    Args:
        definition: all steps.
    """

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

    def before(self, names: Iterable[str]) -> set[str]:
        """Return all that comes before some steps, they themselves where one needs another."""
        return _reach(names, self._before)

    def after(self, names: Iterable[str]) -> set[str]:
        """Return some steps and all that comes after them."""
        return set(names) | _reach(names, self._after)

    def between(self, names: Iterable[str]) -> set[str]:
        """Return the steps on all paths between some steps, they themselves left out."""
        given = set(names)
        return (_reach(given, self._after) & _reach(given, self._before)) - given

    def with_branches(self, names: Iterable[str]) -> set[str]:
        """Return some steps, with the steps inside those that are Conditions."""
        found = set(names)
        for step in self._definition.steps:
            if step.branch is not None and step.branch.condition in found:
                found.add(step.name)
        return found

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

    def check(self, name: str) -> None:
        """Refuse a name that no step has.

        Raises:
            UsageError: there is no such step, or it runs inside a ForEach.
        """
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
