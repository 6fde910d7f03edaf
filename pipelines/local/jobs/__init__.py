"""Running one job the way SageMaker's containers see it, as a process of this machine."""

from __future__ import annotations

from pipelines.local.jobs.context import JobContext, JobFailed, JobStopped, Progress
from pipelines.local.jobs.function import Answer, Function, call_function, place_function
from pipelines.local.jobs.material import discard
from pipelines.local.jobs.processing import run_processing
from pipelines.local.jobs.room import Room
from pipelines.local.jobs.training import run_training

__all__ = [
    "Answer",
    "Function",
    "JobContext",
    "JobFailed",
    "JobStopped",
    "Progress",
    "Room",
    "call_function",
    "discard",
    "place_function",
    "run_processing",
    "run_training",
]
