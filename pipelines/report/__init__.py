"""One run of this machine as a page that stands alone: `sagedag report`."""

from __future__ import annotations

from pipelines.report.gather import gather
from pipelines.report.page import render

__all__ = ["gather", "render"]
