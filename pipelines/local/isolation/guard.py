"""Starting a job without namespaces, yet so that it ends with the runner.

A small process stands between the runner and the job (``launcher.py``): it sees the runner go and
then kills the job and whatever the job started.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.local.isolation.model import Launch, Sandbox

LAUNCHER = Path(__file__).resolve().parent / "launcher.py"
"""Run as a program of its own, with nothing but the standard library."""


def launcher_argv(*arguments: str) -> tuple[str, ...]:
    """The command that runs the launcher: no site packages, no user's variables, quick to start."""
    return (sys.executable, "-I", "-S", str(LAUNCHER), *arguments)


def descriptors(sandbox: Sandbox) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The launcher's options for the pipes to the runner, and the descriptors it must inherit."""
    options: tuple[str, ...] = ()
    for name, number in (("--lifeline", sandbox.lifeline), ("--status", sandbox.status)):
        if number is not None:
            options += (name, str(number))
    return options, tuple(n for n in (sandbox.lifeline, sandbox.status) if n is not None)


def guarded(sandbox: Sandbox) -> Launch:
    """The launch of a command that lives no longer than the runner."""
    options, inherited = descriptors(sandbox)
    argv = launcher_argv("guard", *options, "--", *sandbox.argv)
    return Launch(argv, sandbox.environment, Path(sandbox.cwd), inherited)
