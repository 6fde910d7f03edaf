"""An execution and its steps as frozen data, made of what the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.cloud.executions.jobs import Job, jobs_of

OVER = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
"""The states that an execution does not leave by itself (botocore, PipelineExecutionStatus)."""
RETRIED = frozenset({"Failed", "Stopped"})
"""The states that RetryPipelineExecution takes [U]: its documentation names none."""
STEP_OVER = frozenset({"Succeeded", "Failed", "Stopped"})


@dataclass(frozen=True)
class StepRecord:
    """One step of an execution.

    Args:
        name: its name in the definition.
        status: Starting, Executing, Stopping, Stopped, Failed or Succeeded.
        failure: the service's reason.
        attempts: how often it was tried.
        cached_from: the execution whose result was reused by the cache; empty: none.
        selected_from: the execution that a selective execution took its result from.
        parent, index: the ForEach that it is a round of, and which one.
        jobs: what it ran.
        outcome: a Condition's, ``True`` or ``False``.
        metadata: what the API says about what it did.
    """

    name: str
    status: str
    started: datetime | None = None
    ended: datetime | None = None
    failure: str = ""
    attempts: int = 1
    cached_from: str = ""
    selected_from: str = ""
    parent: str = ""
    index: int = -1
    jobs: tuple[Job, ...] = ()
    outcome: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Its name, with the round where it is inside a ForEach."""
        return f"{self.parent}[{self.index}].{self.name}" if self.parent else self.name

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in STEP_OVER

    def seconds(self, now: datetime) -> float | None:
        """How long it took, or takes so far; None where it has not begun."""
        if self.started is None:
            return None
        return max(0.0, ((self.ended or now) - self.started).total_seconds())


@dataclass(frozen=True)
class Execution:
    """One execution of a pipeline.

    Args:
        status: Executing, Stopping, Stopped, Failed, Succeeded or CompletedWithFailures.
        changed: when its state was changed last: its end, where it is over.
        name, description: what the start said.
        failure: the service's reason.
        version, aliases: of the pipeline; None and empty where the API has none.
        source: the execution that a selective execution takes results from.
        selected: the steps that a selective execution runs; empty: all.
        by: who started it, in words.
        parameters: the values it runs with, as text.
        steps: those that have begun, oldest first.
    """

    arn: str
    status: str
    started: datetime | None = None
    changed: datetime | None = None
    name: str = ""
    description: str = ""
    failure: str = ""
    version: int | None = None
    aliases: tuple[str, ...] = ()
    source: str = ""
    selected: tuple[str, ...] = ()
    by: str = ""
    role: str = ""
    parallel: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return execution_id(self.arn)

    @property
    def pipeline(self) -> str:
        """Its pipeline's name, as the ARN writes it."""
        return pipeline_of(self.arn)

    @property
    def region(self) -> str:
        """Where it runs."""
        return self.arn.split(":")[3]

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status in OVER

    @property
    def failed_steps(self) -> tuple[StepRecord, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.status == "Failed")

    def seconds(self, now: datetime) -> float | None:
        """How long it took, or takes so far; None where that is not known."""
        until = self.changed if self.is_over else now
        if self.started is None or until is None:
            return None
        return max(0.0, (until - self.started).total_seconds())


def execution_id(arn: str) -> str:
    """Return the last part of an execution's ARN."""
    return arn.rpartition("/")[2]


def pipeline_of(arn: str) -> str:
    """Return the pipeline's name in the ARN of a pipeline or an execution."""
    return arn.partition(":pipeline/")[2].partition("/")[0]


def execution_of(answer: Mapping[str, Any]) -> Execution:
    """Return what DescribePipelineExecution answered."""
    selective = answer.get("SelectiveExecutionConfig") or {}
    parallel = (answer.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
    version = answer.get("PipelineVersionId")
    return Execution(
        str(answer["PipelineExecutionArn"]),
        str(answer.get("PipelineExecutionStatus", "")),
        answer.get("CreationTime"),
        answer.get("LastModifiedTime"),
        str(answer.get("PipelineExecutionDisplayName") or ""),
        str(answer.get("PipelineExecutionDescription") or ""),
        str(answer.get("FailureReason") or ""),
        int(version) if version is not None else None,
        tuple(answer.get("PipelineVersionAliases") or ()),
        str(selective.get("SourcePipelineExecutionArn") or ""),
        tuple(str(each["StepName"]) for each in selective.get("SelectedSteps") or ()),
        who(answer.get("CreatedBy") or {}),
        str(answer.get("RoleArn") or ""),
        int(parallel) if parallel is not None else None,
    )


def summary_of(answer: Mapping[str, Any]) -> Execution:
    """Return an entry of ListPipelineExecutions."""
    return Execution(
        str(answer["PipelineExecutionArn"]),
        str(answer.get("PipelineExecutionStatus", "")),
        answer.get("StartTime"),
        None,
        str(answer.get("PipelineExecutionDisplayName") or ""),
        str(answer.get("PipelineExecutionDescription") or ""),
        str(answer.get("PipelineExecutionFailureReason") or ""),
        aliases=tuple(answer.get("PipelineVersionAliases") or ()),
    )


def who(user: Mapping[str, Any]) -> str:
    """Return in words who did something (botocore, UserContext)."""
    identity = user.get("IamIdentity") or {}
    return str(user.get("UserProfileName") or identity.get("Arn") or "")


def step_of(answer: Mapping[str, Any]) -> StepRecord:
    """Return an entry of ListPipelineExecutionSteps."""
    metadata = answer.get("Metadata") or {}
    around = answer.get("IterationContext") or {}
    cache = answer.get("CacheHitResult") or {}
    selective = answer.get("SelectiveExecutionResult") or {}
    failure = str(answer.get("FailureReason") or "")
    return StepRecord(
        str(answer.get("StepName", "")),
        str(answer.get("StepStatus", "")),
        answer.get("StartTime"),
        answer.get("EndTime"),
        failure or str((metadata.get("Fail") or {}).get("ErrorMessage") or ""),
        int(answer.get("AttemptCount") or 1),
        str(cache.get("SourcePipelineExecutionArn") or ""),
        str(selective.get("SourcePipelineExecutionArn") or ""),
        str(around.get("ParentStepName") or ""),
        int(around.get("Index", -1)) if around else -1,
        jobs_of(metadata),
        str((metadata.get("Condition") or {}).get("Outcome") or ""),
        metadata,
    )
