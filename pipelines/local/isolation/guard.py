"""Starting a job without namespaces, yet so that it ends with the runner.

A small process stands between the runner and the job (``launcher.py``): it sees the runner go and
then kills the job and whatever the job started.
"""

from __future__ import annotations

import functools
import importlib.util
import marshal
import sys
from pathlib import Path

from pipelines.local.isolation.model import Launch, Sandbox

LAUNCHER = Path(__file__).resolve().parent / "launcher.py"
"""Run as a program of its own, with nothing but the standard library."""


def launcher_argv(sandbox: Sandbox, *arguments: str) -> tuple[str, ...]:
    """The command that runs the launcher: no site packages, no user's variables, quick to start.

    The launcher is compiled once and put beside the job's folder, where no job can write: compiling
    would cost each job as much as starting Python does.
    """
    program = sandbox.ml.parent / "launcher.pyc"
    program.write_bytes(_compiled(LAUNCHER))
    return (sys.executable, "-I", "-S", str(program), *arguments)


@functools.cache
def _compiled(source: Path) -> bytes:
    """A program as the content of a ``.pyc`` file, whose checks of its source are switched off."""
    code = compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
    unchecked = (1).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + unchecked + bytes(8) + marshal.dumps(code)


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
    argv = launcher_argv(sandbox, "guard", *options, "--", *sandbox.argv)
    return Launch(argv, sandbox.environment, Path(sandbox.cwd), inherited)
