"""The mode ``userns``: Linux namespaces, made by our own launcher; no program to install."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from pipelines.local.isolation.guard import descriptors, launcher_argv
from pipelines.local.isolation.layout import plan_layout
from pipelines.local.isolation.model import Isolation, Launch, Probe, Sandbox, holding
from pipelines.local.isolation.trial import try_out

OTHER_MODES = (
    "Or choose --isolation bwrap (Debian package bubblewrap), or --isolation paths, which protects "
    "nothing."
)

SWITCHES = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("user/max_user_namespaces", "0", "15000"),
)
"""Kernel settings that forbid user namespaces: (name, forbidding value, allowing value)."""


class UserNamespaces(Isolation):
    """Confines jobs by namespaces of the Linux kernel."""

    name = "userns"
    note = "jobs write only to their own folder and see neither your home, project nor store"
    protects = True

    def probe(self) -> Probe:
        """Run a small job for real."""
        if sys.platform != "linux":
            return self._missing("namespaces exist on Linux only")
        reason = try_out(self)
        return self._missing(reason, way_out()) if reason else self._found()

    def launch(self, sandbox: Sandbox) -> contextlib.AbstractContextManager[Launch]:
        """Start the command by the launcher, in namespaces."""
        options, inherited = descriptors(sandbox)
        argv = launcher_argv(
            sandbox, "userns", *options, *plan_layout(sandbox).options, "--", *sandbox.argv
        )
        return holding(Launch(argv, sandbox.environment, sandbox.scratch, inherited))


def way_out(settings: Path = Path("/proc/sys")) -> str:
    """What to change so that user namespaces work: the kernel setting that forbids them, if any."""
    for name, forbids, allows in SWITCHES:
        with contextlib.suppress(OSError):
            if (settings / name).read_text(encoding="ascii").strip() == forbids:
                key = name.replace("/", ".")
                return f"Allow them with: sudo sysctl -w {key}={allows}. {OTHER_MODES}"
    return (
        "In a container, allow them with: docker run --security-opt seccomp=unconfined "
        f"--security-opt apparmor=unconfined --security-opt systempaths=unconfined. {OTHER_MODES}"
    )
