"""A Python function of the user's, called with an event in a job process of its own."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import ExecutionFailed
from pipelines.local.encoding import plain
from pipelines.local.files import copy_file, walk
from pipelines.local.isolation import ML
from pipelines.local.jobs.context import JobContext, JobFailed
from pipelines.local.jobs.material import prepare_folder
from pipelines.local.jobs.outputs import LinkLeaves, output_files
from pipelines.local.jobs.process import Command, run_command

CALL = "function_call.py"

# [U] AWS Lambda's own limit for a response that is waited for is 6 MB.
MAX_RESULT = 6 * 1024 * 1024

_CODE = "function/code"
_EVENT = "function/event.json"
_RESULT = "output/function-result.json"
_OBJECTS = "output/s3"


@dataclass(frozen=True)
class Function:
    """A function to call.

    Attributes:
        target: ``module:callable``.
        folder: the folder that the module, or its first package, stands in.
        seconds: its time limit; None for none.
    """

    target: str
    folder: Path
    seconds: float | None = None


@dataclass(frozen=True)
class Answer:
    """What a function returned, and the URIs of the objects it left."""

    result: Any
    objects: tuple[str, ...] = ()


def call_function(
    function: Function, event: object, known: Mapping[str, Any], context: JobContext
) -> Answer:
    """Call a function in a job.

    Args:
        function: the function.
        event: its first argument; JSON, times as text.
        known: what the context object tells: ``function_name``, ``invoked_function_arn``, ….
        context: where and as what the job runs.

    Returns:
        What the function returned. What it wrote below ``context.s3_folder`` as ``BUCKET/KEY`` is
        in the store.

    Raises:
        JobFailed: it could not be started, raised, ran too long, or returned what is no JSON.
        JobStopped: the caller cancelled it.
    """
    prepare_folder(context)
    place_function(function, event, known, context)
    (context.ml / _OBJECTS).mkdir(parents=True, exist_ok=True)
    command = function_command(function, f"{ML}/{_RESULT}")
    code = run_command(command, context)
    if code != 0:
        raise JobFailed(
            f"{function.target} ended with exit code {code}{_last_line(context.log)}",
            context.log,
            code,
        )
    return Answer(_read(context, function), _store(context))


def function_command(function: Function, result: str = "-") -> Command:
    """The command that calls a function placed by :func:`place_function`."""
    script = f"{ML}/function/{CALL}"
    argv = (sys.executable, script, f"{ML}/{_CODE}", function.target, f"{ML}/{_EVENT}", result)
    return Command(argv, {}, "/tmp", function.seconds)  # noqa: S108 - the job's own


def place_function(
    function: Function, event: object, known: Mapping[str, Any], context: JobContext
) -> None:
    """Copy a function's module and its event into a job's folder.

    Raises:
        JobFailed: its module cannot be copied.
    """
    code = context.ml / _CODE
    code.mkdir(parents=True, exist_ok=True)
    first = function.target.partition(":")[0].partition(".")[0]
    try:
        single = function.folder / f"{first}.py"
        if single.is_file():
            copy_file(single, code / single.name)
        else:
            for name, path in walk(function.folder / first):
                if "__pycache__" in name.split("/"):
                    continue
                target = code / first / name
                target.parent.mkdir(parents=True, exist_ok=True)
                copy_file(path, target)
    except (ExecutionFailed, OSError) as problem:
        raise JobFailed(f"the module of {function.target}: {problem}", context.log) from None
    copy_file(Path(__file__).with_name(CALL), context.ml / "function" / CALL)
    told = {"s3_folder": f"{ML}/{_OBJECTS}", "seconds": function.seconds, **known}
    text = json.dumps({"event": plain(event), "context": told})
    text = context.isolation.rewrite(text, context.ml)
    (context.ml / _EVENT).write_text(text, encoding="utf-8")


def _read(context: JobContext, function: Function) -> Any:
    """Read the result; the job may have put anything in its place."""
    path = context.ml / _RESULT
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise JobFailed(f"{function.target} left no result", context.log) from None
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_RESULT:
            limit = MAX_RESULT >> 20
            raise JobFailed(f"the result of {function.target} is over {limit} MB", context.log)
        data = stream.read()
    try:
        return json.loads(data)["result"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise JobFailed(f"the result of {function.target} is not JSON", context.log) from None


def _store(context: JobContext) -> tuple[str, ...]:
    """Upload what the function wrote as objects."""
    written = []
    try:
        for name, path in sorted(output_files(context.ml / _OBJECTS, context.ml)):
            uri = f"s3://{name}"
            context.objects.put(uri, path)
            written.append(uri)
    except (ExecutionFailed, LinkLeaves, OSError) as problem:
        raise JobFailed(f"the function's objects: {problem}", context.log) from None
    return tuple(written)


def _last_line(log: Path) -> str:
    """The last line of a log, which for Python is the exception."""
    try:
        lines = log.read_bytes()[-4096:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1][:500]}" if lines else ""
