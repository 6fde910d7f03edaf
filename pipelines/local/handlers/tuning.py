"""Tuning: training jobs with different hyperparameters, and the best of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipelines.local.handlers._contract import Call, Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import as_step_end, dig, each, job_context, texts
from pipelines.local.handlers._stand_in import called
from pipelines.local.handlers.training import TrainingHandler
from pipelines.local.jobs import JobContext
from pipelines.local.jobs.process import Command
from pipelines.local.stand_ins import StandIn, StandIns
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
        return [uri for job in _jobs(request) for uri in TrainingHandler().inputs(job)]

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the container of the training jobs."""
        found = (TrainingHandler().stand_in(job, members, stand_ins) for job in _jobs(request))
        return next((stand_in for stand_in in found if stand_in is not None), None)

    def obstacle(self, call: Call) -> str:
        """Say that nothing is known to run one of the training jobs."""
        training = TrainingHandler()
        for job in _jobs(call.request):
            stand_in = training.stand_in(job, call.members, call.stand_ins)
            told = training.obstacle(replace(call, request=job, stand_in=stand_in))
            if told:
                return told
        return ""

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Run the search."""
        job = job_context(context, "hyper-parameter-tuning-job")
        metadata = {"TuningJob": {"Arn": job.arn}}
        parents = _parents(request, context)
        stand_in = context.stand_in
        if stand_in is not None and not stand_in.function:
            raise StepError(
                f"`{stand_in.name}` has recorded values, and the training jobs of a search need a "
                "`function` (or name the step itself under `steps`)",
                metadata,
            )

        def instead(training: Mapping[str, Any]) -> Callable[[JobContext], Command] | None:
            found = TrainingHandler().stand_in(training, {}, context.stand_ins)
            return called(found, training) if found is not None else None

        # What a function of the handlers file does is no part of the request.
        inputs = self.inputs(request) if stand_in is None else None
        with as_step_end(metadata):
            response = run_tuning(request, job, context.say, parents, inputs, instead)
        return StepResult(response, metadata, outputs=tuple(texts(_models(response))))


def _jobs(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what the training jobs of each definition have in common, as their own requests."""
    for definition in (request.get(_DEFINITIONS[0]), *each(request.get(_DEFINITIONS[1]))):
        if isinstance(definition, Mapping):
            yield {**definition, "HyperParameters": definition.get("StaticHyperParameters")}


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
