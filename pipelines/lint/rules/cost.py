"""Rules about what is paid for and not needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.language.pages import Page
from pipelines.lint.jobs import SHAPES, shaped
from pipelines.lint.model import Finding, Part, Rule, Subject, items, leaves
from pipelines.lint.rules._examples import steps
from steps._expressions import ExecutionRef, Path, PropertyRef, expressions_in

KEY_ATTRIBUTES: dict[str, tuple[Path, ...]] = {
    "Processing": (("AppSpecification",), ("Environment",), ("ProcessingInputs",)),
    "Training": (
        ("AlgorithmSpecification",),
        ("CheckpointConfig",),
        ("DebugHookConfig",),
        ("DebugRuleConfigurations",),
        ("Environment",),
        ("HyperParameters",),
        ("InputDataConfig",),
    ),
    "Tuning": (
        ("HyperParameterTuningJobConfig",),
        ("TrainingJobDefinition", "AlgorithmSpecification"),
        ("TrainingJobDefinition", "HyperParameterRanges"),
        ("TrainingJobDefinition", "InputDataConfig"),
        ("TrainingJobDefinition", "StaticHyperParameters"),
        ("TrainingJobDefinition", "TuningObjective"),
        ("TrainingJobDefinitions",),
    ),
    "Transform": (("DataProcessing",), ("Environment",), ("ModelName",), ("TransformInput",)),
    "EMR": (("ClusterId",), ("StepConfig",)),
}
"""Arguments that decide whether an earlier result is taken, by the step's type.

Source: Amazon SageMaker Developer Guide, "Default cache key attributes by pipeline step type".
"""

_NEW_EACH_TIME = {
    "PipelineExecutionId": "execution.id",
    "PipelineExecutionArn": "execution.arn",
    "StartDateTime": "execution.start_datetime",
    "CurrentDateTime": "execution.current_datetime",
    "TrainingJobName": "execution.training_job_name",
    "ProcessingJobName": "execution.processing_job_name",
}
_NAMES_RESULTS_ANEW = ("Training", "Tuning", "Model", "AutoML")
"""Types of steps whose results have another name or place whenever they run."""


def _spoilers(subject: Subject, part: Part) -> Iterator[tuple[Path, str, str]]:
    """Yield the arguments that differ in every execution, of those that are compared.

    Each comes with the reason, and the step whose result it is.
    """
    for attribute in KEY_ATTRIBUTES.get(part.request.type, ()):
        for path, value in leaves(part.value(attribute)):
            for each in expressions_in(value):
                if isinstance(each, ExecutionRef) and each.name in _NEW_EACH_TIME:
                    word = _NEW_EACH_TIME[each.name]
                    yield (*attribute, *path), f"`{word}` differs in every execution", ""
                elif isinstance(each, PropertyRef) and _renews(subject, each):
                    why = f"`{each.step}` is not cached, and its result has a new place every time"
                    yield (*attribute, *path), why, each.step


def _renews(subject: Subject, reference: PropertyRef) -> bool:
    """Say whether a step's field differs in every execution, because the step runs anew."""
    source = subject.by_name.get(reference.step)
    if source is None or source.request.cache:
        return False
    if source.request.type in _NAMES_RESULTS_ANEW:
        return True
    if source.request.type != "Processing" or "Outputs" not in reference.path:
        return False
    name = reference.path[reference.path.index("Outputs") + 1]
    for output in items(source.value(("ProcessingOutputConfig", "Outputs"))):
        if output.get("OutputName") == name:
            return any(_is_new(each) for each in expressions_in(output.get("S3Output")))
    return False


def _is_new(value: Any) -> bool:
    return isinstance(value, ExecutionRef) and value.name in _NEW_EACH_TIME


