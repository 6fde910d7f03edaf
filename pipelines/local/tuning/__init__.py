"""A hyperparameter tuning job: a search whose trials are real training jobs of this machine."""

from __future__ import annotations

from pipelines.local.tuning.tune import run_tuning

__all__ = ["run_tuning"]
