"""Starting an execution, checked against the deployed definition first; stopping and retrying."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.cloud.client import Clients
from pipelines.cloud.executions.reading import (
    Named,
    describe,
    find_execution,
    invocation,
    label,
    list_executions,
    parsed,
)
from pipelines.cloud.executions.records import RETRIED, Execution, execution_id, pipeline_of
from pipelines.cloud.executions.weather import is_unclear
from pipelines.cloud.refusals import Missing, Refused
from pipelines.definition import Definition
from pipelines.definition.parameters import bind, wire
from pipelines.definition.step_graph import StepGraph
from pipelines.errors import UsageError

MOST_SELECTED = 50
"""How many steps a selective execution can have (SelectiveExecutionConfig, SelectedSteps)."""
LOOKED_BACK = 1000
"""Among how many executions the latest success is looked for."""


@dataclass(frozen=True)
class Wish:
    """What a start is asked for.

    Args:
        pipeline: the pipeline's name.
        parameters: values as text, by name.
        alias, version: which version of the pipeline; neither: the newest.
        only, begin: the steps of a selective execution: these, or these and all after them.
        source: the execution that the others' results come from; None: the latest success.
        parallel: how many steps may run at once.
        name, description: what the execution is called.
    """

    pipeline: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    alias: str = ""
    version: int | None = None
    only: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()
    source: Named | None = None
    parallel: int | None = None
    name: str = ""
    description: str = ""


@dataclass(frozen=True)
class Start:
    """A start that was checked: the request, and what it starts.

    Args:
        request: of StartPipelineExecution, without its token.
        definition: the deployed definition that it runs.
    """

    request: Mapping[str, Any]
    definition: Definition = field(repr=False)


def prepare(clients: Clients, wish: Wish) -> Start:
    """Check a start against what is deployed; nothing is started.

    Raises:
        UsageError: there is no such pipeline or version, a parameter is unknown, missing or none of
            its type, or the selection of steps can't be run.
        Refused: a call was refused.
    """
    definition = _deployed(clients, wish)
    values = bind(definition.parameters, wish.parameters)
    request: dict[str, Any] = {"PipelineName": wish.pipeline}
    if wish.version is not None:
        request["PipelineVersionId"] = wish.version
    if wish.alias:
        request["PipelineVersionAlias"] = wish.alias
    if wish.parameters:
        request["PipelineParameters"] = [
            {"Name": name, "Value": wire(value)}
            for name, value in values.items()
            if name in wish.parameters
        ]
    if wish.parallel is not None:
        request["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": wish.parallel}
    if wish.name:
        request["PipelineExecutionDisplayName"] = wish.name
    if wish.description:
        request["PipelineExecutionDescription"] = wish.description
    if wish.only or wish.begin:
        request["SelectiveExecutionConfig"] = _selective(clients, wish, definition)
    return Start(request, definition)


def _deployed(clients: Clients, wish: Wish) -> Definition:
    which: dict[str, Any] = {"PipelineName": wish.pipeline}
    about = f"pipeline {wish.pipeline}"
    if wish.version is not None:
        which["PipelineVersionId"] = wish.version
        about += f", version {wish.version}"
    if wish.alias:
        which["PipelineVersionAlias"] = wish.alias
        about += f", alias {wish.alias}"
    try:
        answer = clients.call("sagemaker:DescribePipeline", about, **which)
    except Missing as missing:
        way = f"`sagedag versions {wish.pipeline}` lists them" if len(which) > 1 else ""
        raise UsageError(
            f"there is no {about} in {clients.place.environment}: {missing.detail}",
            way or "`sagedag list` shows the pipelines; `sagedag upsert` deploys one",
        ) from None
    return parsed(str(answer.get("PipelineDefinition", "")))


def _selective(clients: Clients, wish: Wish, definition: Definition) -> dict[str, Any]:
    """Return SelectiveExecutionConfig.

    Sources: "Selective execution of pipeline steps" and SelectiveExecutionConfig: at most 50 steps,
    with all steps on the paths between them; a source execution, Failed or Succeeded, where they
    need results of others.
    """
    graph = StepGraph(definition)
    for name in (*wish.only, *wish.begin):
        graph.check(name)
    chosen = graph.with_branches(wish.only) | graph.after(wish.begin)
    left_out = sorted(graph.between(chosen))
    if left_out:
        raise UsageError(
            f"between the selected steps there are others: {', '.join(left_out)}",
            "SageMaker wants all steps on the paths between selected ones: select them too",
        )
    names = [step.name for step in definition.steps if step.name in chosen]
    if len(names) > MOST_SELECTED:
        raise UsageError(
            f"{len(names)} steps are selected; SageMaker takes {MOST_SELECTED}",
            "select fewer, or start the whole pipeline",
        )
    made: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    needed = graph.needed(chosen)
    if wish.source is not None or needed:
        made["SourcePipelineExecutionArn"] = _source(clients, wish, needed)
    return made


def _source(clients: Clients, wish: Wish, needed: Mapping[str, Sequence[str]]) -> str:
    if wish.source is not None:
        arn = find_execution(clients, wish.source)
        found = describe(clients, arn)
        if found.status not in ("Succeeded", "Failed"):
            raise UsageError(
                f"{label(arn)} is {found.status}: SageMaker takes results of one that succeeded or "
                "failed",
                f"`sagedag list {wish.pipeline}` shows others",
            )
        return arn
    latest = list_executions(clients, wish.pipeline, limit=LOOKED_BACK)
    for each in latest:
        if each.status == "Succeeded":
            return each.arn
    wanted = "\n".join(f"  {name}, for {', '.join(users)}" for name, users in needed.items())
    have = ", ".join(f"{each.id} ({each.status})" for each in latest[:5])
    raise UsageError(
        f"no execution of pipeline `{wish.pipeline}` has succeeded, and these results are "
        f"needed:\n{wanted}",
        f"name one with --source, of: {have}" if have else "start the whole pipeline first",
    )


def start(clients: Clients, prepared: Start, token: str) -> str:
    """Start an execution and return its ARN.

    Args:
        token: the same one starts it only once, however often it is called.

    Raises:
        Refused: the call was refused; where its answer was lost, the hint says how to find out.
    """
    name = str(prepared.request["PipelineName"])
    try:
        answer = clients.call(
            "sagemaker:StartPipelineExecution",
            f"pipeline {name}",
            **prepared.request,
            ClientRequestToken=request_token(name, token),
        )
    except Refused as refused:
        if is_unclear(refused):
            refused.hint = (
                "whether it started is not known: the same command with "
                f"--token {token} starts it once, however often it is run"
            )
        raise
    return str(answer["PipelineExecutionArn"])


def request_token(pipeline: str, token: str) -> str:
    """Return the ClientRequestToken that stands for a word: 32 to 128 characters."""
    return hashlib.sha256(json.dumps([pipeline, token]).encode()).hexdigest()


def stop(clients: Clients, arn: str) -> Execution:
    """Stop an execution and return how it stands; one that is over is left alone.

    Raises:
        Refused: a call was refused.
    """
    found = describe(clients, arn)
    if found.is_over or found.status == "Stopping":
        return found
    clients.call(
        "sagemaker:StopPipelineExecution",
        label(arn),
        PipelineExecutionArn=arn,
        ClientRequestToken=request_token(arn, f"stop {_moment(found)}"),
    )
    return describe(clients, arn)


def retry(clients: Clients, arn: str, *, parallel: int | None = None) -> None:
    """Run an execution's failed and stopped steps again, and those after them.

    Raises:
        UsageError: it is not over, or it succeeded.
        Refused: a call was refused.
    """
    found = describe(clients, arn)
    if found.status not in RETRIED:
        name = pipeline_of(arn)
        raise UsageError(
            f"{label(arn)} is {found.status}: only one that failed or was stopped can be retried",
            f"start a new one: {invocation(clients, 'start', name)}"
            if found.is_over
            else f"wait for it: {invocation(clients, 'wait', f'{name}/{execution_id(arn)}')}",
        )
    more = {"ParallelismConfiguration": {"MaxParallelExecutionSteps": parallel}} if parallel else {}
    clients.call(
        "sagemaker:RetryPipelineExecution",
        label(arn),
        PipelineExecutionArn=arn,
        # Another failure is another retry; the same one is retried once.
        ClientRequestToken=request_token(arn, f"retry {_moment(found)}"),
        **more,
    )


def _moment(execution: Execution) -> str:
    return execution.changed.isoformat() if execution.changed else ""
