"""The loop of a run: starts steps as they become ready and takes in their ends."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from pipelines.definition import Definition, Step, body_dependencies
from pipelines.definition.model import Dependency
from pipelines.local.handlers import StepError
from pipelines.local.history import ExecutionRecord, StepRecord
from pipelines.local.observer import StepEnd
from pipelines.local.places import at
from pipelines.local.rounds import Rounds, conclude, plan_rounds
from pipelines.local.scheduler import Scheduler
from pipelines.local.step_run import StepRun
from pipelines.local.stopping import Stop
from pipelines.local.store import RESUMED
from pipelines.local.surroundings import Finished, Surroundings
from pipelines.local.values import ResolutionError


class _Freed:
    """A search has given back a place that a step waits for."""


class Loop:
    """Starts steps and takes in their ends, all in one thread.

    Args:
        definition: what runs.
        around: what the steps share.
        scheduler: says what may start.
        stop: ends the run when requested.
        kept: steps that ended well when the execution was begun, by name; they do not run again.
        position: how many steps the execution has recorded already.
    """

    def __init__(
        self,
        definition: Definition,
        around: Surroundings,
        scheduler: Scheduler,
        stop: Stop,
        kept: Mapping[str, StepRecord] | None = None,
        position: int = 0,
    ) -> None:
        self._definition = definition
        self._around = around
        self._scheduler = scheduler
        self._stop = stop
        self._kept = kept or {}
        self._position = position
        # SimpleQueue, because the request to stop is put from a signal handler.
        self._arrivals: SimpleQueue[Finished | BaseException | _Freed | None] = SimpleQueue()
        self._rounds: dict[str, Rounds] = {}
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._origin = time.time()
        self._reasons: list[str] = []
        self._stopped = False
        self._broken: BaseException | None = None

    def run(self) -> ExecutionRecord:
        """Run to the end; a bug in a step's code is raised once everything has stopped."""
        self._stop.listen(lambda: self._arrivals.put(None))
        room = self._around.room
        room.listen(lambda: self._arrivals.put(_Freed()))
        status = "Failed"
        try:
            with ThreadPoolExecutor(room.limit, thread_name_prefix="step") as pool:
                try:
                    self._turn(pool)
                except BaseException:
                    self._halt()
                    raise
            status = self._end()
        finally:
            self._around.observer.ended(status)
        if self._broken is not None:
            raise self._broken
        return self._around.history.find(self._around.identity.execution)

    def _turn(self, pool: ThreadPoolExecutor) -> None:
        while True:
            self._start_ready(pool)
            if name := self._scheduler.concluded():
                self._conclude(name)
                continue
            if not self._scheduler.running:
                return
            arrival = self._arrivals.get()
            if arrival is None:
                self._request_stop()
            elif isinstance(arrival, BaseException):
                self._broken = self._broken or arrival
                self._halt()
            elif isinstance(arrival, Finished):
                self._around.room.leave()
                self._take(arrival)

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        ready, room = self._scheduler, self._around.room
        while ready.ready and room.enter() and (name := ready.next()):
            step = self._around.values.rounds.get(name) or self._definition.by_name[name]
            record = self._kept.get(name)
            if record is not None and self._same_item(record):
                self._keep(record)
                room.leave()
                continue
            self._begin(step)
            if step.type == "ForEach":
                self._expand(step)
                room.leave()
            else:
                pool.submit(self._work, step, self._waited(name))

    def _same_item(self, record: StepRecord) -> bool:
        """Whether a step of a round still has the item it had."""
        within = self._around.rounds.get(record.name)
        return within is None or (record.iteration or {}).get("Item") == as_item(within.item)

    def _keep(self, record: StepRecord) -> None:
        """Take a step's end from the record, as if it had just ended."""
        outcome = None
        if record.type == "Condition":
            outcome = (record.properties or {}).get("Outcome") == "True"
        self._around.requests[record.name] = record.request or {}
        self._around.observer.step_kept(record.name)
        self._take(Finished(record.name, record.status, "", outcome, record.properties))

    def _begin(self, step: Step) -> None:
        """Record and tell that a step starts, here so that the order is the scheduler's."""
        around = self._around
        log = around.store.log(around.identity.execution, step.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            # Of the attempt that a resumed execution takes back.
            with log.open("a", encoding="utf-8") as stream:
                stream.write(f"{RESUMED}\n")
        within = around.rounds.get(step.name)
        iteration = None
        if within is not None:
            item = as_item(within.item)
            iteration = {"ParentStepName": within.loop, "Index": within.index, "Item": item}
        self._position += 1
        around.history.begin_step(
            around.identity.execution, self._position, step, str(log), iteration
        )
        self._began[step.name] = time.time()
        around.observer.step_started(step.name)

    def _waited(self, name: str) -> float:
        """How many seconds a step has waited since nothing but room was missing."""
        before = [
            self._began.get(other, self._origin)
            if other in self._rounds
            else self._ended.get(other, self._origin)
            for other in self._scheduler.waits_for(name)
        ]
        return max(0.0, self._began[name] - max(before, default=self._origin))

    def _work(self, step: Step, waited: float) -> None:
        """Run one step in a thread of the pool."""
        around = self._around
        execution = around.identity.execution
        try:
            self._arrivals.put(StepRun(step, around, waited).run())
        except BaseException as error:  # noqa: BLE001 - handed to the loop, which raises it
            self._arrivals.put(error)
            with contextlib.suppress(Exception):
                around.history.end_step(execution, step.name, "Failed", reason="internal error")
            self._arrivals.put(Finished(step.name, "Failed", f"internal error: {error!r}"))

    def _expand(self, loop: Step) -> None:
        """Put the steps of a ForEach's rounds in its place."""
        around = self._around
        try:
            rounds = plan_rounds(loop, around)
        except (StepError, ResolutionError) as error:
            self._end_loop(loop, Finished(loop.name, "Failed", str(error)), None)
            return
        self._rounds[loop.name] = rounds
        inner = body_dependencies(loop)
        edges: dict[str, tuple[Dependency, ...]] = {}
        for step in rounds.steps:
            names = around.rounds[step.name].names
            edges[step.name] = tuple(
                Dependency(names[edge.step], edge.trigger) for edge in inner[around.body_name(step)]
            )
        around.observer.expanded(loop, rounds.steps)
        self._scheduler.expand(loop.name, edges, rounds.limit)

    def _conclude(self, name: str) -> None:
        loop = self._definition.by_name[name]
        made = conclude(loop, self._rounds[name], self._scheduler.states, self._around)
        finished = Finished(name, made.status, made.reason, None, made.properties)
        self._end_loop(loop, finished, made.metadata)

    def _end_loop(self, loop: Step, finished: Finished, metadata: Mapping[str, Any] | None) -> None:
        around = self._around
        around.history.end_step(
            around.identity.execution,
            loop.name,
            finished.status,
            reason=finished.reason or None,
            properties=finished.properties,
            metadata=metadata,
        )
        count = len(self._rounds[loop.name].items) if loop.name in self._rounds else 0
        chosen = at(metadata, "ForEach", "Selector", "StepName")
        note = f"{count} round{'' if count == 1 else 's'}" + (f", chose {chosen}" if chosen else "")
        around.observer.step_ended(
            StepEnd(
                name=loop.name,
                type=loop.type,
                status=finished.status,
                seconds=time.time() - self._began[loop.name],
                log=around.store.log(around.identity.execution, loop.name),
                note=note,
                reason=finished.reason,
            )
        )
        self._take(finished)

    def _take(self, finished: Finished) -> None:
        values, name = self._around.values, finished.step
        values.statuses[name] = finished.status
        self._ended[name] = time.time()
        if finished.properties is not None:
            values.properties[name] = finished.properties
        if finished.status == "Failed" and name not in self._around.rounds:
            is_fail = self._definition.by_name[name].type == "Fail"
            text = finished.reason if is_fail else f"step `{name}`: {finished.reason}"
            self._reasons.insert(0 if is_fail else len(self._reasons), text)
        self._scheduler.end(name, finished.status, finished.outcome)

    def _request_stop(self) -> None:
        self._stopped = True
        self._around.observer.stopping()
        self._around.history.set_status(self._around.identity.execution, "Stopping")
        self._halt()

    def _halt(self) -> None:
        self._scheduler.halt()
        self._around.cancelled.set()

    def _end(self) -> str:
        status = "Stopped" if self._stopped else self._scheduler.result()
        reason = "stopped by the user" if self._stopped else "; ".join(self._reasons)
        shell = self._around.options.shell
        if shell and self._scheduler.states.get(shell) == "Stopped":
            status, reason = "Stopped", f"a shell took the place of the job of `{shell}`"
        execution = self._around.identity.execution
        self._around.history.end(execution, status, reason or None)
        return status


def as_item(item: object) -> str:
    """Write a round's item as the API tells it: text."""
    return item if isinstance(item, str) else json.dumps(item)
