"""The mode ``bwrap``: the same confinement as ``userns``, made by the program of that name."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path

from pipelines.local.isolation.guard import descriptors, launcher_argv
from pipelines.local.isolation.layout import Layout, plan_layout
from pipelines.local.isolation.model import Isolation, Launch, Probe, Sandbox, holding
from pipelines.local.isolation.trial import try_out

NAMESPACES = (
    "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "algo-1",
    "--cap-drop", "ALL", "--die-with-parent", "--new-session",
)  # fmt: skip


class Bubblewrap(Isolation):
    """Confines jobs by the program ``bwrap``."""

    name = "bwrap"
    note = "jobs write only to their own folder and see neither your home, project nor store"
    protects = True

    def probe(self) -> Probe:
        """Look for the program and run a small job for real."""
        if shutil.which("bwrap") is None:
            return self._missing(
                "the program bwrap is not installed", "Install it with: apt install bubblewrap"
            )
        reason = try_out(self)
        return self._missing(reason) if reason else self._found()

    def launch(self, sandbox: Sandbox) -> contextlib.AbstractContextManager[Launch]:
        """Start the command by bwrap, behind the guard that ends it with the runner."""
        options, inherited = descriptors(sandbox)
        layout = plan_layout(sandbox)
        program = shutil.which("bwrap") or "bwrap"
        argv = (
            *launcher_argv(sandbox, "guard", *options, "--"),
            program,
            *NAMESPACES,
            *arguments(layout),
            "--",
            *sandbox.argv,
        )
        return holding(Launch(argv, sandbox.environment, sandbox.scratch, inherited))

    def stop(self, process: int) -> bool:
        """Ask the job's own processes to end; bwrap itself would end without asking them."""
        asked = False
        # What is no child of bwrap yet may still become bwrap.
        for each in descendants(process) - descendants(process, generations=1):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{each}/comm").read_text(encoding="utf-8").strip() != "bwrap":
                    os.kill(each, signal.SIGTERM)
                    asked = True
        return asked


def arguments(layout: Layout) -> tuple[str, ...]:
    """A layout as bwrap's options; what our launcher makes read-only at the end is named singly."""
    read_only = [word for path in ("/", "/proc", *layout.masks) for word in ("--remount-ro", path)]
    return (*layout.options, *read_only)


def descendants(process: int, generations: int = 1000) -> set[int]:
    """The processes that a process started, and those that they did; not itself."""
    found: set[int] = set()
    newest = {process}
    for _ in range(generations):
        started: set[int] = set()
        for current in newest:
            children = Path(f"/proc/{current}/task/{current}/children")
            with contextlib.suppress(OSError, ValueError):
                started |= set(map(int, children.read_text(encoding="ascii").split()))
        newest = started - found
        found |= started
        if not newest:
            break
    return found
