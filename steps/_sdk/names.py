"""The installed SDK and its names that are used here, by whichever major it has.

What a release lacks is None in the names; ``lacking`` writes it then.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from steps._sdk import v2, v3


class SdkMissing(Exception):
    """No SageMaker SDK that can compile pipelines is installed."""


@dataclass(frozen=True)
class Major:
    """What differs between the SDK's majors.

    Args:
        number: 3 or 2.
        folder: the folder below ``sagemaker`` that only this major has.
        locate: the full name of a module of the workflow package.
        steps: step classes that this major alone has.
    """

    number: int
    folder: str
    locate: Callable[[str], str]
    steps: Mapping[str, tuple[str, str]]


# The newer one first.
MAJORS = (
    Major(3, "mlops/workflow", v3.locate, v3.STEPS),
    Major(2, "workflow", v2.locate, v2.STEPS),
)

NAMES = {
    "condition_step": ("ConditionStep",),
    "conditions": (
        "ConditionEquals", "ConditionGreaterThan", "ConditionGreaterThanOrEqualTo", "ConditionIn",
        "ConditionLessThan", "ConditionLessThanOrEqualTo", "ConditionNot", "ConditionOr",
    ),
    "execution_variables": ("ExecutionVariable",),
    "fail_step": ("FailStep",),
    "functions": ("Join", "JsonGet"),
    "parameters": ("ParameterBoolean", "ParameterFloat", "ParameterInteger", "ParameterString"),
    "pipeline": ("Pipeline",),
    "pipeline_experiment_config": ("PipelineExperimentConfig",),
    "pipeline_variable": ("PipelineVariable",),
    "properties": ("Properties", "PropertyFile"),
    "retry": (
        "SageMakerJobExceptionTypeEnum", "SageMakerJobStepRetryPolicy", "StepExceptionTypeEnum",
        "StepRetryPolicy",
    ),
    "steps": ("CacheConfig", "ConfigurableRetryStep", "Step", "StepTypeEnum"),
}  # fmt: skip
"""What compiling cannot do without: names by module, the same in both majors."""

LATER = {
    "for_each_step": ("ForEachSelector", "ForEachStep"),
    "shapes": ("MlflowConfig",),
    "step_dependency": ("StepDependency", "TriggerCondition"),
}
"""What came with later releases, and never to major 2."""

STEPS = {
    "AutoML": ("automl_step", "AutoMLStep"),
    "Callback": ("callback_step", "CallbackStep"),
    "ClarifyCheck": ("clarify_check_step", "ClarifyCheckStep"),
    "EMR": ("emr_step", "EMRStep"),
    "Endpoint": ("endpoint_step", "EndpointStep"),
    "EndpointConfig": ("endpoint_step", "EndpointConfigStep"),
    "InferenceComponent": ("inference_component_step", "InferenceComponentStep"),
    "Lambda": ("lambda_step", "LambdaStep"),
    "Lineage": ("lineage_step", "LineageStep"),
    "Processing": ("steps", "ProcessingStep"),
    "QualityCheck": ("quality_check_step", "QualityCheckStep"),
    "Training": ("steps", "TrainingStep"),
    "Transform": ("steps", "TransformStep"),
    "Tuning": ("steps", "TuningStep"),
}
"""The SDK's class of each step type: module and class. A type without one, or whose class the
installed release lacks, is written by a plain step of the SDK."""


@cache
def installed_major() -> Major:
    """Return which major is installed; nothing is imported to find out.

    Raises:
        SdkMissing: there is none.
    """
    spec = find_spec("sagemaker")
    if spec is None:
        raise SdkMissing("it is not installed")
    for place in spec.submodule_search_locations or ():
        for major in MAJORS:
            if Path(place, major.folder).is_dir():
                return major
    raise SdkMissing(f"{_version()} has no `workflow` package")


@cache
def names() -> SimpleNamespace:
    """Return the SDK's names; call inside ``offline()``.

    Raises:
        SdkMissing: there is no SDK, or it lacks a name that compiling cannot do without.
    """
    major = installed_major()
    found = SimpleNamespace()
    try:
        for module, members in NAMES.items():
            loaded = importlib.import_module(major.locate(module))
            for member in members:
                setattr(found, member, getattr(loaded, member))
    except (ImportError, AttributeError) as error:
        raise SdkMissing(f"{_version()} can't be used: {error}") from error
    for module, members in LATER.items():
        later = _import_if_there(major.locate(module))
        for member in members:
            setattr(found, member, getattr(later, member, None))
    if "mlflow_config" not in inspect.signature(found.Pipeline).parameters:
        found.MlflowConfig = None
    return found


def step_base(step_type: str) -> Any:
    """Return the SDK's class for a step type; call inside ``offline()``."""
    major = installed_major()
    module, name = {**STEPS, **major.steps}.get(step_type, ("", ""))
    loaded = _import_if_there(major.locate(module)) if module else None
    return getattr(loaded, name, None) or names().ConfigurableRetryStep


def _import_if_there(module: str) -> Any:
    """Return a module; None where this release of the SDK lacks it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and module.startswith(error.name):
            return None
        raise


def _version() -> str:
    try:
        return f"version {metadata.version('sagemaker')}"
    except metadata.PackageNotFoundError:
        return "the one that is installed"
