"""Which step waits for which: explicit dependencies, references and branches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.definition.expressions import references
from pipelines.definition.model import Definition, Dependency, Step
from pipelines.definition.references import Reference


def dependencies(definition: Definition) -> dict[str, tuple[Dependency, ...]]:
    """Compute the edges into every step.

    An explicit ``DependsOn`` entry keeps its trigger even where the step also refers to the
    other one. The Condition step around a branch is not an edge here: see ``Step.branch``. A
    ForEach waits for what its body needs from outside.

    Returns:
        For each step's name, in document order, what it waits for; each other step once for each
        trigger, in order of appearance.

    Raises:
        ExpressionError: an expression is malformed (not after ``read_definition``).
    """
    names = frozenset(definition.by_name)
    return {step.name: _edges(step, names) for step in definition.steps}


def body_dependencies(loop: Step) -> dict[str, tuple[Dependency, ...]]:
    """Compute the edges between the steps of a ForEach's body: within one round.

    Raises:
        ExpressionError: as :func:`dependencies`.
    """
    names = frozenset(step.name for step in loop.body)
    return {step.name: _edges(step, names) for step in loop.body}


def step_references(step: Step) -> Iterator[tuple[str, Reference]]:
    """Find every reference in a step's arguments and further members, not in its body.

    Yields:
        The JSON pointer of the reference, and the reference.

    Raises:
        ExpressionError: the first malformed expression.
    """
    yield from references(step.arguments, f"{step.pointer}/Arguments")
    yield from references(step.members, step.pointer)


def _edges(step: Step, names: frozenset[str]) -> tuple[Dependency, ...]:
    declared = [edge for edge in step.depends_on if edge.step in names]
    for inner in step.body:
        declared += [edge for edge in inner.depends_on if edge.step in names]
    found = dict.fromkeys(declared)
    explicit = {edge.step for edge in declared}
    for each in (step, *step.body):
        for _, reference in step_references(each):
            if reference.root != "Steps" or reference.name in explicit:
                continue
            if reference.name in names and reference.name != step.name:
                found[Dependency(reference.name)] = None
    return tuple(found)


def find_cycle(steps: Iterable[Step], edges: Mapping[str, tuple[Dependency, ...]]) -> list[str]:
    """Find steps that wait for each other.

    A step of a branch also waits for its Condition step.

    Returns:
        The names around one cycle, the first one repeated at the end; empty where there is none.
    """
    before = {
        step.name: [edge.step for edge in edges[step.name]]
        + ([step.branch.condition] if step.branch else [])
        for step in steps
    }
    done: set[str] = set()
    for start in before:
        cycle = _cycle_from(start, before, done)
        if cycle:
            return cycle
    return []


def _cycle_from(start: str, before: Mapping[str, list[str]], done: set[str]) -> list[str]:
    """Search depth first from ``start`` without recursion; ``done`` grows."""
    if start in done:
        return []
    trail: list[str] = [start]
    on_trail = {start}
    rest = [iter(before[start])]
    while trail:
        name = next(rest[-1], None)
        if name is None:
            rest.pop()
            last = trail.pop()
            on_trail.discard(last)
            done.add(last)
        elif name in on_trail:
            # The trail runs against time (each waits for the next); a reader wants it forwards.
            return [name, *reversed(trail[trail.index(name) :])]
        elif name not in done and name in before:
            trail.append(name)
            on_trail.add(name)
            rest.append(iter(before[name]))
    return []
