"""Notebook jobs: the program of SageMaker's notebook images, over papermill."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipelines.local.jobs.context import JobContext, JobFailed
from pipelines.local.jobs.process import Command

NOTEBOOK_RUNNER = "amazon_sagemaker_scheduler"
"""What runs the notebook in SageMaker's images (the SDK's ``NotebookJobStep``)."""

NEEDED = ("papermill", "ipykernel")
SHELL = 'cd "$1" && . "./$2" && shift 2 && exec "$@"'
"""The setup script runs first, in the shell that becomes the notebook's own process."""


def is_notebook(entry: list[str]) -> bool:
    """Whether an entry point is the notebook runner, and this machine has none itself."""
    return entry[:1] == [NOTEBOOK_RUNNER] and shutil.which(NOTEBOOK_RUNNER) is None


def notebook_command(request: Mapping[str, Any], context: JobContext) -> Command:
    """The command of a notebook's job; its program is copied beside it.

    Raises:
        JobFailed: what runs notebooks is not installed.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise JobFailed(
            f"ImageNotRunnable: a notebook is run by {' and '.join(NEEDED)} here, and "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            context.log,
            hint='pip install "sagedag[notebooks]", or say in local.yaml what stands in for the '
            "step: steps: {STEP: {properties: {}}}",
        )
    source = Path(__file__).with_name("notebook_program.py")
    program = context.folder / "bin" / source.name
    program.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, program)
    variables = {str(name): str(value) for name, value in request.get("Environment", {}).items()}
    argv: tuple[str, ...] = ("python3", str(program))
    setup = variables.get("SM_INIT_SCRIPT")
    if setup:
        folder = variables.get("SM_EXECUTION_INPUT_PATH", "/opt/ml/input/data")
        name = PurePosixPath(setup).name
        argv = ("/bin/bash", "-c", SHELL, "setup", folder, name, *argv)
    limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
    return Command(
        argv,
        {"TRAINING_JOB_NAME": context.name, "TRAINING_JOB_ARN": context.arn, **variables},
        "/tmp",  # noqa: S108 - the job's own
        float(limit) if limit is not None else None,
    )
