"""SageMaker SDK 3: where it keeps its modules, and the step classes that it alone has."""

from __future__ import annotations

_CORE = frozenset(
    {"conditions", "execution_variables", "functions", "parameters", "properties"}
)  # fmt: skip
_ELSEWHERE = {
    "pipeline_variable": "sagemaker.core.helper.pipeline_variable",
    "shapes": "sagemaker.core.shapes.shapes",
}

STEPS = {
    "Cleanup": ("cleanup_step", "CleanupStep"),
    "EMRServerless": ("emr_serverless_step", "EMRServerlessStep"),
    "Job": ("steps", "JobStep"),
    "Model": ("model_step", "ModelStep"),
    "RegisterModel": ("model_step", "ModelStep"),
}
"""Module and class by step type, beside those that both majors have."""


def locate(module: str) -> str:
    """Return the full name of a module of the SDK's workflow package."""
    if module in _ELSEWHERE:
        return _ELSEWHERE[module]
    return f"sagemaker.{'core' if module in _CORE else 'mlops'}.workflow.{module}"
