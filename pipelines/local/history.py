"""Executions and their steps in the store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.definition import Step
from pipelines.errors import UsageError
from pipelines.local.database import INTERRUPTED
from pipelines.local.encoding import decode, encode
from pipelines.local.identity import Identity
from pipelines.local.store import Store

# botocore: PipelineExecutionFailureReason is at most 1,300 characters in some responses and
# String3072 in the summary; the longer one is kept whole.
MAX_REASON = 3072


@dataclass(frozen=True)
class ExecutionRecord:
    """One execution as it is stored; times are seconds since 1970."""

    number: int
    id: str
    arn: str
    pipeline: str
    pipeline_arn: str
    status: str
    failure_reason: str | None
    started: float
    ended: float | None
    parallelism: int
    isolation: str
    definition: str
    parameters: Mapping[str, str]
    experiment: Mapping[str, str] | None
    options: Mapping[str, Any] | None = None
    paused: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it has run, without the time between an end and being resumed."""
        return max(0.0, (self.ended or time.time()) - self.started - self.paused)


@dataclass(frozen=True)
class StepRecord:
    """One step of an execution as it is stored.

    Attributes:
        iteration: the round of a ForEach it belongs to (botocore: IterationContext).
        selective_source: the ARN of the execution that a selective one took it from.
        phases: the seconds it spent ``waiting``, ``preparing``, ``running`` and ``storing``.
        faults: why attempts failed that were made again, the first one first.
    """

    execution: str
    position: int
    name: str
    type: str
    display_name: str
    description: str
    status: str
    started: float
    ended: float | None
    failure_reason: str | None
    request: Any
    properties: Any
    metadata: Any
    cache_source: str | None
    attempts: int
    log: str
    iteration: Any = None
    selective_source: str | None = None
    phases: Mapping[str, float] | None = None
    faults: Sequence[str] | None = None


