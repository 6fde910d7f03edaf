"""Tuning: training jobs with different hyperparameters, and the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.handlers.training import TrainingHandler
from pipelines.local.tuning import run_tuning

_DEFINITIONS = ("TrainingJobDefinition", "TrainingJobDefinitions")
_COUNTED = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)


class TuningHandler(Handler):
    """Runs a tuning job: its training jobs are processes of this machine."""

    api_type = "Tuning"
    operation = "CreateHyperParameterTuningJob"
    name_field = "HyperParameterTuningJobName"
    longest_name = 32
    # AWS, "Caching pipeline steps", Hyperparameter tuning.
    cache_attributes = (
        "HyperParameterTuningJobConfig",
        *(f"{part}.{name}" for part in _DEFINITIONS for name in _COUNTED),
    )

    def inputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the training jobs' channels and of the code they name."""
        found: list[str] = []
        for definition in (request.get(_DEFINITIONS[0]), *each(request.get(_DEFINITIONS[1]))):
            if isinstance(definition, Mapping):
                static = definition.get("StaticHyperParameters")
                found += TrainingHandler().inputs({**definition, "HyperParameters": static})
        return found

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the search."""
        job = job_context(context, "hyper-parameter-tuning-job")
        metadata = {"TuningJob": {"Arn": job.arn}}
        parents = _parents(request, context)
        with as_step_end(metadata):
            response = run_tuning(request, job, context.say, parents)
        return StepResult(response, metadata, outputs=tuple(texts(_models(response))))


def _parents(request: Mapping[str, Any], context: StepContext) -> list[Mapping[str, Any]]:
    """Return the training jobs of the tuning jobs that a warm start begins from.

    Raises:
        StepError: one of them did not run here.
    """
    found: list[Mapping[str, Any]] = []
    for parent in each(dig(request, "WarmStartConfig", "ParentHyperParameterTuningJobs")):
        name = dig(parent, TuningHandler.name_field)
        properties = context.job(TuningHandler.api_type, TuningHandler.name_field, str(name))
        if properties is None:
            raise StepError(
                f"WarmStartConfig: no tuning job `{name}` has succeeded in this store (name one "
                f"that ran here, as a step's {TuningHandler.name_field} does, or leave the warm "
                "start out)"
            )
        jobs = each(properties.get("TrainingJobSummaries"))
        found += [job for job in jobs if isinstance(job, Mapping)]
    return found


def _models(response: Mapping[str, Any]) -> list[object]:
    """Return where the best training job's model lies."""
    best = dig(response, "BestTrainingJob", "TrainingJobName")
    found: list[object] = []
    for definition in (response.get(_DEFINITIONS[0]), *each(response.get(_DEFINITIONS[1]))):
        output = dig(definition, "OutputDataConfig", "S3OutputPath")
        if isinstance(output, str):
            found.append(f"{output.rstrip('/')}/{best}/output/model.tar.gz")
    return found
