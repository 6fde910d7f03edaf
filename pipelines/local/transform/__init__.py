"""Batch transform: a model's predictions for whole files.

Source: Amazon SageMaker Developer Guide, "Use batch transform to run inference" and "Associate
prediction results with input records"; API reference, CreateTransformJob.
"""

from __future__ import annotations

from pipelines.local.transform.job import run_transform

__all__ = ["run_transform"]
