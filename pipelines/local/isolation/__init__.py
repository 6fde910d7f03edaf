"""Ways to give every job its own ``/opt/ml`` and to keep jobs away from the user's files.

=========  ===============================================================================
mode       what it does
=========  ===============================================================================
userns     Linux namespaces made by a small launcher: all but the job's folder is read-only, the
           home, the project and the store are hidden (the default where it works)
bwrap      the same through the program ``bwrap`` (Debian package bubblewrap)
link       ``/opt/ml`` is a symbolic link to the job's folder; one job at a time; no protection
docker     the job's own image in a container; ``podman`` does the same (when asked for)
paths      ``/opt/ml`` is rewritten in arguments, variables, files, Python calls; no protection
=========  ===============================================================================
"""

from __future__ import annotations

import functools

from pipelines.errors import ExecutionFailed, UsageError
from pipelines.local.isolation.bubblewrap import Bubblewrap
from pipelines.local.isolation.containers import Engine
from pipelines.local.isolation.link import Link
from pipelines.local.isolation.model import ML, Container, Isolation, Launch, Probe, Sandbox
from pipelines.local.isolation.paths import Paths
from pipelines.local.isolation.userns import UserNamespaces

__all__ = [
    "ML",
    "MODES",
    "Container",
    "Isolation",
    "Launch",
    "Probe",
    "Sandbox",
    "choose",
    "probe_all",
]

MODES: tuple[Isolation, ...] = (UserNamespaces(), Bubblewrap(), Link(), Paths())
"""Best first: ``auto`` takes the first one that works."""

ENGINES: tuple[Isolation, ...] = (Engine("docker"), Engine("podman"))
"""Taken only when they are named."""


def choose(mode: str = "auto", strict: bool = False) -> Isolation:
    """The isolation that jobs of this process get.

    Args:
        mode: ``auto``, ``strict`` (``auto`` that refuses to degrade) or a mode's name.
        strict: refuse a mode that protects nothing.

    Raises:
        UsageError: there is no such mode.
        ExecutionFailed: the mode does not work here, or none that protects does; the hint says
            which setting or which other mode helps.
    """
    strict = strict or mode == "strict"
    named = {each.name: each for each in (*MODES, *ENGINES)}
    if mode not in ("auto", "strict") and mode not in named:
        known = ", ".join(["auto", "strict", *named])
        raise UsageError(f"there is no isolation mode {mode!r}", f"The modes are {known}.")
    wanted = MODES if mode in ("auto", "strict") else (named[mode],)
    failures = []
    for isolation in wanted:
        if strict and not isolation.protects:
            failures.append(f"{isolation.name} protects nothing")
            continue
        probe = _probe(isolation.name)
        if probe.works:
            return isolation
        failures.append(f"{isolation.name}: {probe.reason}")
        if probe.hint:
            failures.append(probe.hint)
    raise ExecutionFailed(
        "jobs cannot be isolated here" if strict else f"isolation {mode!r} does not work here",
        "\n".join(failures),
    )


def probe_all() -> list[Probe]:
    """Every mode: whether it works here, or why not and the way out."""
    return [_probe(isolation.name) for isolation in MODES]


@functools.cache
def _probe(name: str) -> Probe:
    known = (*MODES, *ENGINES)
    return next(isolation for isolation in known if isolation.name == name).probe()
