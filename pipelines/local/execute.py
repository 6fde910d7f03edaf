"""Running a pipeline definition."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.definition import Definition
from pipelines.definition.parameters import bind, wire
from pipelines.errors import DefinitionError, UsageError
from pipelines.local.cache import Cache
from pipelines.local.encoding import moment
from pipelines.local.history import ExecutionRecord, History
from pipelines.local.identity import Identity, new_execution_id
from pipelines.local.isolation import Isolation
from pipelines.local.jobs import Room
from pipelines.local.loop import Loop
from pipelines.local.objects import ObjectStore
from pipelines.local.observer import Observer, RunStart
from pipelines.local.options import RunOptions
from pipelines.local.registry import Registry
from pipelines.local.resumption import Resumption, find_resumable, plan_resumption
from pipelines.local.s3 import LocalS3
from pipelines.local.sampling import SampledObjects
from pipelines.local.scheduler import Scheduler
from pipelines.local.selecting import Selected, select
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
        UsageError: a parameter is unknown, missing or has no valid value, or there is no execution
            to resume or to take results from; nothing ran.
        DefinitionError: the experiment's names cannot be resolved; nothing ran.
    """
    options, stop = options or RunOptions(), stop or Stop()
    history = History(store)
    resumed = None
    if options.resume:
        record = find_resumable(history, name, options.resume)
        resumed = plan_resumption(definition, record, history)
        if resumed.finished:
            return record
        options = _as_it_was(options, record, definition)
    identity = _identity(name, options, resumed)
    started = resumed.record.started if resumed else time.time()
    around = _surround(definition, store, base, isolation, identity, options, started)
    if observer is not None:
        around = replace(around, observer=observer)
    selected = _selected(definition, name, options, history, resumed)
    given = dict(selected.given or {}) if selected else {}
    kept = dict(resumed.kept) if resumed else {}
    _begin(definition, around, started, selected, resumed)
    for step in given.values():
        around.values.properties[step.name] = step.properties
        around.requests[step.name] = step.request or {}
    chosen = selected.steps if selected else None
    position = max((step.position for step in (*kept.values(), *given.values())), default=0)
    try:
        scheduler = Scheduler(definition, chosen)
        return Loop(definition, around, scheduler, stop, kept, position).run()
    finally:
        around.s3.close()


def _surround(
    definition: Definition,
    store: Store,
    base: Path,
    isolation: Isolation,
    identity: Identity,
    options: RunOptions,
    started: float,
) -> Surroundings:
    """Put together what the steps of an execution share.

    Raises:
        UsageError: a parameter is unknown, missing or has no valid value.
    """
    values = bind(definition.parameters, options.parameters)
    history = History(store)
    objects = ObjectStore(store.objects, base, options.stand_ins.external, options.upstream)
    if options.sample:
        objects = SampledObjects(objects, options.sample)
    return Surroundings(
        store=store,
        history=history,
        registry=Registry(store),
        objects=objects,
        s3=LocalS3(objects),
        isolation=isolation,
        identity=identity,
        values=Values(definition, identity, values, moment(started), objects.get),
        cache=_cache(history, objects, identity.pipeline, options),
        observer=Observer(),
        options=options,
        cancelled=threading.Event(),
        room=Room(max(1, min(options.parallelism or max(2, os.cpu_count() or 1), MAX_PARALLEL))),
        faults=options.faults,
    )


def _cache(history: History, objects: ObjectStore, name: str, options: RunOptions) -> Cache:
    return Cache(
        history, objects, name, options.caching, not options.service_cache, options.variant
    )


def _as_it_was(options: RunOptions, record: ExecutionRecord, definition: Definition) -> RunOptions:
    """Return the options with the parameters and the sample that a resumed execution began with.

    Raises:
        UsageError: others were asked for.
    """
    for name, text in options.parameters.items():
        if record.parameters.get(name) != text:
            raise UsageError(
                f"run {record.id} goes on with the parameters it began with; `{name}` was "
                f"`{record.parameters.get(name)}`",
                "leave -p out, or begin a new run",
            )
    if options.selection:
        raise UsageError("--resume goes on with the steps of its run; --only, --from and --to "
                         "begin a new one")  # fmt: skip
    sample = (record.options or {}).get("sample")
    known = {parameter.name for parameter in definition.parameters}
    parameters = {key: text for key, text in record.parameters.items() if key in known}
    return replace(options, parameters=parameters, sample=sample)


def _identity(name: str, options: RunOptions, resumed: Resumption | None) -> Identity:
    execution = resumed.record.id if resumed else new_execution_id()
    return Identity(name, execution, options.account, options.region)


def _selected(
    definition: Definition,
    name: str,
    options: RunOptions,
    history: History,
    resumed: Resumption | None,
) -> Selected | None:
    """Decide which steps run; None for all. A resumed selective execution keeps its selection."""
    if resumed is not None:
        names = (resumed.record.options or {}).get("selected")
        if not names:
            return None
        given = {n: step for n, step in resumed.kept.items() if step.selective_source}
        return Selected(frozenset(names) & frozenset(definition.by_name), None, given)
    if options.selection:
        return select(definition, options.selection, history, name, options.sample)
    return None


def _begin(
    definition: Definition,
    around: Surroundings,
    now: float,
    selected: Selected | None,
    resumed: Resumption | None,
) -> None:
    """Record and tell that the execution starts, or goes on."""
    identity, isolation, history = around.identity, around.isolation, around.history
    if resumed is not None:
        history.reopen(identity.execution, resumed.kept, json.dumps(definition.source))
    else:
        history.begin(
            identity,
            started=now,
            parallelism=around.room.limit,
            isolation=isolation.name,
            definition=json.dumps(definition.source),
            parameters={key: wire(value) for key, value in around.values.parameters.items()},
            experiment=_experiment(definition, around.values),
            options=_asked(around.options, selected),
        )
        if selected and selected.source and selected.given:
            steps = sorted(selected.given.values(), key=lambda step: step.position)
            history.adopt(identity.execution, steps, selected.source.arn)
    remarks = _remarks(around.options, selected, resumed)
    note, folder = isolation.note, around.store.folder
    around.observer.started(
        RunStart(
            identity, definition, around.room.limit, isolation.name, note, folder, tuple(remarks)
        )
    )


def _remarks(
    options: RunOptions, selected: Selected | None, resumed: Resumption | None
) -> Iterator[tuple[str, str]]:
    """Say what is special about a run."""
    if resumed is not None:
        count = len(resumed.kept)
        yield "Resumed", f"{count} step{'' if count == 1 else 's'} that had succeeded are kept"
    if selected is not None:
        source = f"; the rest from run {selected.source.id}" if selected.source else ""
        yield "Selected", ", ".join(sorted(selected.steps)) + source
    if options.sample:
        yield "Sample", f"the first {options.sample} rows of each CSV or Parquet input from outside"
    if options.service_cache:
        yield "Cache", "as the service's: what inputs hold does not count"


def _asked(options: RunOptions, selected: Selected | None) -> dict[str, Any]:
    """Write down what shapes an execution's results beside its parameters."""
    made: dict[str, Any] = {"sample": options.sample} if options.sample else {}
    if selected is not None:
        made["selected"] = sorted(selected.steps)
    return made


def _experiment(definition: Definition, values: Values) -> dict[str, str] | None:
    if definition.experiment is None:
        return None
    try:
        resolved = values.resolve(dict(definition.experiment))
    except ResolutionError as error:
        raise DefinitionError(f"PipelineExperimentConfig: {error}") from None
    items = resolved.items() if isinstance(resolved, dict) else ()
    return {str(key): str(item) for key, item in items if item is not None}
