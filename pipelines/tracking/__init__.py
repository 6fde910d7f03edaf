"""A local run in MLflow: parameters, metrics and files of its steps, and what its jobs log."""

from __future__ import annotations

from pipelines.tracking.place import TrackingPlace
from pipelines.tracking.tracker import Tracker, is_installed

__all__ = ["Tracker", "TrackingPlace", "is_installed"]
