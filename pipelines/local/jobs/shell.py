"""A shell in a job's place: in its prepared ``/opt/ml``, with its variables, in its isolation."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import shlex
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path

from pipelines.local.isolation import Launch
from pipelines.local.jobs.context import JobContext, JobFailed

SHELLS = ("/bin/bash", "/bin/sh")

# Makes the terminal on its standard input its session's own, then becomes the shell. The job is in
# a process group of its own, and a group's leader cannot begin a session: hence the fork.
_HOST = """
import fcntl, os, sys, termios
child = os.fork()
if child:
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 255)
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def shell_argv(interactive: bool) -> tuple[str, ...]:
    """The command that takes the job's place.

    Raises:
        FileNotFoundError: this machine has no shell.
    """
    shell = next((path for path in SHELLS if Path(path).exists()), None)
    if shell is None:
        raise FileNotFoundError(f"there is none of {', '.join(SHELLS)}")
    if not interactive:
        return (shell,)
    options = ("--norc", "-i") if shell.endswith("bash") else ("-i",)
    return (sys.executable, "-I", "-S", "-c", _HOST, shell, *options)


def shell_environment(step: str) -> dict[str, str]:
    """The variables that a shell wants besides the job's."""
    return {"TERM": os.environ.get("TERM", "dumb"), "PS1": f"{step}:\\w\\$ "}


def is_interactive() -> bool:
    """Whether somebody sits at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def greet(argv: tuple[str, ...]) -> None:
    """Tell what the job would run; on stderr, for a shell's output may be wanted alone."""
    sys.stderr.write(
        f"The job would run: {shlex.join(argv)}\n"
        "What you write below /opt/ml is not stored. End the shell with `exit`.\n"
    )
    sys.stderr.flush()


def converse(launch: Launch, context: JobContext, interactive: bool) -> int:
    """Run the shell until it ends; return its exit status.

    Raises:
        JobFailed: it could not be started.
    """
    try:
        if not interactive:
            sys.stdout.flush()
            process = subprocess.Popen(
                launch.argv,
                env=dict(launch.environment),
                cwd=launch.cwd,
                pass_fds=launch.inherited,
                start_new_session=True,
            )
            while process.poll() is None:
                _end_if_cancelled(process, context)
            return process.returncode
        return _at_terminal(launch, context)
    except (OSError, ValueError) as problem:
        raise JobFailed(f"the shell could not be started: {problem}", context.log) from None


def _end_if_cancelled(process: subprocess.Popen[bytes], context: JobContext) -> None:
    """Wait a moment; end the shell where the run is being stopped."""
    if context.cancelled.wait(0.1):
        context.isolation.kill(process.pid)
        process.wait()


def _at_terminal(launch: Launch, context: JobContext) -> int:
    """Run the shell at a terminal of its own and pass everything on between it and the user's."""
    here, there = os.openpty()
    try:
        _take_size(here)
        process = subprocess.Popen(
            launch.argv,
            stdin=there,
            stdout=there,
            stderr=there,
            env=dict(launch.environment),
            cwd=launch.cwd,
            pass_fds=launch.inherited,
            start_new_session=True,
        )
        os.close(there)
        there = -1
        with _raw(sys.stdin.fileno()):
            _pass_on(here, process, context)
        return process.wait()
    finally:
        for descriptor in (here, there):
            if descriptor >= 0:
                os.close(descriptor)


def _pass_on(here: int, process: subprocess.Popen[bytes], context: JobContext) -> None:
    user = [sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select([here, *user], [], [], 0.5)
        if here in ready:
            try:
                data = os.read(here, 1 << 14)
            except OSError:
                # EIO: nobody has the other end open any more.
                return
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if user and user[0] in ready:
            data = os.read(user[0], 1 << 14)
            if data:
                os.write(here, data)
            else:
                user = []
        if not ready:
            _take_size(here)
            if context.cancelled.is_set():
                context.isolation.kill(process.pid)
            if process.poll() is not None:
                return


def _take_size(here: int) -> None:
    """Give the shell's terminal the size of the user's."""
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(here, termios.TIOCSWINSZ, size)


@contextlib.contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Have every key go to the shell, and the terminal as it was afterwards."""
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
