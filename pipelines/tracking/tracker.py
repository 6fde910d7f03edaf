"""Watches a run and tells MLflow of it; MLflow that fails never fails the run."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.definition import Definition, Step
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.observer import Observer, RunStart, StepEnd
from pipelines.local.places import at
from pipelines.local.store import Store
from pipelines.tracking import entries
from pipelines.tracking.place import QUIET, TrackingPlace
from pipelines.tracking.server import Server, server_environment

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_STATES = {"Succeeded": "FINISHED", "Stopped": "KILLED", "CompletedWithFailures": "FINISHED"}
"""MLflow's word for how something ended; any other is FAILED."""

_PARENT = "mlflow.parentRunId"
_MOST = 100
"""Parameters in one call. Source: MLflow's REST API, "Request Limits"."""


def is_installed() -> bool:
    """Say whether MLflow with its server is there; nothing is imported."""
    # The small build of MLflow (mlflow-skinny) has neither a database nor a server.
    return all(importlib.util.find_spec(name) for name in ("mlflow", "alembic", "flask"))


class Tracker(Observer):
    """Tells MLflow of a run: a run for the whole, one below it for each step.

    Everything that touches MLflow happens in one thread of its own, so that no step waits for it
    but one whose job needs to know its run.

    Args:
        store: the store that the run is recorded in, open.
        experiment: the experiment's name.
        folder: the definition's folder, whose commit becomes a tag.
    """

    def __init__(self, store: Store, experiment: str, folder: Path) -> None:
        self.warning = ""
        self._store = store
        self._experiment = experiment
        self._folder = folder
        self._place = TrackingPlace(store.folder / "mlflow")
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mlflow")
        self._server = Server(
            self._place.command, server_environment(QUIET), self._place.folder / "server.log"
        )
        self._address = ""
        self._client: MlflowClient | None = None
        self._execution = ""
        self._definition: Definition | None = None
        self._rounds: dict[str, Step] = {}
        self._parent = ""
        self._runs: dict[tuple[str, str], str] = {}
        self._loops: dict[str, str] = {}

    # What happens, in the threads of the run.

    def started(self, run: RunStart) -> None:
        """Begin, or go on with, the run in MLflow."""
        self._execution, self._definition = run.identity.execution, run.definition
        self._later(self._begin)

    def expanded(self, loop: Step, steps: Sequence[Step]) -> None:
        """Keep in mind which ForEach the steps of the rounds belong to."""
        for step in steps:
            self._rounds[step.name] = step
            self._loops[step.name] = loop.name

    def step_ended(self, end: StepEnd) -> None:
        """Tell what came of a step."""
        self._later(lambda: self._end_step(end.name))

    def ended(self, status: str) -> None:
        """Tell how the run ended; wait until all is told, and stop the server."""
        self._later(lambda: self._end(status))
        self.close()

    def variables(self, step: str, part: str) -> Mapping[str, str]:
        """Return the variables by which MLflow in a job logs to its step's run.

        Args:
            step: the step.
            part: the training job of a search; empty for the step's own.

        Returns:
            The variables; none where MLflow has failed.
        """
        try:
            return self._pool.submit(lambda: self._variables(step, part)).result()
        except RuntimeError:
            return {}  # closed: the run is being broken off

    def close(self) -> None:
        """Stop the server; safe to call again, and without a run."""
        self._pool.shutdown(wait=True)
        self._server.stop()

    def _later(self, work: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):
            self._pool.submit(self._guarded, work)

    # What is told, in the thread of MLflow.

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do a part of the telling; the first failure is kept, and ends it."""
        if self.warning:
            return
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever MLflow raises: the run goes on
            first = (str(error) or type(error).__name__).splitlines()[0]
            self.warning = f"MLflow is told no more of this run: {first[:300]}"

    def _variables(self, step: str, part: str) -> dict[str, str]:
        made: dict[str, str] = {}

        def find() -> None:
            if not self._address:
                self._address = self._server.start()
            made.update(
                {
                    "MLFLOW_TRACKING_URI": self._address,
                    "MLFLOW_EXPERIMENT_NAME": self._experiment,
                    "MLFLOW_RUN_ID": self._run_of(step, part),
                    **QUIET,
                }
            )

        self._guarded(find)
        return {} if self.warning else made

    def _open(self) -> MlflowClient:
        if self._client is None:
            _hush()
            from mlflow.tracking import MlflowClient

            _hush()
            self._place.artifacts.mkdir(parents=True, exist_ok=True)
            self._client = MlflowClient(self._place.database)
        return self._client

    def _begin(self) -> None:
        client = self._open()
        record = self._record()
        experiment = self._experiment_id(client)
        self._settle(client, experiment, record.id)
        query = f"tags.`sagedag.run` = '{record.id}' and tags.`sagedag.whole` = 'true'"
        found = client.search_runs([experiment], query, max_results=1)
        if found:
            self._parent = found[0].info.run_id
            client.update_run(self._parent, status="RUNNING")
            return
        tags = {**entries.run_tags(record, self._folder), "sagedag.whole": "true"}
        run = client.create_run(
            experiment, int(record.started * 1000), tags, f"{record.pipeline} {record.id}"
        )
        self._parent = run.info.run_id
        self._log(self._parent, {str(k): str(v) for k, v in record.parameters.items()}, {})

    def _experiment_id(self, client: MlflowClient) -> str:
        found = client.get_experiment_by_name(self._experiment)
        if found is not None:
            if found.lifecycle_stage != "active":
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        # Jobs send their files to the server; a folder's path would mean one of their own.
        return str(client.create_experiment(self._experiment, "mlflow-artifacts:/"))

    def _settle(self, client: MlflowClient, experiment: str, run: str) -> None:
        """End what a killed run left running: one run at a time writes to a store."""
        for each in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
            if each.data.tags.get("sagedag.run") not in (None, run):
                client.set_terminated(each.info.run_id, "KILLED")

    def _run_of(self, step: str, part: str = "") -> str:
        """Return the MLflow run of a step, or of a part of it; made where it is not there yet."""
        key = (step, part)
        if key not in self._runs:
            client = self._open()
            record = self._step(step)
            above = self._parent
            if part:
                above = self._run_of(step)
            elif step in self._loops:
                above = self._run_of(self._loops[step])
            tags = {_PARENT: above, "sagedag.run": self._execution, **entries.tags_of(record)}
            name = f"{step}-{part}" if part else step
            parent = client.get_run(self._parent).info.experiment_id
            run = client.create_run(
                parent, int((time.time() if part else record.started) * 1000), tags, name
            )
            self._runs[key] = run.info.run_id
        return self._runs[key]

    def _end_step(self, name: str) -> None:
        client, record, step = self._open(), self._step(name), self._defined(name)
        run = self._run_of(name)
        metrics = entries.measures_of(record, step, self._store)
        for phase, seconds in (record.phases or {}).items():
            metrics[f"seconds/{phase}"] = seconds
        self._log(run, entries.parameters_of(record), metrics)
        for key, value in entries.tags_of(record).items():
            client.set_tag(run, key, value)
        self._keep(run, entries.files_of(record, step, self._store))
        for trial in entries.trials_of(record):
            self._end_trial(name, trial)
        ended = int((record.ended or time.time()) * 1000)
        client.set_terminated(run, _STATES.get(record.status, "FAILED"), ended)

    def _end_trial(self, step: str, trial: Mapping[str, Any]) -> None:
        client = self._open()
        run = self._run_of(step, str(trial.get("TrainingJobName", "")).split("-")[-2])
        objective = at(trial, "FinalHyperParameterTuningJobObjectiveMetric") or {}
        metrics = {}
        if objective:
            metrics[entries.metric_name(objective["MetricName"])] = float(objective["Value"])
        self._log(run, entries.hyperparameters(trial.get("TunedHyperParameters")), metrics)
        ends = trial.get("TrainingEndTime")
        state = {"Completed": "FINISHED", "Stopped": "KILLED"}.get(
            str(trial.get("TrainingJobStatus")), "FAILED"
        )
        when = int(ends.timestamp() * 1000) if ends is not None else None
        client.set_terminated(run, state, when)

    def _end(self, status: str) -> None:
        client, record = self._open(), self._record()
        for step in History(self._store).steps(record.id):
            # Kept from before the run was resumed, or taken from another run.
            if (step.name, "") not in self._runs and step.selective_source:
                self._end_step(step.name)
        ended = int((record.ended or time.time()) * 1000)
        client.set_terminated(self._parent, _STATES.get(status, "FAILED"), ended)

    def _log(self, run: str, parameters: Mapping[str, str], metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric, Param

        client, now = self._open(), int(time.time() * 1000)
        known = client.get_run(run).data
        params = [
            Param(entries.metric_name(name), value)
            for name, value in parameters.items()
            # What the script has logged itself stays: MLflow refuses another value.
            if entries.metric_name(name) not in known.params
        ]
        points = [Metric(name, value, now, 0) for name, value in metrics.items()]
        for start in range(0, max(len(params), 1), _MOST):
            client.log_batch(run, points if start == 0 else [], params[start : start + _MOST])

    def _keep(self, run: str, files: Iterator[tuple[str, Path]]) -> None:
        """Put files among a run's artefacts: as links where the file system can."""
        folder = self._place.files(self._open().get_run(run).info.artifact_uri)
        for name, path in files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            try:
                os.link(path, target)
            except OSError:
                shutil.copyfile(path, target)

    def _record(self) -> ExecutionRecord:
        return History(self._store).find(self._execution)

    def _step(self, name: str) -> StepRecord:
        steps = History(self._store).steps(self._execution)
        return next(step for step in steps if step.name == name)

    def _defined(self, name: str) -> Step | None:
        if name in self._rounds:
            return self._rounds[name]
        return self._definition.by_name.get(name) if self._definition else None


def _hush() -> None:
    """Have MLflow tell nobody and log nothing; before it is imported, and after."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
