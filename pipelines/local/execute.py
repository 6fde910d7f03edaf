"""Running a pipeline definition: the loop that starts steps and takes in their ends."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from pipelines.definition import Definition, Step
from pipelines.definition.parameters import bind, wire
from pipelines.errors import DefinitionError
from pipelines.local.cache import Cache
from pipelines.local.encoding import moment
from pipelines.local.history import ExecutionRecord, History
from pipelines.local.identity import ACCOUNT, REGION, Identity, new_execution_id
from pipelines.local.isolation import Isolation
from pipelines.local.objects import ObjectStore
from pipelines.local.observer import Observer, RunStart
from pipelines.local.registry import Registry
from pipelines.local.s3 import LocalS3
from pipelines.local.scheduler import Scheduler
from pipelines.local.step_run import Finished, StepRun, Surroundings
from pipelines.local.stopping import Stop
from pipelines.local.store import Store
from pipelines.local.values import ResolutionError, Values

# botocore: MaxParallelExecutionSteps has no upper bound; beyond this, threads only cost.
MAX_PARALLEL = 200


def execute(
    definition: Definition,
    *,
    name: str,
    base: Path,
    store: Store,
    isolation: Isolation,
    parameters: Mapping[str, str] | None = None,
    parallelism: int | None = None,
    cache: bool = True,
    observer: Observer | None = None,
    stop: Stop | None = None,
    account: str = ACCOUNT,
    region: str = REGION,
    faults: Mapping[str, list[str]] | None = None,
) -> ExecutionRecord:
    """Run a pipeline definition on this machine.

    Args:
        definition: what to run.
        name: the pipeline's name; history, cache and ARNs go by it.
        base: the folder that relative local paths resolve against.
        store: a store opened for writing.
        isolation: how jobs are kept apart.
        parameters: values as text, the form in which the API takes them.
        parallelism: how many steps may run at once; by default one a processor, at least two.
        cache: False runs every step, whatever the cache holds.
        observer: told what happens.
        stop: ends the run when requested; what runs is stopped first.
        account: the account id in ARNs.
        region: the region in ARNs.
        faults: for a step's name, retry policies' exception types to raise, one an attempt.

    Returns:
        The execution as it is stored, ended: Succeeded, Failed, Stopped or CompletedWithFailures.

    Raises:
        UsageError: a parameter is unknown, missing or has no valid value; nothing ran.
        DefinitionError: the experiment's names cannot be resolved; nothing ran.
    """
    values = bind(definition.parameters, parameters or {})
    identity = Identity(name, new_execution_id(), account, region)
    objects = ObjectStore(store.objects, base)
    now = time.time()
    resolver = Values(definition, identity, values, moment(now), objects.get)
    limit = max(1, min(parallelism or max(2, os.cpu_count() or 1), MAX_PARALLEL))
    around = Surroundings(
        store=store,
        history=History(store),
        registry=Registry(store),
        objects=objects,
        s3=LocalS3(objects),
        isolation=isolation,
        identity=identity,
        values=resolver,
        cache=Cache(History(store), objects, name, cache),
        observer=observer or Observer(),
        cancelled=threading.Event(),
        faults=faults or {},
    )
    _begin(definition, around, now, limit)
    try:
        return _Loop(definition, around, limit, stop or Stop()).run()
    finally:
        around.s3.close()


def _begin(definition: Definition, around: Surroundings, now: float, limit: int) -> None:
    """Record and tell that the execution starts."""
    identity, isolation = around.identity, around.isolation
    around.history.begin(
        identity,
        started=now,
        parallelism=limit,
        isolation=isolation.name,
        definition=json.dumps(definition.source),
        parameters={key: wire(value) for key, value in around.values.parameters.items()},
        experiment=_experiment(definition, around.values),
    )
    around.observer.started(
        RunStart(identity, definition, limit, isolation.name, isolation.note, around.store.folder)
    )


def _experiment(definition: Definition, values: Values) -> dict[str, str] | None:
    if definition.experiment is None:
        return None
    try:
        resolved = values.resolve(dict(definition.experiment))
    except ResolutionError as error:
        raise DefinitionError(f"PipelineExperimentConfig: {error}") from None
    items = resolved.items() if isinstance(resolved, dict) else ()
    return {str(key): str(item) for key, item in items if item is not None}


class _Loop:
    """Starts steps as they become ready and takes in their ends, all in one thread."""

    def __init__(
        self, definition: Definition, around: Surroundings, limit: int, stop: Stop
    ) -> None:
        self._definition = definition
        self._around = around
        self._limit = limit
        self._stop = stop
        self._scheduler = Scheduler(definition)
        # SimpleQueue, because the request to stop is put from a signal handler.
        self._arrivals: SimpleQueue[Finished | BaseException | None] = SimpleQueue()
        self._reasons: list[str] = []
        self._stopped = False
        self._broken: BaseException | None = None

    def run(self) -> ExecutionRecord:
        """Run to the end; a bug in a step's code is raised once everything has stopped."""
        self._stop.listen(lambda: self._arrivals.put(None))
        status = "Failed"
        try:
            with ThreadPoolExecutor(self._limit, thread_name_prefix="step") as pool:
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
        position = 0
        while True:
            while self._scheduler.running < self._limit and (name := self._scheduler.next()):
                step = self._definition.by_name[name]
                position += 1
                self._begin(step, position)
                pool.submit(self._work, step)
            if not self._scheduler.running:
                return
            arrival = self._arrivals.get()
            if arrival is None:
                self._request_stop()
            elif isinstance(arrival, BaseException):
                self._broken = self._broken or arrival
                self._halt()
            else:
                self._take(arrival)

    def _begin(self, step: Step, position: int) -> None:
        """Record and tell that a step starts, here so that the order is the scheduler's."""
        around = self._around
        log = around.store.log(around.identity.execution, step.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        around.history.begin_step(around.identity.execution, position, step, str(log))
        around.observer.step_started(step.name)

    def _work(self, step: Step) -> None:
        """Run one step in a thread of the pool."""
        around = self._around
        execution = around.identity.execution
        try:
            self._arrivals.put(StepRun(step, around).run())
        except BaseException as error:  # noqa: BLE001 - handed to the loop, which raises it
            self._arrivals.put(error)
            with contextlib.suppress(Exception):
                around.history.end_step(execution, step.name, "Failed", reason="internal error")
            self._arrivals.put(Finished(step.name, "Failed", f"internal error: {error!r}"))

    def _take(self, finished: Finished) -> None:
        self._around.values.statuses[finished.step] = finished.status
        if finished.properties is not None:
            self._around.values.properties[finished.step] = finished.properties
        if finished.status == "Failed":
            is_fail = self._definition.by_name[finished.step].type == "Fail"
            text = finished.reason if is_fail else f"step `{finished.step}`: {finished.reason}"
            self._reasons.insert(0 if is_fail else len(self._reasons), text)
        self._scheduler.end(finished.step, finished.status, finished.outcome)

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
        execution = self._around.identity.execution
        self._around.history.end(execution, status, reason or None)
        return status
