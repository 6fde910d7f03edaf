"""The mode ``link``: ``/opt/ml`` is a symbolic link to the job's folder, for one job at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.local.isolation.guard import guarded
from pipelines.local.isolation.model import ML, Isolation, Launch, Probe, Sandbox


class Link(Isolation):
    """Points ``/opt/ml`` at the job's folder; protects nothing.

    Where the user may not write to ``/opt``, ``/opt/ml`` may itself be a link, made once, to a
    place where the user may; that place is then the link that moves from job to job.

    Args:
        ml: the link; another place than ``/opt/ml`` serves tests.
    """

    name = "link"
    note = "protects nothing: jobs see all your files, one job at a time has /opt/ml"
    protects = False

    def __init__(self, ml: Path = Path(ML)) -> None:
        self._ml = ml

    def probe(self) -> Probe:
        """Whether the link can be made here."""
        moving = self._moving()
        if moving.exists() and not moving.is_symlink():
            return self._missing(
                f"{moving} is a folder of its own", f"Move it away: sudo mv {moving} {moving}.old"
            )
        if not os.access(moving.parent, os.W_OK):
            return self._missing(
                f"{moving.parent} cannot be written",
                f'Make the link once: sudo ln -s "$HOME/.sagedag-ml" {self._ml}',
            )
        return self._found()

    @contextlib.contextmanager
    def launch(self, sandbox: Sandbox) -> Iterator[Launch]:
        """Wait until no other job has ``/opt/ml``, point it here, start the command."""
        moving = self._moving()
        lock = os.open(moving.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh = moving.with_name(f".{moving.name}.{secrets.token_hex(4)}")
            fresh.symlink_to(sandbox.ml)
            fresh.replace(moving)
            try:
                cwd = str(sandbox.scratch) if sandbox.cwd == "/tmp" else sandbox.cwd  # noqa: S108 - the container's
                own = {"TMPDIR": str(sandbox.scratch), "HOME": str(sandbox.scratch)}
                environment = {**sandbox.environment, **own}
                yield guarded(replace(sandbox, cwd=cwd, environment=environment))
            finally:
                if moving.is_symlink() and moving.readlink() == sandbox.ml:
                    moving.unlink()
        finally:
            os.close(lock)

    def _moving(self) -> Path:
        """The link to move: ``/opt/ml``, or what a lasting link there points to."""
        if self._ml.is_symlink() and not os.access(self._ml.parent, os.W_OK):
            return self._ml.parent / self._ml.readlink()
        return self._ml
