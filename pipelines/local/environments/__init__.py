"""Libraries of images for jobs of this machine: ``--job-env``."""

from __future__ import annotations

from pipelines.errors import UsageError
from pipelines.local.environments.virtual import VirtualEnvironments
from pipelines.local.jobs.interpreters import CURRENT, Environments, InImages

NAMES = ("current", "venv", "docker", "podman")
"""What ``--job-env`` takes; the last two are isolations as well."""

ENGINES = ("docker", "podman")


def choose_environments(name: str) -> Environments:
    """Return the environments that ``--job-env`` names.

    Raises:
        UsageError: there are none of that name.
    """
    if name == "current":
        return CURRENT
    if name in ENGINES:
        return InImages(name)
    if name == "venv":
        return VirtualEnvironments()
    raise UsageError(f"there is no job environment `{name}`", f"there are: {', '.join(NAMES)}")


__all__ = ["NAMES", "VirtualEnvironments", "choose_environments"]
