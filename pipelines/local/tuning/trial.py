"""One trial of a tuning job: a training job with its own values and its own end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.local.jobs import JobContext, JobFailed, JobStopped, Progress, run_training
from pipelines.local.jobs.metrics import image_metrics, number_in
from pipelines.local.jobs.process import Command
from pipelines.local.tuning.early import EarlyStop
from pipelines.local.tuning.objective import Objective
from pipelines.local.tuning.parts import Part
from pipelines.local.tuning.search import Point
from pipelines.local.tuning.spaces import as_hyperparameter

OBJECTIVE = "_tuning_objective_metric"
"""The hyperparameter by which the service tells a training job its objective. Source: the
SageMaker training toolkit, which keeps it from the script."""

Instead = Callable[[Mapping[str, Any]], Callable[[JobContext], Command] | None]

_KEPT = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)
"""Members that HyperParameterTrainingJobDefinition and CreateTrainingJob share."""


@dataclass(frozen=True)
class Trial:
    """A training job to run, and after it what came of it.

    Attributes:
        number: from 1, over the whole tuning job.
        definition: the name of the training job definition it follows; empty for the only one.
        point: the values it tries.
        status: ``Completed``, ``Failed`` or ``Stopped``; empty before its end.
        value: the objective at its end; None where it has none.
        reason: why it failed.
        description: the response of DescribeTrainingJob.
    """

    number: int
    definition: str
    point: Point
    status: str = ""
    value: float | None = None
    reason: str = ""
    description: Mapping[str, Any] = field(default_factory=dict, repr=False)


def training_request(
    definition: Mapping[str, Any], point: Point, objective: Objective, name: str
) -> dict[str, Any]:
    """Return the CreateTrainingJob request of one trial."""
    request = {member: definition[member] for member in _KEPT if member in definition}
    if "ResourceConfig" not in request:
        resources = definition.get("HyperParameterTuningResourceConfig", {})
        shared = ("InstanceType", "InstanceCount", "VolumeSizeInGB")
        request["ResourceConfig"] = {name: resources[name] for name in shared if name in resources}
    algorithm = dict(request.get("AlgorithmSpecification", {}))
    metrics = list(algorithm.get("MetricDefinitions") or ())
    own = image_metrics({**definition, "HyperParameters": definition.get("StaticHyperParameters")})
    if not any(metric.get("Name") == objective.metric for metric in (*metrics, *own)):
        metrics.append({"Name": objective.metric, "Regex": objective.regex})
    request["AlgorithmSpecification"] = {**algorithm, "MetricDefinitions": metrics}
    request["HyperParameters"] = {
        **definition.get("StaticHyperParameters", {}),
        **{key: as_hyperparameter(value) for key, value in point.items()},
        OBJECTIVE: objective.metric,
    }
    if "CheckpointConfig" in request:
        # [U] Trials must not go on from each other's checkpoints; the guide does not say where the
        # service keeps them apart.
        kept = dict(request["CheckpointConfig"])
        request["CheckpointConfig"] = {**kept, "S3Uri": str(kept["S3Uri"]).rstrip("/") + f"/{name}"}
    return request


@dataclass
class Running:
    """A trial's job while it runs.

    Attributes:
        trial: which.
        part: the definition that it follows.
        request: its CreateTrainingJob request.
        instead: prepares another command than the container's.
        job: what it is started with; ``cancelled`` is the trial's own.
        early: ends it early; None: nothing does.
    """

    trial: Trial
    part: Part
    request: Mapping[str, Any]
    job: JobContext
    instead: Callable[[JobContext], Command] | None = None
    early: EarlyStop | None = None
    last: float | None = None
    stopped_early: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> Trial:
        """Run the training job to its end; a bad end is a result, not an exception."""
        job = replace(self.job, cancelled=self.stop, on_line=self._listener())
        try:
            description = run_training(self.request, job, self.instead)
        except JobFailed as error:
            return replace(
                self.trial, status="Failed", reason=error.reason, description=error.description
            )
        except JobStopped as error:
            value = self.last if self.stopped_early else None
            return replace(self.trial, status="Stopped", value=value, description=error.description)
        if self.early is not None:
            self.early.ended(self.trial.number)
        value = next(
            (
                float(metric["Value"])
                for metric in description.get("FinalMetricDataList", ())
                if metric["MetricName"] == self.part.objective.metric
            ),
            None,
        )
        return replace(self.trial, status="Completed", value=value, description=description)

    def _listener(self) -> Callable[[str], None]:
        """Return what hears the job's lines: who watches, and what may end it early."""
        part, judge = f"{self.trial.number:03d}", self._judge()

        def listen(line: str) -> None:
            self.job.advance(Progress(part=part, state="running", note=line))
            judge(line)

        return listen

    def _judge(self) -> Callable[[str], None]:
        """Return what ends the job early where its lines say that it should."""
        if self.early is None:
            return lambda _line: None
        import regex  # type: ignore[import-untyped,unused-ignore]

        try:
            expression = regex.compile(self.part.objective.regex)
        except regex.error:
            return lambda _line: None  # told when the job's metrics are read

        def judge(line: str) -> None:
            try:
                match = expression.search(line, timeout=0.5)
                value = number_in(match.group(1)) if match is not None else None
            except (TimeoutError, IndexError):
                return
            if value is None or self.early is None:
                return
            self.last = value
            if not self.early.goes_on(self.trial.number, self.part.objective.score(value)):
                self.stopped_early = True
                self.stop.set()

        return judge
