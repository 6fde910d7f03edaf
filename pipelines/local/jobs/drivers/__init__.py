"""Stand-ins for images that bring their own program, such as the built-in algorithms.

A driver is one file here with a class of the ``Driver`` protocol, and one entry in ``DRIVERS``
(training) or ``PROCESSING_DRIVERS``. It turns a request into a command that does what the image
would do, over an open library. The command runs inside the job: a program that it needs is copied
to ``context.folder / "bin"``, which every isolation shows to the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pipelines.local.jobs.context import JobContext
from pipelines.local.jobs.drivers.analysis_image import AnalysisImage
from pipelines.local.jobs.drivers.xgboost_image import XGBoostImage
from pipelines.local.jobs.images import Image
from pipelines.local.jobs.process import Command


class Driver(Protocol):
    """Runs what an image's own program would."""

    def accepts(self, image: Image, request: Mapping[str, Any]) -> bool:
        """Whether this driver stands for the image of the request."""

    def command(self, request: Mapping[str, Any], context: JobContext) -> Command:
        """The command of the job; ``/opt/ml`` is already laid out."""

    def metrics(self, request: Mapping[str, Any]) -> list[dict[str, str]]:
        """The MetricDefinitions that the service itself has for the image."""


DRIVERS: tuple[Driver, ...] = (XGBoostImage(),)
"""The first driver that accepts a training image runs it."""

PROCESSING_DRIVERS: tuple[Driver, ...] = (
    AnalysisImage("sagemaker-model-monitor-analyzer", "monitor"),
    AnalysisImage("sagemaker-clarify-processing", "clarify"),
)
"""The first driver that accepts the image of a processing job without an entry point runs it."""


def find_driver(image: Image, request: Mapping[str, Any]) -> Driver | None:
    """The driver for an image, or None."""
    return next((driver for driver in DRIVERS if driver.accepts(image, request)), None)


def find_processing_driver(image: Image, request: Mapping[str, Any]) -> Driver | None:
    """The driver for the image of a processing job, or None."""
    return next((driver for driver in PROCESSING_DRIVERS if driver.accepts(image, request)), None)
