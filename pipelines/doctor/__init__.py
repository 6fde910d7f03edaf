"""What of this tool works on this machine.

Everything is found out here: no network, no credentials used, the SDK not imported.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.doctor.containers import check_containers
from pipelines.doctor.credentials import check_credentials
from pipelines.doctor.machine import check_git, check_isolation, check_store
from pipelines.doctor.model import Finding
from pipelines.doctor.software import (
    check_job_libraries,
    check_packages,
    check_python,
    check_sagedag,
    check_sdk,
    check_service_model,
)

__all__ = ["Finding", "examine"]


def examine(folder: Path) -> list[Finding]:
    """Look at this machine and return what was found, in the order in which people read it.

    Args:
        folder: where the user stands; the local store is looked for from here upwards.
    """
    return [
        check_python(),
        check_sagedag(),
        check_packages(),
        check_sdk(),
        check_service_model(),
        check_job_libraries(),
        *check_isolation(),
        check_store(folder),
        check_git(),
        *check_credentials(),
        *check_containers(),
    ]
