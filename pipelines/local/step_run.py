"""Running one step: resolve its arguments, look into the cache, call its handler, retry."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.definition import Step
from pipelines.errors import SagedagError
from pipelines.local.cache import CacheError
from pipelines.local.endpoints import Endpoints
from pipelines.local.handlers import (
    Handler,
    StepContext,
    StepError,
    StepResult,
    StepStopped,
    handler_of,
)
from pipelines.local.jobs import discard
from pipelines.local.lineage import Lineage
from pipelines.local.observer import StepEnd
from pipelines.local.requests import refusal
from pipelines.local.retries import Attempts, ServiceError
from pipelines.local.sampling import SampledObjects
from pipelines.local.stand_ins import StandIn
from pipelines.local.surroundings import Finished, Surroundings
from pipelines.local.values import ResolutionError


@dataclass(frozen=True)
class Prepared:
    """A step whose arguments are resolved.

    Attributes:
        handler: what runs it.
        stand_in: what the handlers file names for the step itself.
        name: the name of its job, model, ….
        request: its arguments.
        members: its further members.
        key: its cache key; None where it is not cached.
    """

    handler: Handler
    stand_in: StandIn | None
    name: str
    request: dict[str, Any]
    members: dict[str, Any]
    key: str | None = None


class StepRun:
    """One step of one execution.

    Args:
        step: the step.
        around: what it shares with the others.
        waited: the seconds it has waited for room.
    """

    def __init__(self, step: Step, around: Surroundings, waited: float = 0.0) -> None:
        self._step = step
        self._around = around
        self._log = around.store.log(around.identity.execution, step.name)
        self._folder = around.store.work(around.identity.execution) / step.name
        self._started = time.monotonic()
        self._phases = {"waiting": waited}
        self._phase, self._since = "preparing", self._started

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

    def _attempt(self) -> Finished:
        step, around = self._step, self._around
        made = prepare(step, around)
        around.requests[step.name] = made.request
        if isinstance(around.objects, SampledObjects):
            around.objects.made(made.handler.outputs(made.request))
        around.history.request_step(around.identity.execution, step.name, made.request)
        wrong = judge(made)
        if wrong:
            raise StepError(wrong)
        key = cache_key(step, made, around)
        shell = around.options.shell == step.name
        hit = None if shell else around.cache.find(step, key)
        if hit is not None:
            if isinstance(around.objects, SampledObjects) and hit.properties:
                around.objects.made(made.handler.outputs(hit.properties))
            source = around.history.find(hit.execution)
            result = StepResult(hit.properties, hit.metadata)
            return self._succeed(result, key, source.arn, source.id)
        return self._succeed(self._call(made), key, "", "")

    def _call(self, made: Prepared) -> StepResult:
        """Call the handler, again where a retry policy says so."""
        around, attempts = self._around, Attempts(self._step)
        faults: list[str] = []
        while True:
            if around.cancelled.is_set():
                raise StepStopped
            try:
                self._inject()
                return made.handler.run(made.request, self._context(made, len(faults) + 1))
            except ServiceError as fault:
                wait = attempts.wait_after(fault)
                if wait is None:
                    raise StepError(f"{fault.exception_type}: {fault}") from None
                faults.append(f"{fault.exception_type}: {fault}")
                around.observer.retrying(self._step.name, faults[-1], wait)
                self._enter("waiting")
                if around.cancelled.wait(wait):
                    raise StepStopped from None
                self._enter("preparing")
            execution = around.identity.execution
            around.history.request_step(execution, self._step.name, made.request, faults)

    def _inject(self) -> None:
        faults, name = self._around.faults, self._step.name
        waiting = faults.get(name) or faults.get(self._around.body_name(self._step))
        if waiting:
            raise ServiceError(waiting.pop(0), "injected")

    def _context(self, made: Prepared, attempt: int) -> StepContext:
        around, step = self._around, self._step
        return StepContext(
            step=step,
            name=made.name,
            identity=around.identity,
            objects=around.objects,
            s3=around.s3,
            registry=around.registry,
            endpoints=Endpoints(around.store),
            lineage=Lineage(around.store),
            isolation=around.isolation,
            environments=around.options.environments,
            folder=self._folder / str(attempt),
            log=self._log,
            cancelled=around.cancelled,
            on_line=lambda text: around.observer.line(step.name, text),
            members=made.members,
            stand_ins=around.options.stand_ins,
            stand_in=made.stand_in,
            earlier=self._earlier,
            job=around.history.job,
            enter=self._enter,
            advance=lambda progress: around.observer.progress(step.name, progress),
            variables=lambda part: around.options.variables(step.name, part),
            shell=around.options.shell == step.name,
            room=around.room,
        )

    def _earlier(self, name: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
        """The arguments and the properties of another step, of this one's round if it has one."""
        around = self._around
        within = around.rounds.get(self._step.name)
        name = within.names.get(name, name) if within else name
        return around.requests.get(name), around.values.properties.get(name)

    def _enter(self, phase: str) -> None:
        """Note that a phase of the step begins."""
        now = time.monotonic()
        self._phases[self._phase] = self._phases.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = phase, now

    def _spent(self) -> dict[str, float]:
        self._enter(self._phase)
        return {phase: round(seconds, 4) for phase, seconds in self._phases.items()}

    def _succeed(
        self, result: StepResult, key: str | None, source_arn: str, source: str
    ) -> Finished:
        discard(self._folder)  # before anything is written: what a job left may fill the disk
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
            phases=self._spent(),
        )
        self._tell("Succeeded", note=_note(result), cache_source=source)
        return finished

    def _end(
        self, status: str, *, reason: str, metadata: Mapping[str, Any] | None = None
    ) -> Finished:
        discard(self._folder)
        self._around.history.end_step(
            self._around.identity.execution,
            self._step.name,
            status,
            reason=reason,
            metadata=metadata or None,
            phases=self._spent(),
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


def prepare(step: Step, around: Surroundings) -> Prepared:
    """Choose what runs a step and resolve its arguments.

    Raises:
        StepError: the arguments are no object.
        ResolutionError: a reference has no value.
    """
    within = around.rounds.get(step.name)
    stand_in = around.options.stand_ins.step(step.name, step.type)
    handler = handler_of(step.type, stand_in is not None)
    name = around.identity.job_name(step.name, handler.longest_name)
    job = (step.type, name)
    request = around.values.resolve(dict(step.arguments), job, within)
    members = around.values.resolve(dict(step.members), job, within)
    if not isinstance(request, dict) or not isinstance(members, dict):
        raise StepError("the step's arguments are no object once resolved")
    prefix = request.get(handler.name_field) if handler.name_field else None
    if isinstance(prefix, str) and prefix:
        name = around.identity.custom_job_name(prefix, handler.longest_name)
    stand_in = stand_in or handler.stand_in(request, members, around.options.stand_ins)
    return Prepared(handler, stand_in, name, request, members)


def judge(made: Prepared) -> str:
    """Say why the service would refuse a step's request; empty where it would not."""
    operation = made.handler.operation
    return refusal(made.request, operation, made.handler.name_field) if operation else ""


def cache_key(step: Step, made: Prepared, around: Surroundings) -> str | None:
    """Compute a step's cache key; None where it is not cached.

    A stand-in's own code and recorded values count beside the arguments.
    """
    if not made.handler.cache_attributes:
        return None
    more: dict[str, Any] = {}
    if made.stand_in is not None:
        more["stand_in"] = _identity(made.stand_in)
    members = made.handler.counted_members(made.members, around.registry)
    if members:
        more["members"] = members
    request: Mapping[str, Any] = made.request
    if around.cache.contents and around.cache.asked(step):
        request = made.handler.counted(request, around.registry, around.objects)
    return around.cache.key(
        step,
        around.body_name(step),
        request,
        made.handler.cache_attributes,
        [
            *made.handler.inputs(made.request),
            *made.handler.more_inputs(made.members, around.registry),
        ],
        more or None,
    )


def _identity(stand_in: StandIn) -> list[Any]:
    """What makes a stand-in another one: its function's code, its recorded values."""
    digest = hashlib.sha256()
    if stand_in.function and stand_in.folder is not None:
        first = stand_in.function.partition(":")[0].partition(".")[0]
        single = stand_in.folder / f"{first}.py"
        files = [single] if single.is_file() else sorted((stand_in.folder / first).rglob("*.py"))
        for path in (*files, *_files(stand_in)):
            digest.update(path.read_bytes())
    return [
        stand_in.function, dict(stand_in.outputs), dict(stand_in.properties), digest.hexdigest()
    ]  # fmt: skip


def _files(stand_in: StandIn) -> list[Path]:
    found: list[Path] = []
    for path in stand_in.files.values():
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return found


def _note(result: StepResult) -> str:
    """Say in a few words what a step brought about."""
    if result.outcome is not None:
        return "true" if result.outcome else "false"
    version = result.properties.get("ModelPackageVersion")
    if version is not None:
        return f"{result.properties.get('ModelPackageGroupName')} version {version}"
    best = result.properties.get("BestTrainingJob")
    objective = best.get("FinalHyperParameterTuningJobObjectiveMetric") if best else None
    if objective:
        count = len(result.properties.get("TrainingJobSummaries") or ())
        return f"best of {count}: {objective.get('MetricName')} {objective.get('Value'):g}"
    return ""
