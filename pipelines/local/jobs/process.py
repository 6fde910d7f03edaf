"""Running a job's process: its output, its time limit, being stopped."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from pipelines.local.isolation import Container, Isolation, Launch, Sandbox, choose
from pipelines.local.isolation.containers import CANNOT_RUN
from pipelines.local.jobs.context import JobContext, JobFailed, JobStopped
from pipelines.local.jobs.environment import (
    container_environment,
    job_environment,
    own_interpreter,
)
from pipelines.local.jobs.interpreters import OWN, Interpreter
from pipelines.local.jobs.shell import (
    converse,
    greet,
    is_interactive,
    shell_argv,
    shell_environment,
)

MAX_LINE = 4096
"""Longest line, in characters, that is handed on; the log file has the whole."""

STUBBORN = 2.0
"""Seconds a launcher gets to end a job before it is killed itself."""

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-_])|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TICK = 0.05


class Overdue(JobFailed):
    """The job ran into its time limit."""


@dataclass(frozen=True)
class Command:
    """What a job runs.

    Attributes:
        argv: program and arguments, with a container's paths.
        environment: the variables of the request and the contract.
        cwd: the working directory in the container.
        seconds: the time limit; None for none.
        interpreter: the Python that stands for the image's.
        container: the job's container, for modes that run images.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str
    seconds: float | None
    interpreter: Interpreter = OWN
    container: Container | None = None


def run_command(command: Command, context: JobContext) -> int:
    """Run a job's command to its end and return its exit status.

    Raises:
        JobFailed: it could not be started, or it ran into its time limit.
        JobStopped: the caller cancelled it.
    """
    if context.cancelled.is_set():
        raise JobStopped
    context.log.parent.mkdir(parents=True, exist_ok=True)
    argv, environment = own_interpreter(command.argv, command.interpreter), command.environment
    interactive = is_interactive() if context.shell else False
    if context.shell:
        greet(argv)
        argv = shell_argv(interactive)
        environment = {**environment, **shell_environment(context.shell)}
    isolation = context.isolation
    if isolation.runs_images and command.container is None:
        # What has no image of its own, such as a stand-in's function, runs as a process.
        isolation = choose()
    if isolation.runs_images:
        given = container_environment(context, environment)
    else:
        given = job_environment(context, environment, command.interpreter)
    alive_there, alive_here = os.pipe()
    report_here, report_there = os.pipe()
    try:
        sandbox = Sandbox(
            ml=context.ml,
            scratch=context.scratch,
            argv=argv,
            environment=given,
            cwd=command.cwd,
            hidden=_hidden(context),
            shown=command.interpreter.shown,
            container=command.container,
            lifeline=alive_there,
            status=report_there,
        )
        with isolation.launch(sandbox) as launch, context.log.open("ab") as log:
            if context.shell:
                # It takes the job's place; whatever it did, the job itself did not run.
                converse(launch, context, interactive)
                raise JobStopped
            process = _start(launch, context)
            for descriptor in (alive_there, report_there):
                os.close(descriptor)
            alive_there = report_there = -1
            code = _attend(process, command.seconds, context, isolation, log, report_here)
        if isolation.runs_images and code == CANNOT_RUN:
            raise JobFailed(_engine_said(context), context.log, code)
        return code
    finally:
        for descriptor in (alive_here, alive_there, report_here, report_there):
            if descriptor >= 0:
                os.close(descriptor)


def _engine_said(context: JobContext) -> str:
    """Why the engine could not run the container: its client's words end the log."""
    lines = context.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    told = [line for line in lines if line and not line.startswith("See 'docker run")]
    said = "; ".join(told[-2:])
    return f"the container could not be started: {_CONTROL.sub('', said)[:MAX_LINE]}"


def _hidden(context: JobContext) -> tuple[Path, ...]:
    store = context.objects.root
    around = store.parent if store.parent.name == ".sagedag" else store
    return (around, context.objects.base, *context.hidden)


