"""Whether this interpreter has what a job's ``requirements.txt`` asks for; nothing is installed."""

from __future__ import annotations

import os
import stat
from importlib import metadata
from pathlib import Path

MAX_BYTES = 1 << 20
"""A longer requirements file is not read further."""


def missing_requirements(path: Path) -> list[str]:
    """What of a requirements file is not met, each as ``requirement (why)``.

    Options, links and nested files are passed over: only an installer could judge them. A
    requirement whose marker excludes this machine is met.

    Args:
        path: the file; nothing is missing when there is none.
    """
    lines = read_requirements(path)
    if not lines:
        return []
    # Costs 10 ms to import, and few jobs have requirements.
    from packaging.requirements import InvalidRequirement, Requirement

    missing = []
    for line in lines:
        text = line.split(" #")[0].split(" --")[0].strip()
        if not text or text.startswith(("#", "-")):
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.url or (requirement.marker and not requirement.marker.evaluate()):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            missing.append(f"{_plain(requirement)} (not installed)")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{_plain(requirement)} (version {version} is installed)")
    return missing


def _plain(requirement: object) -> str:
    return str(requirement).partition(";")[0].strip()


def read_requirements(path: Path) -> list[str]:
    """Return the lines of a requirements file; none where there is none. A link is not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return []
        text = stream.read(MAX_BYTES).decode("utf-8-sig", "replace")
    return text.replace("\\\n", " ").splitlines()
