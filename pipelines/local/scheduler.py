"""Which step may start next: the state of a run's graph, without threads, clocks or jobs."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pipelines.definition import Branch, Definition, Dependency, dependencies

WAITING, READY, RUNNING, LEFT_OUT = "Waiting", "Ready", "Running", "LeftOut"
SUCCEEDED, FAILED, STOPPED = "Succeeded", "Failed", "Stopped"
ENDED = frozenset({SUCCEEDED, FAILED, STOPPED})

_TRIGGERED_BY = {
    "Completed": frozenset({SUCCEEDED}),
    "Failed": frozenset({FAILED}),
    "Stopped": frozenset({STOPPED}),
    "Any": ENDED,
}


@dataclass
class _Loop:
    """A ForEach step whose rounds run.

    Attributes:
        limit: how many of its steps may run at once.
        left: how many of them have neither ended nor been left out.
        running: how many of them run or are about to.
        held: those that are ready and wait for the limit.
    """

    limit: int
    left: int
    running: int = 0
    held: deque[str] = field(default_factory=deque)


class Scheduler:
    """Steps and what they wait for.

    A step starts when every dependency has ended as its trigger asks (AND) and, inside a branch,
    its Condition has chosen that branch. A step whose dependencies can no longer be met is left
    out, and so is what depends on it.

    A ForEach gives way to the steps of its rounds (:meth:`expand`) and ends when they have ended.

    [U] After a step fails that nobody waits for by a run condition, nothing new starts; what runs
    goes on to its end. The service documents neither this nor what Fail does to other steps. A
    failed step of a round ends neither the other rounds nor the run: its ForEach does.

    Args:
        definition: the steps.
        chosen: the names of those that run; what others would have given counts as there. None
            for all.
    """

    def __init__(self, definition: Definition, chosen: Collection[str] | None = None) -> None:
        names = [s.name for s in definition.steps if chosen is None or s.name in chosen]
        all_edges = dependencies(definition)
        self._edges: dict[str, tuple[Dependency, ...]] = {}
        self._branch: dict[str, Branch | None] = {}
        self._types = {step.name: step.type for step in definition.steps}
        self.states: dict[str, str] = {}
        self._open: dict[str, int] = {}
        self._dependents: dict[str, list[tuple[str, Dependency]]] = {name: [] for name in names}
        self._inside: dict[str, list[str]] = {}
        self._loops: dict[str, _Loop] = {}
        self._loop_of: dict[str, str] = {}
        self._ready: deque[str] = deque()
        self._concluded: deque[str] = deque()
        self._running = 0
        self.halted = False
        for name in names:
            branch = definition.by_name[name].branch
            inside = branch is not None and branch.condition in self._dependents
            edges = tuple(edge for edge in all_edges[name] if edge.step in self._dependents)
            self._add(name, edges, branch if inside else None)
        for name in names:
            self._release(name)

    def _add(self, name: str, edges: tuple[Dependency, ...], branch: Branch | None) -> None:
        self._edges[name] = edges
        self._branch[name] = branch
        self.states[name] = WAITING
        self._open[name] = len(edges) + (branch is not None)
        for edge in edges:
            self._dependents[edge.step].append((name, edge))
        if branch is not None:
            self._inside.setdefault(branch.condition, []).append(name)

    @property
    def running(self) -> int:
        """How many steps run; a ForEach whose rounds run is not counted."""
        return self._running

    @property
    def ready(self) -> bool:
        """Whether a step may start now."""
        return not self.halted and bool(self._ready)

    def waits_for(self, name: str) -> list[str]:
        """Return the steps that a step waits for, its Condition and its ForEach among them."""
        branch, loop = self._branch[name], self._loop_of.get(name)
        more = [branch.condition] if branch else []
        return [edge.step for edge in self._edges[name]] + more + ([loop] if loop else [])

    def next(self) -> str | None:
        """Take the next step to start; None where none may start now."""
        if not self.ready:
            return None
        name = self._ready.popleft()
        self.states[name] = RUNNING
        self._running += 1
        return name

    def expand(self, name: str, steps: Mapping[str, tuple[Dependency, ...]], limit: int) -> None:
        """Put the steps of its rounds in a running ForEach's place.

        Args:
            name: the ForEach step; it is concluded once all of them have ended.
            steps: for each new step, the edges to others of them.
            limit: how many of them may run at once.
        """
        self._running -= 1
        self._loops[name] = _Loop(limit, len(steps))
        for inner in steps:
            self._dependents[inner] = []
            self._loop_of[inner] = name
        for inner, edges in steps.items():
            self._add(inner, edges, None)
        for inner in steps:
            self._release(inner)
        if not steps:
            self._concluded.append(name)

    def concluded(self) -> str | None:
        """Take a ForEach step whose rounds are over, for :meth:`end` to end it.

        Where nothing more will start and nothing runs, that is every one that is open.
        """
        if not self._concluded and self.halted and not self._running:
            self._concluded.extend(name for name in self._loops if self.states[name] == RUNNING)
        if not self._concluded:
            return None
        name = self._concluded.popleft()
        del self._loops[name]
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
        if name in self._loop_of:
            self._end_in_loop(name)
        elif status != SUCCEEDED and (not handled or self._types[name] == "Fail"):
            self.halt()

    def halt(self) -> None:
        """Start nothing more."""
        self.halted = True

    def result(self) -> str:
        """Return how the execution ended, as PipelineExecutionStatus has it, once nothing runs.

        A failure that another step ran on (a run condition) leaves CompletedWithFailures; any
        other, and a Fail step, leaves Failed. [U] A step that was stopped counts as a failed one.
        """
        bad = [
            name
            for name, state in self.states.items()
            if state in (FAILED, STOPPED) and name not in self._loop_of
        ]
        if all(self._types[name] != "Fail" and self._answered(name) for name in bad):
            return "CompletedWithFailures" if bad else "Succeeded"
        return "Failed"

    def _answered(self, name: str) -> bool:
        """Whether a step ran because this one did not succeed."""
        return any(
            self.states[dependent] in ENDED and self.states[name] in _TRIGGERED_BY[edge.trigger]
            for dependent, edge in self._dependents[name]
        )

    def _end_in_loop(self, name: str) -> None:
        loop = self._loops[self._loop_of[name]]
        loop.running -= 1
        self._count_down(name)
        if loop.held:
            loop.running += 1
            self._ready.append(loop.held.popleft())

    def _count_down(self, name: str) -> None:
        parent = self._loop_of[name]
        loop = self._loops[parent]
        loop.left -= 1
        if loop.left == 0:
            self._concluded.append(parent)

    def _meet(self, name: str) -> None:
        if self.states[name] == WAITING:
            self._open[name] -= 1
            self._release(name)

    def _release(self, name: str) -> None:
        if self._open[name] != 0 or self.states[name] != WAITING:
            return
        self.states[name] = READY
        loop = self._loops.get(self._loop_of.get(name, ""))
        if loop is None:
            self._ready.append(name)
        elif loop.running < loop.limit:
            loop.running += 1
            self._ready.append(name)
        else:
            loop.held.append(name)

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
            if name in self._loop_of:
                self._count_down(name)
