"""Which arguments of a step the service's step cache looks at.

Source: AWS, "Default cache key attributes by pipeline step type" (SageMaker Developer Guide).
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.definition.normal import Path

_TRAINING_JOB = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
_AUTOML = ("CompletionCriteria", "CandidateGenerationConfig", "DataSplitConfig", "Mode")
_CHECK = (
    "CheckJobConfig",
    "SkipCheck",
    "RegisterNewBaseline",
    "ModelPackageGroupName",
    "SuppliedBaselineConstraints",
)

CACHE_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Processing": (("AppSpecification",), ("Environment",), ("ProcessingInputs",)),
    "Training": tuple(
        (name,)
        for name in (
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        )
    ),
    "Tuning": (
        ("HyperParameterTuningJobConfig",),
        *(("TrainingJobDefinition", name) for name in _TRAINING_JOB),
        ("TrainingJobDefinitions",),
    ),
    "AutoML": (
        *(("AutoMLJobConfig", name) for name in _AUTOML),
        ("AutoMLJobObjective",),
        ("InputDataConfig",),
        ("ProblemType",),
    ),
    "Transform": (("DataProcessing",), ("Environment",), ("ModelName",), ("TransformInput",)),
    "ClarifyCheck": (("ClarifyCheckConfig",), *((name,) for name in _CHECK)),
    "QualityCheck": (
        ("QualityCheckConfig",),
        *((name,) for name in _CHECK),
        ("SuppliedBaselineStatistics",),
    ),
    "EMR": (("ClusterId",), ("StepConfig",)),
}
"""Paths that count, from a step down (inside ``Arguments`` or beside it), by the API's type."""


def counts_for_cache(kind: str, path: Path) -> bool:
    """Say whether a step's cache looks at a place.

    Args:
        kind: the API's type of the step.
        path: the place, from the step down; ``Arguments`` in front or not.

    A type that the documentation does not list is taken to look at all of its arguments [U].
    """
    inside = path[1:] if path[:1] == ("Arguments",) else path
    keys = CACHE_KEYS.get(kind)
    if keys is None:
        return path[:1] == ("Arguments",)
    return any(inside[: len(key)] == key[: len(inside)] for key in keys)
