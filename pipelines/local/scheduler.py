"""Which step may start next: the state of a run's graph, without threads, clocks or jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipelines.definition import Definition, Dependency, dependencies

WAITING, READY, RUNNING, LEFT_OUT = "Waiting", "Ready", "Running", "LeftOut"
SUCCEEDED, FAILED, STOPPED = "Succeeded", "Failed", "Stopped"
ENDED = frozenset({SUCCEEDED, FAILED, STOPPED})

_TRIGGERED_BY = {
    "Completed": frozenset({SUCCEEDED}),
    "Failed": frozenset({FAILED}),
    "Stopped": frozenset({STOPPED}),
    "Any": ENDED,
}


class Scheduler:
    """Steps and what they wait for.

    A step starts when every dependency has ended as its trigger asks (AND) and, inside a branch,
    its Condition has chosen that branch. A step whose dependencies can no longer be met is left
    out, and so is what depends on it.

    [U] After a step fails that nobody waits for by a run condition, nothing new starts; what runs
    goes on to its end. The service documents neither this nor what Fail does to other steps.
    """

    def __init__(self, definition: Definition) -> None:
        self._edges = dependencies(definition)
        self._branch = {step.name: step.branch for step in definition.steps}
        self._types = {step.name: step.type for step in definition.steps}
        self.states = dict.fromkeys(self._edges, WAITING)
        self._open = {
            name: len(edges) + (self._branch[name] is not None)
            for name, edges in self._edges.items()
        }
        self._dependents: dict[str, list[tuple[str, Dependency]]] = {
            name: [] for name in self._edges
        }
        for name, edges in self._edges.items():
            for edge in edges:
                self._dependents[edge.step].append((name, edge))
        self._inside: dict[str, list[str]] = {}
        for name, branch in self._branch.items():
            if branch is not None:
                self._inside.setdefault(branch.condition, []).append(name)
        self._ready: deque[str] = deque()
        self._running = 0
        self.halted = False
        for name in self._edges:
            self._release(name)

    @property
    def running(self) -> int:
        """How many steps run."""
        return self._running

    def next(self) -> str | None:
        """Take the next step to start; None where none may start now."""
        if self.halted or not self._ready:
            return None
        name = self._ready.popleft()
        self.states[name] = RUNNING
        self._running += 1
        return name

    def end(self, name: str, status: str, outcome: bool | None = None) -> None:
        """Record how a running step ended.

        Args:
            name: the step.
            status: Succeeded, Failed or Stopped.
            outcome: which branch a Condition step chose.
        """
        self._running -= 1
        self.states[name] = status
        for inner in self._inside.get(name, ()):
            branch = self._branch[inner]
            if status == SUCCEEDED and branch is not None and branch.taken_when == outcome:
                self._meet(inner)
            else:
                self._leave_out([inner])
        handled = False
        for dependent, edge in self._dependents[name]:
            if status in _TRIGGERED_BY[edge.trigger]:
                self._meet(dependent)
                handled = handled or self.states[dependent] in (WAITING, READY)
            else:
                self._leave_out([dependent])
        if status != SUCCEEDED and (not handled or self._types[name] == "Fail"):
            self.halt()

    def halt(self) -> None:
        """Start nothing more."""
        self.halted = True

    def result(self) -> str:
        """Return how the execution ended, as PipelineExecutionStatus has it, once nothing runs.

        A failure that another step ran on (a run condition) leaves CompletedWithFailures; any
        other, and a Fail step, leaves Failed. [U] A step that was stopped counts as a failed one.
        """
        bad = [name for name, state in self.states.items() if state in (FAILED, STOPPED)]
        if all(self._types[name] != "Fail" and self._answered(name) for name in bad):
            return "CompletedWithFailures" if bad else "Succeeded"
        return "Failed"

    def _answered(self, name: str) -> bool:
        """Whether a step ran because this one did not succeed."""
        return any(
            self.states[dependent] in ENDED and self.states[name] in _TRIGGERED_BY[edge.trigger]
            for dependent, edge in self._dependents[name]
        )

    def _meet(self, name: str) -> None:
        if self.states[name] == WAITING:
            self._open[name] -= 1
            self._release(name)

    def _release(self, name: str) -> None:
        if self._open[name] == 0 and self.states[name] == WAITING:
            self.states[name] = READY
            self._ready.append(name)

    def _leave_out(self, names: Iterable[str]) -> None:
        """Leave out steps that can never start, and all that waits for them. [U]"""
        rest = list(names)
        while rest:
            name = rest.pop()
            if self.states[name] != WAITING:
                continue
            self.states[name] = LEFT_OUT
            rest.extend(self._inside.get(name, ()))
            rest.extend(dependent for dependent, _ in self._dependents[name])
