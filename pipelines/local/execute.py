"""Running a pipeline definition."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from pipelines.definition import Definition
from pipelines.definition.parameters import bind, wire
from pipelines.errors import DefinitionError
from pipelines.local.cache import Cache
from pipelines.local.encoding import moment
from pipelines.local.history import ExecutionRecord, History
from pipelines.local.identity import Identity, new_execution_id
from pipelines.local.isolation import Isolation
from pipelines.local.loop import Loop
from pipelines.local.objects import ObjectStore
from pipelines.local.observer import Observer, RunStart
from pipelines.local.options import RunOptions
from pipelines.local.registry import Registry
from pipelines.local.s3 import LocalS3
from pipelines.local.scheduler import Scheduler
from pipelines.local.stopping import Stop
from pipelines.local.store import Store
from pipelines.local.surroundings import Surroundings
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
    options: RunOptions | None = None,
    observer: Observer | None = None,
    stop: Stop | None = None,
) -> ExecutionRecord:
    """Run a pipeline definition on this machine.

    Args:
        definition: what to run.
        name: the pipeline's name; history, cache and ARNs go by it.
        base: the folder that relative local paths resolve against.
        store: a store opened for writing.
        isolation: how jobs are kept apart.
        options: what else is asked for.
        observer: told what happens.
        stop: ends the run when requested; what runs is stopped first.

    Returns:
        The execution as it is stored, ended: Succeeded, Failed, Stopped or CompletedWithFailures.

    Raises:
        UsageError: a parameter is unknown, missing or has no valid value; nothing ran.
        DefinitionError: the experiment's names cannot be resolved; nothing ran.
    """
    options = options or RunOptions()
    identity = Identity(name, new_execution_id(), options.account, options.region)
    started = time.time()
    values = bind(definition.parameters, options.parameters)
    objects = ObjectStore(store.objects, base, options.stand_ins.external)
    resolver = Values(definition, identity, values, moment(started), objects.get)
    limit = max(1, min(options.parallelism or max(2, os.cpu_count() or 1), MAX_PARALLEL))
    history = History(store)
    around = Surroundings(
        store=store,
        history=history,
        registry=Registry(store),
        objects=objects,
        s3=LocalS3(objects),
        isolation=isolation,
        identity=identity,
        values=resolver,
        cache=Cache(history, objects, name, options.caching, not options.service_cache),
        observer=observer or Observer(),
        options=options,
        cancelled=threading.Event(),
        faults=options.faults,
    )
    _begin(definition, around, started, limit)
    try:
        return Loop(definition, around, Scheduler(definition), limit, stop or Stop()).run()
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
        options=_asked(around.options),
    )
    around.observer.started(
        RunStart(identity, definition, limit, isolation.name, isolation.note, around.store.folder)
    )


def _asked(options: RunOptions) -> dict[str, Any]:
    """Write down what shapes an execution's results beside its parameters."""
    return {"sample": options.sample} if options.sample else {}


def _experiment(definition: Definition, values: Values) -> dict[str, str] | None:
    if definition.experiment is None:
        return None
    try:
        resolved = values.resolve(dict(definition.experiment))
    except ResolutionError as error:
        raise DefinitionError(f"PipelineExperimentConfig: {error}") from None
    items = resolved.items() if isinstance(resolved, dict) else ()
    return {str(key): str(item) for key, item in items if item is not None}
