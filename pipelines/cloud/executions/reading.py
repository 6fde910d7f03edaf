"""Executions as they are: one, many, and which one a name means. No writes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pipelines.cloud.client import Clients
from pipelines.cloud.executions.records import (
    Execution,
    StepRecord,
    execution_id,
    execution_of,
    pipeline_of,
    step_of,
    summary_of,
)
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.refusals import Missing, Refused
from pipelines.definition import Definition, read_definition
from pipelines.errors import SagedagError, UsageError

ID = re.compile(r"[a-z0-9]{12}")
"""What an execution's id looks like [U]: its pattern in the API is wider."""
SEARCHED = 200
"""In how many pipelines an id alone is looked for, those that ran last first."""


@dataclass(frozen=True)
class Named:
    """What names an execution.

    Args:
        pipeline: the pipeline's name or ARN; empty where only an id is known.
        id: an execution's id or the beginning of one; empty: the latest.
        arn: the execution's ARN, where that was given.
        bare: the word is a pipeline's name or an execution's id: only AWS can tell.
    """

    pipeline: str = ""
    id: str = ""
    arn: str = ""
    bare: bool = False

    @property
    def words(self) -> str:
        """The name, as messages say it."""
        return self.arn or (f"{self.pipeline}/{self.id}" if self.id else self.pipeline)


def find_execution(clients: Clients, named: Named) -> str:
    """Return the ARN of the execution that a name means.

    Raises:
        UsageError: there is none, or the beginning of an id means several.
        Refused: a call was refused.
    """
    if named.arn:
        return named.arn
    try:
        recent = list_executions(clients, named.pipeline, limit=100 if named.id else 1)
    except Missing:
        if named.bare and ID.fullmatch(named.pipeline):
            return _search(clients, named.pipeline)
        raise
    if not recent:
        raise UsageError(
            f"pipeline `{named.pipeline}` has not run yet",
            f"start it: {invocation(clients, 'start', named.pipeline)}",
        )
    if not named.id:
        return recent[0].arn
    return _by_id(named, [each.arn for each in recent])


def _by_id(named: Named, arns: list[str]) -> str:
    found = [arn for arn in arns if execution_id(arn).startswith(named.id)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(execution_id(arn) for arn in found[:5])
        raise UsageError(
            f"`{named.id}` is the beginning of {len(found)} executions of `{named.pipeline}`",
            f"write more of it: {listed}",
        )
    if ID.fullmatch(named.id):
        # Older than those listed: all executions of a pipeline have ARNs of one form.
        return f"{arns[0].rpartition('/')[0]}/{named.id}"
    listed = ", ".join(execution_id(arn) for arn in arns[:5])
    raise UsageError(
        f"no execution of pipeline `{named.pipeline}` begins with `{named.id}`",
        f"the latest are {listed}; `sagedag list {named.pipeline}` shows more",
    )


def _search(clients: Clients, text: str) -> str:
    """Look for an id in the pipelines that ran last."""
    listed = clients.pages(
        "sagemaker:ListPipelines", "pipelines", "PipelineSummaries", MaxResults=100
    )
    ran = [each for each in listed if each.get("LastExecutionTime") is not None]
    ran.sort(key=lambda each: each["LastExecutionTime"], reverse=True)
    arns = [f"{each['PipelineArn']}/execution/{text}" for each in ran[:SEARCHED]]

    def there(arn: str) -> bool:
        try:
            describe(clients, arn)
        except Refused:
            # No such execution, or not ours to see.
            return False
        return True

    for arn, found in zip(arns, in_parallel(there, arns), strict=True):
        if found:
            return arn
    raise UsageError(
        f"there is neither a pipeline nor an execution `{text}` here",
        "`sagedag list` shows the pipelines; name an execution as PIPELINE/ID, or by its ARN",
    )


def describe(clients: Clients, arn: str) -> Execution:
    """Return an execution without its steps and parameters; one call.

    Raises:
        Missing: there is none of this ARN.
        Refused: the call was refused.
    """
    answer = clients.call(
        "sagemaker:DescribePipelineExecution", label(arn), PipelineExecutionArn=arn
    )
    return execution_of(answer)


def label(arn: str) -> str:
    """Return how messages name an execution."""
    return f"execution {pipeline_of(arn)}/{execution_id(arn)}"


def invocation(clients: Clients, verb: str, name: str) -> str:
    """Return the command that does something else in the same environment."""
    environment = clients.place.environment
    return shlex.join(["sagedag", verb, name, *(["--env", environment] if environment else [])])


def read_execution(clients: Clients, arn: str, *, parameters: bool = False) -> Execution:
    """Return an execution with the steps that have begun.

    Its state is asked for first: where it is over, the steps are the last ones.

    Args:
        parameters: read the values it runs with as well.

    Raises:
        Missing: there is none of this ARN.
        Refused: a call was refused.
    """
    execution = replace(describe(clients, arn), steps=read_steps(clients, arn))
    if parameters:
        execution = replace(execution, parameters=read_parameters(clients, arn))
    return execution


def read_steps(clients: Clients, arn: str) -> tuple[StepRecord, ...]:
    """Return the steps that have begun, oldest first.

    Raises:
        Refused: the call was refused.
    """
    listed = clients.pages(
        "sagemaker:ListPipelineExecutionSteps",
        label(arn),
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        SortOrder="Ascending",
        MaxResults=100,
    )
    return tuple(step_of(each) for each in listed)


def read_parameters(clients: Clients, arn: str) -> dict[str, str]:
    """Return the values that an execution runs with, as text.

    Raises:
        Refused: the call was refused.
    """
    listed = clients.pages(
        "sagemaker:ListPipelineParametersForExecution",
        label(arn),
        "PipelineParameters",
        PipelineExecutionArn=arn,
        MaxResults=100,
    )
    return {str(each["Name"]): str(each["Value"]) for each in listed}


def read_run_definition(clients: Clients, arn: str) -> Definition | None:
    """Return the definition that an execution runs; None where it can't be had.

    A view is fuller with it and does without it.
    """
    try:
        answer = clients.call(
            "sagemaker:DescribePipelineDefinitionForExecution", label(arn), PipelineExecutionArn=arn
        )
        return parsed(str(answer.get("PipelineDefinition", "")))
    except SagedagError:
        return None


def parsed(text: str) -> Definition:
    """Read a deployed definition.

    Raises:
        DefinitionError: it is none.
    """
    return read_definition(text)


def list_executions(
    clients: Clients, pipeline: str, *, limit: int, status: str = ""
) -> list[Execution]:
    """Return a pipeline's executions, latest first, without their steps.

    Args:
        limit: at most so many.
        status: only those in this state.

    Raises:
        Missing: there is no such pipeline.
        Refused: the call was refused.
    """
    listed = clients.pages(
        "sagemaker:ListPipelineExecutions",
        f"pipeline {pipeline}",
        "PipelineExecutionSummaries",
        PipelineName=pipeline,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=min(limit, 100) if not status else 100,
    )
    kept = (
        summary_of(each)
        for each in listed
        if not status or each.get("PipelineExecutionStatus") == status
    )
    return list(islice(kept, limit))


def list_pipelines(clients: Clients, *, limit: int) -> list[dict[str, Any]]:
    """Return the pipelines of the account in this region by name, as ListPipelines gives them.

    Raises:
        Refused: the call was refused.
    """
    listed = clients.pages(
        "sagemaker:ListPipelines",
        "pipelines",
        "PipelineSummaries",
        SortBy="Name",
        SortOrder="Ascending",
        MaxResults=min(limit, 100),
    )
    return [dict(each) for each in islice(listed, limit)]
