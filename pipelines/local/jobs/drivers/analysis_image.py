"""The images of Model Monitor and Clarify, over numpy and pandas."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.local.jobs.context import JobContext
from pipelines.local.jobs.images import Image
from pipelines.local.jobs.process import Command

PROGRAM = Path(__file__).with_name("analysis")
PACKAGE = "sagedag_analysis"
"""What the program is called where it runs; no user's module is."""


@dataclass(frozen=True)
class AnalysisImage:
    """Runs a module of the program in an image's place.

    Attributes:
        repository: the image's name.
        module: the module whose ``main`` does what the image does.
    """

    repository: str
    module: str

    def accepts(self, image: Image, request: Mapping[str, Any]) -> bool:
        """Whether it is this image; that it has no entry point was seen before."""
        del request
        return image.name.rpartition("/")[2] == self.repository

    def command(self, request: Mapping[str, Any], context: JobContext) -> Command:
        """The command of the job; its program is copied beside it."""
        folder = context.folder / "bin" / "analysis"
        target = folder / PACKAGE
        target.mkdir(parents=True, exist_ok=True)
        for source in PROGRAM.glob("*.py"):
            shutil.copyfile(source, target / source.name)
        start = (
            "import sys; sys.path.append(sys.argv.pop(1)); "
            f"from {PACKAGE} import {self.module}; sys.exit({self.module}.main())"
        )
        given = {str(name): str(value) for name, value in request.get("Environment", {}).items()}
        return Command(("python3", "-c", start, str(folder)), given, "/opt/ml", None)

    def metrics(self, request: Mapping[str, Any]) -> list[dict[str, str]]:
        """No metrics: the service reads none of a processing job's log."""
        del request
        return []