def _start(launch: Launch, context: JobContext) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            launch.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(launch.environment),
            cwd=launch.cwd,
            pass_fds=launch.inherited,
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as problem:
        raise JobFailed(f"the job could not be started: {problem}", context.log) from None


def _attend(
    process: subprocess.Popen[bytes],
    seconds: float | None,
    context: JobContext,
    isolation: Isolation,
    log: BinaryIO,
    status: int,
) -> int:
    """Copy the output until the job ends; end it when it must."""
    lines = LineReader(context.on_line)
    started = time.monotonic()
    asked: float | None = None
    overdue = heard = False
    assert process.stdout is not None
    with process.stdout as stream:
        try:
            while chunk := _next_chunk(stream):
                if chunk is not _NOTHING:
                    log.write(chunk)
                    log.flush()
                    lines.feed(chunk)
                now = time.monotonic()
                overdue = overdue or (seconds is not None and now - started > seconds)
                if asked is None and (overdue or context.cancelled.is_set()):
                    asked = now
                    heard = isolation.stop(process.pid)
                elif asked is not None and not heard and now - asked <= context.grace:
                    heard = isolation.stop(process.pid)
                elif asked is not None and now - asked > context.grace + STUBBORN:
                    process.kill()
                    if _ends_within(process, STUBBORN):
                        break  # its output is held open by what no longer belongs to it
                elif asked is not None and now - asked > context.grace:
                    isolation.kill(process.pid)
                elif chunk is _NOTHING and process.poll() is not None:
                    break  # the job ended its launcher, and writes on
            lines.close()
        finally:
            if not _ends_within(process, 1.0):
                isolation.kill(process.pid)
                if not _ends_within(process, STUBBORN):
                    process.kill()
            code = process.wait()
            if code < 0:
                end_session(process.pid)
    if context.cancelled.is_set() and asked is not None and not overdue:
        raise JobStopped
    if overdue:
        raise Overdue(
            f"MaxRuntimeExceeded: the job ran longer than {seconds:g} s (MaxRuntimeInSeconds)",
            context.log,
        )
    if report := os.read(status, 4096):
        text = report.decode("utf-8", "replace")
        raise JobFailed(f"the job could not be started: {text}", context.log)
    return code if code >= 0 else 128 - code


_NOTHING = b"nothing yet"


def _next_chunk(stream: IO[bytes]) -> bytes:
    """Some output, ``_NOTHING`` when there is none for a moment, or b"" at the end."""
    ready, _, _ = select.select([stream], [], [], _TICK)
    return os.read(stream.fileno(), 1 << 16) if ready else _NOTHING


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the launcher ends by itself now that its output has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    return process.poll() is not None


def end_session(session: int) -> None:
    """Kill what is left of a job's session: only a job that killed its launcher leaves any."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        # A process may be gone by now.
        with contextlib.suppress(OSError, IndexError):
            # The fields after the command's name, which may hold anything: state, parent, group,
            # session.
            fields = entry.read_bytes().rpartition(b")")[2].split()
            if int(fields[3]) == session:
                os.kill(int(entry.parent.name), signal.SIGKILL)


class LineReader:
    """Cuts a stream of bytes into lines of bounded length without control characters.

    Args:
        on_line: gets each line; None to drop them.
    """

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self._rest = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._on_line is None:
            return
        *whole, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        for line in whole:
            self._emit(line)
            self._skipping = False
        if len(self._rest) > MAX_LINE * 4:
            self._emit(self._rest)
            self._skipping, self._rest = True, b""

    def close(self) -> None:
        """Hand on a last line that has no end."""
        if self._rest and self._on_line is not None:
            self._emit(self._rest)

    def _emit(self, line: bytes) -> None:
        if self._on_line is not None and not self._skipping:
            text = line.rsplit(b"\r", 1)[-1].decode("utf-8", "replace")
            self._on_line(_CONTROL.sub("", text)[:MAX_LINE])
