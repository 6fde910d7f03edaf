"""What every measurement needs: a line of the result, a clock, surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PULSAR = str(ROOT / "definitions/pulsar")
SAGEDAG = (sys.executable, "-m", "pipelines")


@dataclass(frozen=True)
class Line:
    """One line of the result."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None


def clock(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Return the seconds a command takes; its output goes nowhere.

    Raises:
        subprocess.CalledProcessError: it failed, so its time says nothing.
    """
    start = time.perf_counter()
    subprocess.run(
        command,
        env=dict(environment),
        cwd=ROOT,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def surroundings(folder: Path) -> dict[str, str]:
    """Return this process's variables as commands are measured with.

    Byte code is kept, as for every user, and the SDK finds a region and credentials: without them
    its import fails, or asks the metadata service first.
    """
    empty = folder / "empty"
    empty.write_text("")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SAGEDAG_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return inherited | {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "measuring",
        "AWS_SECRET_ACCESS_KEY": "measuring",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        "PYTHONPATH": str(ROOT),
    }
