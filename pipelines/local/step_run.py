"""Running one step: resolve its arguments, look into the cache, call its handler, retry."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.definition import Step
from pipelines.errors import SagedagError
from pipelines.local.cache import Cache, CacheError
from pipelines.local.handlers import (
    HANDLERS,
    Handler,
    StepContext,
    StepError,
    StepResult,
    StepStopped,
)
from pipelines.local.history import History
from pipelines.local.identity import Identity
from pipelines.local.isolation import Isolation
from pipelines.local.jobs import discard
from pipelines.local.objects import ObjectStore
from pipelines.local.observer import Observer, StepEnd
from pipelines.local.registry import Registry
from pipelines.local.requests import refusal
from pipelines.local.retries import Attempts, ServiceError
from pipelines.local.s3 import LocalS3
from pipelines.local.store import Store
from pipelines.local.values import ResolutionError, Values


@dataclass(frozen=True)
class Finished:
    """How a step ended, for the scheduler and for the references of later steps."""

    step: str
    status: str
    reason: str = ""
    outcome: bool | None = None
    properties: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Surroundings:
    """What all steps of one execution share.

    Attributes:
        cancelled: set when the execution is being stopped.
        faults: for each step, service faults still to be raised, one an attempt.
    """

    store: Store
    history: History
    registry: Registry
    objects: ObjectStore
    s3: LocalS3
    isolation: Isolation
    identity: Identity
    values: Values
    cache: Cache
    observer: Observer
    cancelled: threading.Event
    faults: Mapping[str, list[str]]


class StepRun:
    """One step of one execution.

    Args:
        step: the step.
        around: what it shares with the others.
    """

    def __init__(self, step: Step, around: Surroundings) -> None:
        self._step = step
        self._around = around
        self._log = around.store.log(around.identity.execution, step.name)
        self._folder = around.store.work(around.identity.execution) / step.name
        self._started = time.monotonic()

    def run(self) -> Finished:
        """Run the step to its end and record it. Failing is a result, not an exception."""
        try:
            return self._attempt()
        except StepStopped:
            return self._end("Stopped", reason="stopped")
        except StepError as error:
            return self._end("Failed", reason=str(error), metadata=error.metadata)
        except (ResolutionError, CacheError) as error:
            return self._end("Failed", reason=str(error))
        except SagedagError as error:
            hint = f" ({error.hint})" if error.hint else ""
            return self._end("Failed", reason=f"{error.message}{hint}")
        except OSError as error:
            return self._end("Failed", reason=f"the machine failed the step: {error}")
        finally:
            discard(self._folder)

    def _attempt(self) -> Finished:
        step, around = self._step, self._around
        handler = HANDLERS.get(step.type)
        if handler is None:
            raise StepError(
                f"steps of type {step.type} cannot run on this machine yet; "
                f"those that can are {', '.join(sorted(HANDLERS))}"
            )
        name = around.identity.job_name(step.name, handler.longest_name)
        request = around.values.resolve(dict(step.arguments), (step.type, name))
        if not isinstance(request, dict):
            raise StepError("the step's arguments are no object once resolved")
        prefix = request.get(handler.name_field) if handler.name_field else None
        if isinstance(prefix, str) and prefix:
            name = around.identity.custom_job_name(prefix, handler.longest_name)
        around.history.request_step(around.identity.execution, step.name, request, 1)
        wrong = refusal(request, handler.operation, handler.name_field) if handler.operation else ""
        if wrong:
            raise StepError(wrong)
        key = None
        if handler.cache_attributes:
            key = around.cache.key(step, request, handler.cache_attributes, handler.inputs(request))
        hit = around.cache.find(step, key)
        if hit is not None:
            source = around.history.find(hit.execution)
            result = StepResult(hit.properties, hit.metadata)
            return self._succeed(result, key, source.arn, source.id)
        result = self._call(handler, request, name)
        return self._succeed(result, key, "", "")

    def _call(self, handler: Handler, request: dict[str, Any], name: str) -> StepResult:
        """Call the handler, again where a retry policy says so."""
        around, attempts = self._around, Attempts(self._step)
        number = 1
        while True:
            if around.cancelled.is_set():
                raise StepStopped
            try:
                self._inject()
                return handler.run(request, self._context(name, number))
            except ServiceError as fault:
                wait = attempts.wait_after(fault)
                if wait is None:
                    raise StepError(f"{fault.exception_type}: {fault}") from None
                around.observer.retrying(self._step.name, f"{fault.exception_type}: {fault}", wait)
                if around.cancelled.wait(wait):
                    raise StepStopped from None
            number += 1
            around.history.request_step(around.identity.execution, self._step.name, request, number)

    def _inject(self) -> None:
        waiting = self._around.faults.get(self._step.name)
        if waiting:
            raise ServiceError(waiting.pop(0), "injected")

    def _context(self, name: str, attempt: int) -> StepContext:
        around, step = self._around, self._step
        return StepContext(
            step=step,
            name=name,
            identity=around.identity,
            objects=around.objects,
            s3=around.s3,
            registry=around.registry,
            isolation=around.isolation,
            folder=self._folder / str(attempt),
            log=self._log,
            cancelled=around.cancelled,
            on_line=lambda text: around.observer.line(step.name, text),
        )

    def _succeed(
        self, result: StepResult, key: str | None, source_arn: str, source: str
    ) -> Finished:
        filled = self._around.cache.filled(result.outputs) if key and not source else []
        finished = Finished(
            self._step.name, "Succeeded", "", result.outcome, dict(result.properties)
        )
        self._around.history.end_step(
            self._around.identity.execution,
            self._step.name,
            "Succeeded",
            properties=result.properties,
            metadata=result.metadata,
            cache_key=key,
            cache_outputs=filled,
            cache_source=source_arn or None,
        )
        self._tell("Succeeded", note=_note(result), cache_source=source)
        return finished

    def _end(
        self, status: str, *, reason: str, metadata: Mapping[str, Any] | None = None
    ) -> Finished:
        self._around.history.end_step(
            self._around.identity.execution,
            self._step.name,
            status,
            reason=reason,
            metadata=metadata or None,
        )
        self._tell(status, reason=reason)
        return Finished(self._step.name, status, reason)

    def _tell(self, status: str, note: str = "", reason: str = "", cache_source: str = "") -> None:
        self._around.observer.step_ended(
            StepEnd(
                name=self._step.name,
                type=self._step.type,
                status=status,
                seconds=time.monotonic() - self._started,
                log=self._log,
                note=note,
                reason=reason,
                cache_source=cache_source,
            )
        )


def _note(result: StepResult) -> str:
    """Say in a few words what a step brought about."""
    if result.outcome is not None:
        return "true" if result.outcome else "false"
    version = result.properties.get("ModelPackageVersion")
    if version is not None:
        return f"{result.properties.get('ModelPackageGroupName')} version {version}"
    return ""