def _cache_without_effect(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts:
        if not part.request.cache:
            continue
        for path, reason, other in _spoilers(subject, part):
            hint = "leave it out of the step's arguments, or write `cache: false`"
            if other and subject.by_name[other].spec.kind.cacheable:
                hint = f"cache `{other}` as well, or write `cache: false`"
            elif other:
                hint = "write `cache: false`: that step can't be cached"
            message = f"the step never finds an earlier result: {reason}"
            yield Finding(part.place(path), message, hint)


CACHE_WITHOUT_EFFECT = Rule(
    Page(
        "cache-without-effect",
        "A cached step can never find an earlier result",
        "The step is cached, and something that is compared differs in every execution: the "
        "execution's id or time among its arguments, inputs, hyperparameters or environment, or "
        "the result of a step that is not cached.",
        "The step runs and is paid for every time, though `cache` promises otherwise.",
        steps("""
            prepare:
              type: Processing
              image: {framework: sklearn, version: 1.4-2}
              instance: ml.m5.large
              command: [prepare]
              arguments: {run: "${execution.id}"}
              cache: 30d
            """),
        steps("""
            prepare:
              type: Processing
              image: {framework: sklearn, version: 1.4-2}
              instance: ml.m5.large
              command: [prepare]
              cache: 30d
            """),
        level="warning",
    ),
    "cost",
    _cache_without_effect,
)

_ACCELERATED = re.compile(r"ml\.(p|g|trn|inf|dl)\d")
_LONG = 4 * 60 * 60


def _expensive(subject: Subject, part: Part) -> str:
    """Return why a step is expensive; empty where it is not."""
    if part.request.type in ("Tuning", "AutoML"):
        return "it starts many jobs"
    shape = SHAPES[part.request.type]
    instance = subject.known(part.value((*shape.cluster, "InstanceType")))
    count = subject.known(part.value((*shape.cluster, "InstanceCount")))
    if isinstance(instance, str) and _ACCELERATED.match(instance):
        return f"it runs on `{instance}`"
    if isinstance(count, int) and count > 1:
        return f"it runs on {count} instances"
    runtime = part.value(shape.runtime) if shape.runtime else None
    if "max_runtime" in part.spec.step.own and isinstance(runtime, int) and runtime >= _LONG:
        return f"it may run for {_hours(runtime)}"
    return ""


def _hours(seconds: int) -> str:
    hours = seconds / 3600
    return f"{hours:g} hours" if hours != 1 else "1 hour"


def _no_cache(subject: Subject) -> Iterator[Finding]:
    for part, shape in shaped(subject):
        decided = "cache" in part.spec.step.fields
        if not shape.job or not part.spec.kind.cacheable or part.request.cache or decided:
            continue
        reason = _expensive(subject, part)
        if reason and not any(True for _ in _spoilers(subject, part)):
            message = f"an earlier, equal result is not taken, and {reason}"
            hint = "write `cache: 30d`, or `cache: false` to say that it shall run every time"
            yield Finding(part.spec.path, message, hint, at_key=True)


NO_CACHE = Rule(
    Page(
        "no-cache",
        "An expensive step is not cached",
        "A step on accelerated or several instances, a tuning job, or one that may run for four "
        "hours says nothing about `cache`, and nothing in its arguments would keep it from "
        "finding an earlier result.",
        "An execution that changes something else repeats it. `cache: false` says that this is "
        "meant.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.g5.xlarge}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.g5.xlarge, cache: 30d}
            """),
        level="info",
    ),
    "cost",
    _no_cache,
)


def _long_runtime(subject: Subject) -> Iterator[Finding]:
    limit = subject.limits.max_runtime
    for part, shape in shaped(subject):
        runtime = part.value(shape.runtime) if shape.runtime else None
        if isinstance(runtime, int) and runtime > limit:
            yield Finding(
                part.place(shape.runtime),
                f"the job may run for {_hours(runtime)}; the limit is {_hours(limit)}",
                "lower `max_runtime`, or raise the limit under `[tool.sagedag.lint]`",
            )


LONG_RUNTIME = Rule(
    Page(
        "long-runtime",
        "A job may run for very long",
        "`max_runtime` is above the limit, which is `max-runtime` under `[tool.sagedag.lint]` in "
        "pyproject.toml, or a day.",
        "A job that hangs is paid for until its limit.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, max_runtime: 5d}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, max_runtime: 6h}
            """),
        level="warning",
    ),
    "cost",
    _long_runtime,
)

_SHORT = 60 * 60


def _spot_without_checkpoint(subject: Subject) -> Iterator[Finding]:
    for part, shape in shaped(subject):
        base = shape.runtime[:-2]
        if part.value((*base, "EnableManagedSpotTraining")) is not True:
            continue
        runtime = part.value(shape.runtime)
        if part.value((*base, "CheckpointConfig")) or not isinstance(runtime, int):
            continue
        if runtime > _SHORT:
            yield Finding(
                part.place((*base, "EnableManagedSpotTraining")),
                f"an interruption loses up to {_hours(runtime)} of training",
                "write `checkpoints: true` and save to `/opt/ml/checkpoints`",
                at_key=True,
            )


SPOT_WITHOUT_CHECKPOINT = Rule(
    Page(
        "spot-without-checkpoint",
        "Spot training keeps no checkpoints",
        "A training job on spot capacity may run for more than an hour and has no `checkpoints`.",
        "When the capacity is taken away, the job begins from the start, and what it computed is "
        "paid for twice.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, spot: true, max_runtime: 6h}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, spot: true, max_runtime: 6h, checkpoints: true}
            """),
        level="warning",
    ),
    "cost",
    _spot_without_checkpoint,
)

RULES = (CACHE_WITHOUT_EFFECT, NO_CACHE, LONG_RUNTIME, SPOT_WITHOUT_CHECKPOINT)
