"""Doing what the handlers file says in place of something that is not on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.addresses import is_s3
from pipelines.local.handlers._contract import StepContext, StepError
from pipelines.local.handlers._jobs import as_step_end, job_context
from pipelines.local.jobs import (
    Function,
    JobContext,
    JobFailed,
    call_function,
    place_function,
)
from pipelines.local.jobs.function import function_command
from pipelines.local.jobs.process import Command
from pipelines.local.stand_ins import StandIn

_TYPES: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Float": (int, float),
}


def answer(
    stand_in: StandIn,
    event: object,
    known: Mapping[str, Any],
    context: StepContext,
    metadata: Mapping[str, Any],
) -> tuple[Any, tuple[str, ...]]:
    """Call a stand-in's function with an event, or take what was recorded.

    Args:
        stand_in: what stands in.
        event: the function's first argument.
        known: what the function's context tells besides the step's name.
        context: the step.
        metadata: the step's, should it fail.

    Returns:
        What the function returned, or the recorded outputs or properties, and the URIs of the
        objects that were left.

    Raises:
        StepError: the function failed, or what was recorded is not there.
        StepStopped: it was stopped.
    """
    job = job_context(context, "function")
    with as_step_end(metadata):
        if not stand_in.function:
            context.say(f"sagedag: recorded values of {stand_in.name} stand in")
            return stand_in.outputs or stand_in.properties, store_recorded(stand_in, {}, job)
        context.say(f"sagedag: {stand_in.function} stands in ({stand_in.name})")
        context.enter("running")
        function = Function(
            stand_in.function, stand_in.folder or context.objects.base, stand_in.seconds
        )
        made = call_function(function, event, {"step": context.step.name, **known}, job)
        return made.result, made.objects


def called(stand_in: StandIn, event: object) -> Callable[[JobContext], Command]:
    """Return what puts a stand-in's function into a job that is laid out, as its command.

    The function finds the container's folders (``/opt/ml/…``) and leaves its outputs there.
    """

    def place(job: JobContext) -> Command:
        function = Function(
            stand_in.function, stand_in.folder or job.objects.base, stand_in.seconds
        )
        place_function(function, event, {"step": job.name}, job)
        return function_command(function)

    return place


def store_recorded(stand_in: StandIn, uris: Mapping[str, str], job: JobContext) -> tuple[str, ...]:
    """Copy recorded files to where a step would have written them.

    Args:
        stand_in: has the files by output or URI.
        uris: the outputs' URIs by name.
        job: the job they stand for.

    Returns:
        The URIs below which they stand.

    Raises:
        JobFailed: there is no such output, or a file cannot be copied.
    """
    written = []
    for name, path in stand_in.files.items():
        uri = uris.get(name, name)
        if not is_s3(uri):
            known = f"; the outputs are {', '.join(uris)}" if uris else ""
            raise JobFailed(
                f"{stand_in.name}: `{name}` is neither an output of the step nor an S3 URI{known}",
                job.log,
            )
        try:
            if path.is_dir():
                job.objects.upload(path, uri)
            else:
                place = f"{uri.rstrip('/')}/{path.name}" if name in uris else uri
                job.objects.put(place, path)
        except (ExecutionFailed, OSError) as problem:
            raise JobFailed(f"{stand_in.name}: {problem}", job.log) from None
        written.append(uri)
    return tuple(written)


def outputs_of(result: object, context: StepContext, whose: str) -> dict[str, Any]:
    """Take a step's declared OutputParameters out of what a function returned.

    [U] How the service reads numbers and booleans out of an answer is not documented beyond its
    having to fit the type; text that is one is taken here, as Lambda functions often return it.

    Raises:
        StepError: an output is missing or is of another type.
    """
    declared = context.members.get("OutputParameters") or []
    if not declared:
        return {}
    if not isinstance(result, Mapping):
        raise StepError(f"{whose} returned {_kind(result)}, not an object with its outputs")
    found: dict[str, Any] = {}
    for entry in declared:
        name = str(entry.get("OutputName"))
        kind = str(entry.get("OutputType", "String"))
        if name not in result:
            there = ", ".join(map(str, result)) or "nothing"
            raise StepError(f"{whose} gives no output `{name}`; it gives {there}")
        found[name] = _typed(result[name], kind, f"the output `{name}` of {whose}")
    return found


def _typed(value: Any, kind: str, what: str) -> Any:
    if isinstance(value, bool):
        if kind == "Boolean":
            return value
    elif kind != "Boolean" and isinstance(value, _TYPES.get(kind, str)):
        return value
    if isinstance(value, str):
        try:
            if kind == "Integer":
                return int(value)
            if kind == "Float":
                return float(value)
        except ValueError:
            pass
        if kind == "Boolean" and value.lower() in ("true", "false"):
            return value.lower() == "true"
    elif kind == "String" and isinstance(value, (int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    raise StepError(f"{what} is {_kind(value)}, not {kind}")


def output_metadata(outputs: Mapping[str, Any]) -> list[dict[str, str]]:
    """Write outputs as a step's metadata has them (botocore: OutputParameterList)."""
    return [
        {"Name": name, "Value": str(value).lower() if isinstance(value, bool) else str(value)}
        for name, value in outputs.items()
    ]


def example_outputs(members: Mapping[str, Any]) -> dict[str, Any]:
    """An example of recorded values for a step's declared outputs."""
    values: dict[str, Any] = {"Integer": 1, "Float": 0.5, "Boolean": True}
    declared = members.get("OutputParameters")
    return {
        str(entry.get("OutputName")): values.get(str(entry.get("OutputType")), "text")
        for entry in (declared if isinstance(declared, list) else ())
        if isinstance(entry, Mapping)
    }


def _kind(value: object) -> str:
    return {type(None): "nothing", dict: "an object", list: "a list", str: "text"}.get(
        type(value), repr(value)
    )
