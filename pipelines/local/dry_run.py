"""A run that starts nothing: the order, the resolved arguments, and all that would fail."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.definition import Definition, Step, dependencies
from pipelines.definition.parameters import bind
from pipelines.errors import SagedagError
from pipelines.local.addresses import is_s3, split
from pipelines.local.cache import Cache, CacheError
from pipelines.local.conditions import ConditionError, evaluate_all
from pipelines.local.encoding import moment
from pipelines.local.foresight import (
    EXECUTION,
    ForeseenIdentity,
    ForeseenValues,
    Unknown,
    expression_type,
    holds_unknown,
)
from pipelines.local.handlers import Call, StepError
from pipelines.local.history import History
from pipelines.local.isolation import Isolation
from pipelines.local.objects import ObjectStore
from pipelines.local.observer import Observer
from pipelines.local.options import RunOptions
from pipelines.local.registry import Registry
from pipelines.local.requests import refusal
from pipelines.local.rounds import plan_rounds
from pipelines.local.s3 import LocalS3
from pipelines.local.selecting import Selected, select
from pipelines.local.step_run import Prepared, cache_key, prepare
from pipelines.local.store import Store
from pipelines.local.surroundings import Surroundings
from pipelines.local.values import ResolutionError

Fate = str
"""What would become of a step: ``runs``, ``reused``, ``perhaps`` (a branch that is not chosen
yet), ``left out`` or ``given`` (from the source of a selective execution)."""


@dataclass(frozen=True)
class Foreseen:
    """What would become of one step.

    Attributes:
        name: the step's name; of a ForEach's body the name of its first round.
        request: its arguments; what only a run can tell stands as ``<Steps.…>``.
        note: the execution it would be reused from, the branch it stands in, ….
        problems: why it would fail.
    """

    name: str
    type: str
    fate: Fate
    request: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    problems: tuple[str, ...] = ()


def foresee(
    definition: Definition,
    *,
    name: str,
    base: Path,
    store: Store,
    isolation: Isolation,
    options: RunOptions,
    published: Sequence[str] = (),
) -> list[Foreseen]:
    """Go through a definition as a run would, without starting anything.

    Args:
        definition: what would run.
        name: the pipeline's name.
        base: the folder that relative local paths resolve against.
        store: a store; nothing is written to it.
        isolation: how jobs would be kept apart.
        options: what else is asked for.
        published: URIs of code that a run would put into the store first.

    Raises:
        UsageError: as ``execute``.
    """
    history = History(store)
    identity = ForeseenIdentity(name, EXECUTION, options.account, options.region)
    values = bind(definition.parameters, options.parameters)
    objects = ObjectStore(store.objects, base, options.stand_ins.external)
    selected = None
    if options.selection:
        selected = select(definition, options.selection, history, name, options.sample)
    resolver = ForeseenValues(definition, identity, values, moment(0), objects.get)
    around = Surroundings(
        store=store,
        history=history,
        registry=Registry(store),
        objects=objects,
        s3=LocalS3(objects),
        isolation=isolation,
        identity=identity,
        values=resolver,
        cache=Cache(
            history, objects, name, options.caching, not options.service_cache, options.variant
        ),
        observer=Observer(),
        options=options,
        cancelled=threading.Event(),
    )
    return list(_Walk(definition, around, resolver, selected, list(published)).steps())


class _Walk:
    """Goes through the steps in an order in which a run could start them."""

    def __init__(
        self,
        definition: Definition,
        around: Surroundings,
        values: ForeseenValues,
        selected: Selected | None,
        made: list[str],
    ) -> None:
        self._definition = definition
        self._around = around
        self._values = values
        self._made = made
        self._fates: dict[str, Fate] = {}
        self._outcomes: dict[str, bool] = {}
        self._chosen = selected.steps if selected else frozenset(definition.by_name)
        for record in (selected.given or {}).values() if selected else ():
            values.properties[record.name] = record.properties
            values.real.add(record.name)

    def steps(self) -> Iterator[Foreseen]:
        """Yield what would become of each step."""
        for step in _ordered(self._definition):
            if step.name not in self._chosen:
                continue
            found = self._step(step)
            self._fates[step.name] = found.fate
            yield found
            if step.type == "ForEach" and not found.problems:
                yield from self._rounds(step)

    def _step(self, step: Step) -> Foreseen:
        fate, note = self._branch(step)
        if fate == "left out":
            return Foreseen(step.name, step.type, fate, note=note)
        if step.type == "Condition":
            return self._condition(step, fate, note)
        if step.type == "ForEach":
            return self._loop(step, fate, note)
        return self._work(step, fate, note)

    def _branch(self, step: Step) -> tuple[Fate, str]:
        """What the branch a step stands in makes of it, and the steps it waits for."""
        branch = step.branch
        before = [edge.step for edge in dependencies(self._definition)[step.name]]
        if any(self._fates.get(name) == "left out" for name in before):
            return "left out", "what it waits for is left out"
        if branch is None or branch.condition not in self._chosen:
            return "runs", ""
        outcome = self._outcomes.get(branch.condition)
        word = "true" if branch.taken_when else "false"
        if self._fates.get(branch.condition) == "left out" or (
            outcome is not None and outcome != branch.taken_when
        ):
            return "left out", f"`{branch.condition}` is {'false' if branch.taken_when else 'true'}"
        return (
            ("runs", "")
            if outcome is not None
            else ("perhaps", f"if `{branch.condition}` is {word}")
        )

    def _condition(self, step: Step, fate: Fate, note: str) -> Foreseen:
        try:
            request = self._resolved(step)
        except ResolutionError as error:
            return Foreseen(step.name, step.type, fate, {}, note, (str(error),))
        if holds_unknown(request):
            return Foreseen(step.name, step.type, fate, request, note)
        try:
            outcome = evaluate_all(request["Conditions"])
        except ConditionError as error:
            return Foreseen(step.name, step.type, fate, request, note, (str(error),))
        self._outcomes[step.name] = outcome
        self._values.properties[step.name] = {"Outcome": str(outcome)}
        return Foreseen(step.name, step.type, fate, request, "true" if outcome else "false")

    def _loop(self, step: Step, fate: Fate, note: str) -> Foreseen:
        arguments = {key: item for key, item in step.arguments.items() if key != "Selector"}
        try:
            request: Any = self._values.resolve(arguments)
            if isinstance(request["IterableItems"], Unknown):
                return Foreseen(step.name, step.type, fate, request, "items are known later")
            count = len(plan_rounds(step, self._around).items)
        except (ResolutionError, StepError) as error:
            return Foreseen(step.name, step.type, fate, {}, note, (str(error),))
        return Foreseen(step.name, step.type, fate, request, f"{count} rounds")

    def _rounds(self, loop: Step) -> Iterator[Foreseen]:
        """Yield the steps of every round; of those after the first only what would fail."""
        names = [name for name, r in self._around.rounds.items() if r.loop == loop.name]
        for name in names:
            within = self._around.rounds[name]
            found = self._work(self._values.rounds[name], self._fates[loop.name], "")
            if within.index == 0 or found.problems:
                yield found

    def _work(self, step: Step, fate: Fate, note: str) -> Foreseen:
        around = self._around
        try:
            made = prepare(step, around)
        except (ResolutionError, StepError) as error:
            return Foreseen(step.name, step.type, fate, {}, note, (str(error),))
        problems = list(self._problems(step, made))
        foreseen: Mapping[str, Any] = made.handler.foresee(made.request, made.name, around.identity)
        self._made += made.handler.outputs(made.request)
        around.requests[step.name] = made.request
        if not problems and not holds_unknown(_counted(made)):
            try:
                hit = around.cache.find(step, cache_key(step, made, around))
            except CacheError as error:
                hit, problems = None, [str(error)]
            if hit is not None:
                self._values.real.add(step.name)
                foreseen = hit.properties
                fate, note = "reused", f"from run {hit.execution}"
        self._values.properties[step.name] = foreseen
        return Foreseen(step.name, step.type, fate, made.request, note, tuple(problems))

    def _problems(self, step: Step, made: Prepared) -> Iterator[str]:
        """Yield why a step would fail, as far as that can be known."""
        operation = made.handler.operation
        if operation:
            wrong = refusal(made.request, operation, made.handler.name_field, expression_type)
            if wrong:
                yield wrong
        stand_ins = self._around.options.stand_ins
        obstacle = made.handler.obstacle(
            Call(step, made.request, made.members, made.stand_in, stand_ins)
        )
        if obstacle:
            yield obstacle
        for uri in made.handler.inputs(made.request):
            if isinstance(uri, Unknown) or self._is_made(uri):
                continue
            try:
                found = self._around.objects.exists(uri)
            except SagedagError as error:
                yield str(error)
                continue
            if not found and not self._is_upstream(uri):
                yield f"there is nothing at {uri}"

    def _is_upstream(self, uri: str) -> bool:
        """Whether S3 itself has something at a URI, where a run may read it; nothing is fetched."""
        upstream = self._around.options.upstream
        if upstream is None or not is_s3(uri):
            return False
        return next(iter(upstream.keys(*split(uri))), None) is not None

    def _is_made(self, uri: str) -> bool:
        """Whether a run would have put something at a URI before, or below it."""
        plain = uri.rstrip("/")
        return any(
            plain == made.rstrip("/")
            or plain.startswith(made.rstrip("/") + "/")
            or made.startswith(plain + "/")
            for made in self._made
        )

    def _resolved(self, step: Step) -> dict[str, Any]:
        found = self._values.resolve(dict(step.arguments))
        return found if isinstance(found, dict) else {}


def _counted(made: Prepared) -> list[Any]:
    """The arguments that count for the step cache."""
    names = {attribute.partition(".")[0] for attribute in made.handler.cache_attributes}
    whole = "*" in names
    return [
        *(item for name, item in made.request.items() if whole or name in names),
        made.members,
    ]


def _ordered(definition: Definition) -> list[Step]:
    """Return the steps in an order in which they could start, near the document's own."""
    edges = dependencies(definition)
    before = {
        step.name: {edge.step for edge in edges[step.name]}
        | ({step.branch.condition} if step.branch else set())
        for step in definition.steps
    }
    done: dict[str, Step] = {}
    while len(done) < len(definition.steps):
        for step in definition.steps:
            if step.name not in done and before[step.name] <= done.keys():
                done[step.name] = step
    return list(done.values())
