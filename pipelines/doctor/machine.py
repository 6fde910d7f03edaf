"""Isolation of jobs, the local store and git."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pipelines.doctor.model import Finding
from pipelines.local.isolation import Probe, probe_all
from pipelines.local.store import find_store, place_store

_ENOUGH_BYTES = 1 << 30


def check_isolation(probes: list[Probe] | None = None) -> list[Finding]:
    """Say which ways of keeping jobs apart work; jobs need one of them.

    Args:
        probes: what was tried; by default every mode is, here and now.
    """
    tried = probe_all() if probes is None else probes
    default = next((probe.name for probe in tried if probe.works), None)
    found = [_mode(probe, probe.name == default) for probe in tried]
    if default is None:
        found.append(
            Finding(
                "isolation",
                "Isolation",
                "broken",
                "no mode works, so no job can run here",
                "any of the ways out above",
                essential=True,
            )
        )
    return found


def _mode(probe: Probe, default: bool) -> Finding:
    name, label = f"isolation-{probe.name}", f"Isolation {probe.name}"
    if not probe.works:
        return Finding(name, label, "broken", probe.reason, probe.hint)
    return Finding(name, label, "works", probe.note + ("; the default here" if default else ""))


def check_store(folder: Path) -> Finding:
    """Say where runs and models are kept, or would be, and whether that can be written."""
    store = find_store(folder)
    place = store or place_store(folder)
    existing = next(each for each in (place, *place.parents) if each.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            "store",
            "Local store",
            "broken",
            f"{place} can't be written",
            "sagedag run --store DIR keeps runs elsewhere",
            essential=True,
        )
    free = shutil.disk_usage(existing).free
    if free < _ENOUGH_BYTES:
        return Finding(
            "store",
            "Local store",
            "broken",
            f"{place}: {free // 2**20} MiB free",
            "make room, or keep runs elsewhere with sagedag run --store DIR",
        )
    detail = str(place) if store else f"{place}, made by the first run"
    return Finding("store", "Local store", "works", detail)


def check_git() -> Finding:
    """Say whether git is there, from which `{{ git.sha }}` and the like are read."""
    program = shutil.which("git")
    if program is None:
        return Finding(
            "git",
            "git",
            "absent",
            "not on PATH; only definitions that use `git.*` need it",
            "install git",
        )
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it does not answer"
        return Finding("git", "git", "broken", f"{program}: {reason}", "install git anew")
    version = done.stdout.strip().removeprefix("git version ")
    return Finding("git", "git", "works", f"{version} at {program}")
