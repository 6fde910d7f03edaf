"""SageMaker SDK 2: where it keeps its modules, and the step classes that it alone has."""

from __future__ import annotations

_ELSEWHERE = {"pipeline_variable": "sagemaker.workflow.entities"}

# Its ModelStep is a collection of steps, which never stands in a definition itself, and for
# RegisterModel it has a private class only: that is written by a plain step.
STEPS = {"Model": ("steps", "CreateModelStep")}
"""Module and class by step type, beside those that both majors have."""


def locate(module: str) -> str:
    """Return the full name of a module of the SDK's workflow package."""
    return _ELSEWHERE.get(module, f"sagemaker.workflow.{module}")
