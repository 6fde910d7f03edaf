"""The small program between the runner and a job: it confines the job, waits for it, ends it.

Run as ``python -I -S launcher.py guard|userns OPTIONS -- COMMAND…``; standard library only, and as
little of that as possible, since every job pays for its start. ``guard`` makes no namespace.

Options:
    --lifeline FD       the job is killed when this descriptor reads as ended: the runner is gone
    --status FD         errors before the job's own program runs are written here

The exit status is the job's; 128 + N after signal N, like a shell's.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

GRACE = 0.2
"""Seconds between the polite and the final signal when the job's own process ended before others."""


def main(arguments: list[str]) -> int:
    """Read the command line, start the job and return its exit status."""
    cut = arguments.index("--")
    mode, options, command = arguments[0], arguments[1:cut], arguments[cut + 1 :]
    lifeline = status = -1
    rest: list[str] = []
    while options:
        name = options.pop(0)
        if name == "--lifeline":
            lifeline = int(options.pop(0))
        elif name == "--status":
            status = int(options.pop(0))
        else:
            rest.append(name)
    for descriptor in (lifeline, status):
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)
    if mode == "guard":
        return guard(command, lifeline, status)
    raise SystemExit(f"launcher: no mode {mode!r}")


def guard(command: list[str], lifeline: int, status: int) -> int:
    """Run a command in a process group of its own and leave none of it behind."""
    wakeup, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stop.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        run(command, status)
    if status >= 0:
        os.close(status)
    watched = [wakeup] if lifeline < 0 else [wakeup, lifeline]
    while True:
        ended, how = os.waitpid(child, os.WNOHANG)
        if ended:
            signal_group(child, signal.SIGKILL)
            return exit_code(how)
        ready, _, _ = select.select(watched, [], [], 1.0)
        if lifeline in ready:
            signal_group(child, signal.SIGKILL)
            return 137
        if wakeup in ready:
            os.read(wakeup, 64)
        while stop:
            signal_group(child, stop.pop())


def run(command: list[str], status: int) -> None:
    """Become the job's program; never returns."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    try:
        os.execvp(command[0], command)
    except OSError as problem:
        fail(status, f"{command[0]}: {problem.strerror}", 127)


def fail(status: int, message: str, code: int) -> None:
    """Tell the runner why the job could not start, and end."""
    text = message.encode("utf-8", "surrogateescape")
    os.write(status if status >= 0 else 2, text)
    os._exit(code)


def signal_group(group: int, number: int) -> None:
    """Signal a process group that may be gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def exit_code(how: int) -> int:
    """A wait status as a shell would put it."""
    return 128 + os.WTERMSIG(how) if os.WIFSIGNALED(how) else os.WEXITSTATUS(how)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