class History:
    """Reads and writes executions.

    Args:
        store: an open store; writing needs one from ``open_store``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._abandoned = store.abandoned

    def begin(
        self,
        identity: Identity,
        *,
        started: float,
        parallelism: int,
        isolation: str,
        definition: str,
        parameters: Mapping[str, str],
        experiment: Mapping[str, str] | None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that an execution starts."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO executions (id, arn, pipeline, pipeline_arn, status, started,"
                " parallelism, isolation, definition, parameters, experiment, options)"
                " VALUES (?, ?, ?, ?, 'Executing', ?, ?, ?, ?, ?, ?, ?)",
                (
                    identity.execution,
                    identity.execution_arn,
                    identity.pipeline,
                    identity.pipeline_arn,
                    started,
                    parallelism,
                    isolation,
                    definition,
                    encode(dict(parameters)),
                    None if experiment is None else encode(dict(experiment)),
                    encode(dict(options)) if options else None,
                ),
            )

    def reopen(self, execution: str, kept: Iterable[str], definition: str) -> None:
        """Record that an execution goes on: the steps that are not kept are taken back."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE executions SET status = 'Executing', failure_reason = NULL, ended = NULL,"
                " paused = paused + MAX(0, ? - COALESCE(ended, started)), definition = ?"
                " WHERE id = ?",
                (time.time(), definition, execution),
            )
            names = [
                row["name"]
                for row in connection.execute(
                    "SELECT name FROM steps WHERE execution = ?", (execution,)
                )
            ]
            staying = frozenset(kept)
            connection.executemany(
                "DELETE FROM steps WHERE execution = ? AND name = ?",
                [(execution, name) for name in names if name not in staying],
            )

    def adopt(self, execution: str, steps: Sequence[StepRecord], source: str) -> None:
        """Record steps of another execution as this one's.

        Args:
            execution: this one.
            steps: their records; their positions are kept.
            source: the other one's ARN.
        """
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT INTO steps (execution, position, name, type, display_name, description,"
                " status, started, ended, request, properties, metadata, attempts, log,"
                " selective_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        execution,
                        step.position,
                        step.name,
                        step.type,
                        step.display_name,
                        step.description,
                        step.status,
                        step.started,
                        step.ended,
                        encode(step.request),
                        encode(step.properties),
                        encode(step.metadata),
                        step.attempts,
                        step.log,
                        source,
                    )
                    for step in steps
                ],
            )

    def set_status(self, execution: str, status: str) -> None:
        """Record that an execution goes on in another state (``Stopping``)."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE executions SET status = ? WHERE id = ?", (status, execution))

    def end(self, execution: str, status: str, reason: str | None) -> None:
        """Record how an execution ended."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE executions SET status = ?, failure_reason = ?, ended = ? WHERE id = ?",
                (status, _storable(reason), time.time(), execution),
            )

    def begin_step(
        self,
        execution: str,
        position: int,
        step: Step,
        log: str,
        iteration: Mapping[str, object] | None = None,
    ) -> None:
        """Record that a step starts."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO steps (execution, position, name, type, display_name,"
                " description, status, started, log, iteration)"
                " VALUES (?, ?, ?, ?, ?, ?, 'Executing', ?, ?, ?)",
                (
                    execution,
                    position,
                    step.name,
                    step.type,
                    step.display_name,
                    step.description,
                    time.time(),
                    log,
                    None if iteration is None else encode(dict(iteration)),
                ),
            )

    def request_step(
        self, execution: str, step: str, request: object, faults: Sequence[str] = ()
    ) -> None:
        """Record a step's resolved arguments, and why earlier attempts at them failed."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE steps SET request = ?, attempts = ?, faults = ?"
                " WHERE execution = ? AND name = ?",
                (encode(request), len(faults) + 1, encode(list(faults)), execution, step),
            )

    def end_step(
        self,
        execution: str,
        step: str,
        status: str,
        *,
        reason: str | None = None,
        properties: object = None,
        metadata: object = None,
        cache_key: str | None = None,
        cache_outputs: Sequence[str] = (),
        cache_source: str | None = None,
        phases: Mapping[str, float] | None = None,
    ) -> None:
        """Record how a step ended, with all it leaves behind, in one go."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE steps SET status = ?, ended = ?, failure_reason = ?, properties = ?,"
                " metadata = ?, cache_key = ?, cache_outputs = ?, cache_source = ?, phases = ?"
                " WHERE execution = ? AND name = ?",
                (
                    status,
                    time.time(),
                    _storable(reason),
                    None if properties is None else encode(properties),
                    None if metadata is None else encode(metadata),
                    cache_key,
                    encode(list(cache_outputs)),
                    cache_source,
                    None if phases is None else encode(dict(phases)),
                    execution,
                    step,
                ),
            )

    def cached(self, key: str, since: float) -> list[tuple[StepRecord, list[str]]]:
        """Find the successes a cache key leads to, latest first, with what each wrote.

        Args:
            key: the cache key.
            since: how old one may be.
        """
        rows = self._store.query(
            "SELECT * FROM steps WHERE cache_key = ? AND status = 'Succeeded'"
            " AND cache_source IS NULL AND ended >= ? ORDER BY ended DESC LIMIT 20",
            (key, since),
        )
        return [(self._step(row), decode(row["cache_outputs"]) or []) for row in rows]

    def job(self, api_type: str, member: str, name: str) -> dict[str, Any] | None:
        """Find the latest step that made a job of a name and succeeded.

        Args:
            api_type: the step's type.
            member: the member of its properties that holds the job's name.
            name: the job's name.

        Returns:
            The step's properties; None where there is no such job.
        """
        rows = self._store.query(
            "SELECT properties FROM steps WHERE type = ? AND status = 'Succeeded'"
            " AND instr(properties, ?) ORDER BY ended DESC",
            (api_type, name),
        )
        found = (decode(row["properties"]) for row in rows)
        return next((each for each in found if each.get(member) == name), None)

    def executions(self, *, pipeline: str | None = None, limit: int = -1) -> list[ExecutionRecord]:
        """Return the executions, latest first."""
        where, values = ("WHERE pipeline = ?", [pipeline]) if pipeline else ("", [])
        rows = self._store.query(
            f"SELECT * FROM executions {where} ORDER BY number DESC LIMIT {int(limit)}",  # noqa: S608 - ours
            values,
        )
        return [self._execution(row) for row in rows]

    def find(self, text: str) -> ExecutionRecord:
        """Find one execution by ``latest``, its ARN, its id or the beginning of its id.

        Raises:
            UsageError: there is none, or several.
        """
        if text == "latest":
            rows = self._store.query("SELECT * FROM executions ORDER BY number DESC LIMIT 1")
        else:
            rows = self._store.query(
                "SELECT * FROM executions WHERE arn = ? OR substr(id, 1, ?) = ?"
                " ORDER BY number DESC LIMIT 20",
                (text, len(text), text),
            )
        if not text or not rows:
            raise UsageError(
                f"there is no run `{text}`" if text != "latest" else "nothing has run yet",
                hint="`sagedag runs list` shows them all",
            )
        exact = [row for row in rows if text in ("latest", row["id"], row["arn"])]
        if len(rows) > 1 and not exact:
            raise UsageError(
                f"several runs begin with `{text}`: {', '.join(row['id'] for row in rows)}"
            )
        return self._execution((exact or rows)[0])

    def steps(self, execution: str) -> list[StepRecord]:
        """Return an execution's steps in the order in which they started."""
        rows = self._store.query(
            "SELECT * FROM steps WHERE execution = ? ORDER BY position", (execution,)
        )
        return [self._step(row) for row in rows]

    def _execution(self, row: sqlite3.Row) -> ExecutionRecord:
        values = self._as_it_stands(row)
        values["parameters"] = decode(values["parameters"])
        values["experiment"] = decode(values["experiment"])
        values["options"] = decode(values["options"])
        return ExecutionRecord(**values)

    def _step(self, row: sqlite3.Row) -> StepRecord:
        values = self._as_it_stands(row)
        values.pop("cache_key")
        values.pop("cache_outputs")
        for key in ("request", "properties", "metadata", "iteration", "phases", "faults"):
            values[key] = decode(values[key])
        return StepRecord(**values)

    def _as_it_stands(self, row: sqlite3.Row) -> dict[str, Any]:
        """Return a row; what a killed run left open reads as the next writer will mark it."""
        values = dict(row)
        if self._abandoned and values["status"] in ("Starting", "Executing", "Stopping"):
            values.update(status="Stopped", failure_reason=INTERRUPTED, ended=values["started"])
        return values


def _storable(reason: str | None) -> str | None:
    """A reason as it is kept: not too long, and text that can be written as UTF-8."""
    return reason and reason[:MAX_REASON].encode("utf-8", "backslashreplace").decode()
