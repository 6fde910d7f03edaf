"""What DescribeHyperParameterTuningJob answers about a tuning job of this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from pipelines.local.jobs import JobContext
from pipelines.local.tuning.spaces import as_hyperparameter
from pipelines.local.tuning.trial import Trial

_ECHOED = (
    "HyperParameterTuningJobConfig",
    "TrainingJobDefinition",
    "TrainingJobDefinitions",
    "WarmStartConfig",
    "Autotune",
)


def describe(
    request: Mapping[str, Any],
    job: JobContext,
    trials: tuple[Trial, ...],
    created: datetime,
    status: str,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the Describe response, with the training jobs' summaries, the best first.

    Args:
        request: the resolved arguments of CreateHyperParameterTuningJob.
        job: the tuning job.
        trials: those that have ended.
        created: when it began.
        status: how it ended.
        earlier: summaries of the training jobs that a warm start began from.
    """
    ranked = sorted(trials, key=lambda trial: _rank(trial, request))
    summaries = [_summary(trial, request, job) for trial in ranked]
    now = datetime.now(timezone.utc)
    counts = Counter(trial.status for trial in trials)
    found = sum(trial.value is not None for trial in trials)
    description: dict[str, Any] = {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": job.arn,
        **{name: request[name] for name in _ECHOED if name in request},
        "HyperParameterTuningJobStatus": status,
        "CreationTime": created,
        "HyperParameterTuningEndTime": now,
        "LastModifiedTime": now,
        "TrainingJobStatusCounters": {
            "Completed": counts["Completed"],
            "InProgress": 0,
            "RetryableError": 0,
            "NonRetryableError": counts["Failed"],
            "Stopped": counts["Stopped"],
        },
        "ObjectiveStatusCounters": {
            "Succeeded": found,
            "Pending": 0,
            "Failed": len(trials) - found,
        },
        "TrainingJobSummaries": summaries,
    }
    if ranked and ranked[0].status == "Completed" and ranked[0].value is not None:
        description["BestTrainingJob"] = summaries[0]
    overall = _overall(request, [*summaries, *earlier])
    if overall is not None:
        description["OverallBestTrainingJob"] = overall
    return description


def _overall(
    request: Mapping[str, Any], summaries: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the best training job of a warm start that goes on with the same search.

    API Reference, DescribeHyperParameterTuningJob, OverallBestTrainingJob: only where the warm
    start's type is IdenticalDataAndAlgorithm; its own training jobs and those of all parents count.
    """
    if request.get("WarmStartConfig", {}).get("WarmStartType") != "IdenticalDataAndAlgorithm":
        return None
    target = target_of(request, "")
    sign = 1 if target.get("Type") == "Minimize" else -1
    rated = [
        (sign * float(final["Value"]), summary)
        for summary in summaries
        if summary.get("TrainingJobStatus") == "Completed"
        and (final := summary.get("FinalHyperParameterTuningJobObjectiveMetric"))
        and final.get("MetricName") == target.get("MetricName")
    ]
    return min(rated, key=lambda each: each[0])[1] if rated else None


def target_of(request: Mapping[str, Any], definition: str) -> Mapping[str, Any]:
    """Return the objective of the training job definition with this name."""
    for each in request.get("TrainingJobDefinitions") or ():
        if each.get("DefinitionName") == definition and each.get("TuningObjective"):
            return dict(each["TuningObjective"])
    config = request["HyperParameterTuningJobConfig"]
    own = request.get("TrainingJobDefinition", {}).get("TuningObjective")
    return dict(own or config.get("HyperParameterTuningJobObjective") or {})


def _rank(trial: Trial, request: Mapping[str, Any]) -> tuple[bool, bool, float, int]:
    """Sort complete trials first, the better before the worse, those without an objective last.

    A trial that was ended early has left no model, so it is never the best.
    """
    if trial.value is None:
        return (True, True, 0.0, trial.number)
    least = target_of(request, trial.definition).get("Type") == "Minimize"
    order = trial.value if least else -trial.value
    return (False, trial.status != "Completed", order, trial.number)


def _summary(trial: Trial, request: Mapping[str, Any], job: JobContext) -> dict[str, Any]:
    told = trial.description
    target = target_of(request, trial.definition)
    summary: dict[str, Any] = {
        "TrainingJobName": told.get("TrainingJobName"),
        "TrainingJobArn": told.get("TrainingJobArn"),
        "TuningJobName": job.name,
        "CreationTime": told.get("CreationTime"),
        "TrainingStartTime": told.get("TrainingStartTime"),
        "TrainingEndTime": told.get("TrainingEndTime"),
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": {
            name: as_hyperparameter(value) for name, value in trial.point.items()
        },
        "ObjectiveStatus": "Succeeded" if trial.value is not None else "Failed",
    }
    if trial.definition:
        summary["TrainingJobDefinitionName"] = trial.definition
    if trial.value is not None:
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": target.get("Type"),
            "MetricName": target.get("MetricName"),
            "Value": trial.value,
        }
    if trial.reason:
        summary["FailureReason"] = trial.reason[:1024]
    return {name: value for name, value in summary.items() if value is not None}
