"""What moto lacks of SageMaker, as far as the tests need it. Each part says what it follows.

The shapes are those of botocore's model; what no public source states is marked [U].

- **Versions** (ListPipelineVersions, UpdatePipelineVersion, DescribePipeline by version and alias,
  PipelineVersionId of UpdatePipeline): CreatePipeline makes the first, UpdatePipeline one more
  where the definition changes. An alias belongs to one version at a time, must be removed there
  before it is added elsewhere, and is no number (AWS, "Pipeline version aliases" and
  "AliasOperations").
  What UpdatePipeline answers where no version is made is not documented: here no id [U].
- **UpdatePipeline**: moto ignores an empty description; the API's model allows one (``min: 0``).
- **PipelineDefinitionS3Location**: moto keeps the parsed object and answers DescribePipeline with
  it; the API's model says that a definition is a text.
- **Tags**: moto's AddTags appends a second tag of the same key; AWS's replaces ("overwrites").
- **ClientRequestToken** of CreatePipeline and StartPipelineExecution: the same token gives the same
  answer and nothing is made a second time.
- **Executions**: ListPipelineExecutionSteps, StopPipelineExecution, RetryPipelineExecution,
  UpdatePipelineExecution, and a status that a test can script (``executions``). Executions are
  listed latest first and in pages, run the definition and tell the number of their version, and
  have no failure reason called "None".
- **CloudWatch Logs**: FilterLogEvents ignores logStreamNamePrefix, and sorts the events of several
  streams by time only where ``interleaved`` asks for it; AWS always does.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[str, list[tuple[str, str]], bytes]
Forward = Callable[..., Answer]
OK = "200 OK"
BAD = "400 Bad Request"


@dataclass
class Version:
    """One version of a pipeline."""

    number: int
    described: dict[str, Any]
    created: float
    display_name: str = ""
    description: str = ""
    aliases: list[str] = field(default_factory=list)


@dataclass
class Execution:
    """How an execution stands, beyond what moto says: set ``status`` and ``steps`` as you like.

    Args:
        status: Executing, Stopping, Stopped, Failed or Succeeded.
        steps: PipelineExecutionSteps, as ListPipelineExecutionSteps gives them.
        request: what StartPipelineExecution was sent.
    """

    arn: str
    status: str
    steps: list[dict[str, Any]]
    request: dict[str, Any]
    failure: str = ""
    definition: str = ""
    version: int | None = None


@dataclass
class Lacks:
    """The state of what moto lacks.

    Args:
        versions: of every pipeline, by its name, oldest first.
        has_versions: False plays an account whose API has no versions yet.
        executions: by ARN.
        first_status: the status that new executions have.
        tokens: answers by operation and ClientRequestToken.
    """

    versions: dict[str, list[Version]] = field(default_factory=dict)
    has_versions: bool = True
    executions: dict[str, Execution] = field(default_factory=dict)
    first_status: str = "Succeeded"
    tokens: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def answer(self, call: str, body: Any, forward: Forward) -> tuple[str, Any] | None:
        """Return status and answer of a call; None leaves it to moto."""
        handler = _HANDLERS.get(call)
        if handler is None:
            return None
        return handler(self, body, forward)


def _passed(forward: Forward, body: Any) -> tuple[str, Any]:
    status, _, data = forward(body)
    return status, data


def _error(code: str, message: str) -> tuple[str, Any]:
    return BAD, {"__type": code, "message": message}


def _unknown(call: str) -> tuple[str, Any]:
    return _error("UnknownOperationException", f"{call} is not known here")


def _backend_describe(name: str) -> dict[str, Any]:
    """Return what moto holds of a pipeline; requests of the tests use one account and region."""
    from moto.backends import get_backend

    for account in get_backend("sagemaker").values():
        for backend in account.values():
            if name in backend.pipelines:
                return dict(backend.describe_pipeline(name))
    return {}


def _pipeline(name: str) -> Any:
    from moto.backends import get_backend

    for account in get_backend("sagemaker").values():
        for backend in account.values():
            if name in backend.pipelines:
                return backend.pipelines[name]
    return None


def _name(text: str) -> str:
    return text.rpartition("/")[2] if text.startswith("arn:") else text


def _create(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    key = ("create", body.get("ClientRequestToken", ""))
    if key in state.tokens:
        return state.tokens[key]
    status, data = _passed(forward, body)
    if status.startswith("200"):
        state.versions[body["PipelineName"]] = []
        _as_text(body["PipelineName"])
        _add_version(state, body)
        state.tokens[key] = (status, data)
    return status, data


def _update(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    before = _backend_describe(body["PipelineName"]).get("PipelineDefinition")
    status, data = _passed(forward, body)
    if not status.startswith("200"):
        return status, data
    _as_text(body["PipelineName"])
    if "PipelineDescription" in body:
        _pipeline(body["PipelineName"]).pipeline_description = body["PipelineDescription"]
    answer = json.loads(data)
    if _backend_describe(body["PipelineName"])["PipelineDefinition"] != before:
        number = _add_version(state, body)
        if state.has_versions:
            answer["PipelineVersionId"] = number
    elif body.get("PipelineVersionAliases"):
        return _error("ValidationException", "The definition does not change: no new version.")
    return status, answer


def _as_text(name: str) -> None:
    pipeline = _pipeline(name)
    if not isinstance(pipeline.pipeline_definition, str):
        pipeline.pipeline_definition = json.dumps(pipeline.pipeline_definition)


def _add_version(state: Lacks, body: Mapping[str, Any]) -> int:
    name = body["PipelineName"]
    known = state.versions.setdefault(name, [])
    version = Version(len(known) + 1, _backend_describe(name), time.time())
    known.append(version)
    version.aliases += body.get("PipelineVersionAliases", [])
    return version.number


def _delete(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    status, data = _passed(forward, body)
    if status.startswith("200"):
        state.versions.pop(body["PipelineName"], None)
    return status, data


def _find(state: Lacks, name: str, number: Any = None, alias: Any = None) -> Version | None:
    for version in reversed(state.versions.get(name, [])):
        if (number is None or version.number == number) and (
            alias is None or alias in version.aliases
        ):
            return version
    return None


def _describe_pipeline(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    name = _name(body["PipelineName"])
    number, alias = body.get("PipelineVersionId"), body.get("PipelineVersionAlias")
    status, data = _passed(forward, {"PipelineName": name})
    if not status.startswith("200"):
        # moto says ValidationException; the API's model says ResourceNotFound.
        return _error("ResourceNotFound", f"Pipeline '{name}' does not exist.")
    if not state.has_versions:
        if number or alias:
            return _error("ValidationException", "PipelineVersionId is not supported")
        return status, data
    version = _find(state, name, number, alias)
    if version is None and (number or alias):
        return _error("ResourceNotFound", f"Pipeline '{name}' has no version {number or alias}.")
    answer = json.loads(data)
    if version is not None:
        if number or alias:
            for member in ("PipelineDefinition", "PipelineDescription", "RoleArn"):
                answer[member] = version.described.get(member) or answer.get(member)
            answer["ParallelismConfiguration"] = version.described.get("ParallelismConfiguration")
        answer["PipelineVersionDisplayName"] = version.display_name or None
        answer["PipelineVersionDescription"] = version.description or None
        answer["PipelineVersionAliases"] = list(version.aliases)
    return status, {member: value for member, value in answer.items() if value is not None}


def _list_versions(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del forward
    name = _name(body["PipelineName"])
    if not state.has_versions:
        return _unknown("ListPipelineVersions")
    known = state.versions.get(name)
    if known is None:
        return _error("ResourceNotFound", f"Pipeline '{name}' does not exist.")
    ordered = known if body.get("SortOrder") == "Ascending" else known[::-1]
    start, most = int(body.get("NextToken") or 0), int(body.get("MaxResults") or 100)
    shown = [
        {
            "PipelineArn": version.described["PipelineArn"],
            "PipelineVersionId": version.number,
            "CreationTime": version.created,
            "PipelineVersionDisplayName": version.display_name,
            "PipelineVersionDescription": version.description,
            "PipelineVersionAliases": list(version.aliases),
        }
        for version in ordered[start : start + most]
    ]
    answer: dict[str, Any] = {"PipelineVersionSummaries": shown}
    if start + most < len(ordered):
        answer["NextToken"] = str(start + most)
    return OK, answer


def _update_version(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del forward
    if not state.has_versions:
        return _unknown("UpdatePipelineVersion")
    name = _name(body["PipelineArn"])
    version = _find(state, name, body["PipelineVersionId"])
    if version is None:
        return _error("ResourceNotFound", f"Pipeline '{name}' has no such version.")
    asked = body.get("PipelineVersionAliasOperations", {})
    for alias in asked.get("Add", []):
        holder = _find(state, name, alias=alias)
        if alias.isdigit() or holder not in (None, version):
            return _error("ValidationException", f"The alias {alias} cannot be added.")
    version.display_name = body.get("PipelineVersionDisplayName", version.display_name)
    version.description = body.get("PipelineVersionDescription", version.description)
    kept = [a for a in version.aliases if a not in asked.get("Remove", [])]
    version.aliases = list(dict.fromkeys([*kept, *asked.get("Add", [])]))
    return OK, {"PipelineArn": body["PipelineArn"], "PipelineVersionId": version.number}


def _add_tags(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del state
    pipeline = (
        _pipeline(_name(body["ResourceArn"])) if ":pipeline/" in body["ResourceArn"] else None
    )
    if pipeline is not None:
        new = {tag["Key"] for tag in body["Tags"]}
        pipeline.tags = [tag for tag in pipeline.tags if tag["Key"] not in new]
    return _passed(forward, body)


def _start(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    key = ("start", body.get("ClientRequestToken", ""))
    if key in state.tokens:
        return state.tokens[key]
    name = _name(body["PipelineName"])
    status, data = _passed(forward, {**body, "PipelineName": name})
    if status.startswith("200"):
        arn = json.loads(data)["PipelineExecutionArn"]
        version = _find(
            state, name, body.get("PipelineVersionId"), body.get("PipelineVersionAlias")
        )
        text = version.described["PipelineDefinition"] if version else "{}"
        steps = [
            _step(step, state.first_status) for step in _steps_of(json.loads(text).get("Steps", []))
        ]
        number = version.number if version and state.has_versions else None
        state.executions[arn] = Execution(
            arn, state.first_status, steps, body, definition=text, version=number
        )
        state.tokens[key] = (status, data)
    return status, data


def _steps_of(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for step in steps:
        found.append(step)
        inside = step.get("Arguments", {})
        found += _steps_of(inside.get("IfSteps", [])) + _steps_of(inside.get("ElseSteps", []))
    return found


def _step(step: Mapping[str, Any], status: str) -> dict[str, Any]:
    now = time.time()
    made = {"StepName": step["Name"], "StepStatus": status, "StartTime": now, "AttemptCount": 1}
    if status in ("Succeeded", "Failed", "Stopped"):
        made["EndTime"] = now
    return made


def _described_execution(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    status, data = _passed(forward, body)
    found = state.executions.get(body["PipelineExecutionArn"])
    if not status.startswith("200") or found is None:
        return status, data
    answer = json.loads(data)
    answer["PipelineExecutionStatus"] = found.status
    answer["PipelineVersionId"] = found.version
    answer["FailureReason"] = None
    if found.failure:
        answer["FailureReason"] = found.failure
    if "SelectiveExecutionConfig" in found.request:
        answer["SelectiveExecutionConfig"] = found.request["SelectiveExecutionConfig"]
    return status, {member: value for member, value in answer.items() if value is not None}


def _listed_executions(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    status, data = _passed(forward, {**body, "PipelineName": _name(body["PipelineName"])})
    if not status.startswith("200"):
        return status, data
    answer = json.loads(data)
    for summary in answer.get("PipelineExecutionSummaries", []):
        found = state.executions.get(summary["PipelineExecutionArn"])
        summary.pop("PipelineExecutionFailureReason", None)
        if found is not None:
            summary["PipelineExecutionStatus"] = found.status
            if found.failure:
                summary["PipelineExecutionFailureReason"] = found.failure
    ordered = answer["PipelineExecutionSummaries"][::-1]
    start, most = int(body.get("NextToken") or 0), int(body.get("MaxResults") or 100)
    answer["PipelineExecutionSummaries"] = ordered[start : start + most]
    if start + most < len(ordered):
        answer["NextToken"] = str(start + most)
    return status, answer


def _run_definition(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    status, data = _passed(forward, body)
    found = state.executions.get(body["PipelineExecutionArn"])
    if not status.startswith("200") or found is None:
        return status, data
    return status, {**json.loads(data), "PipelineDefinition": found.definition}


def _filter_logs(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del state
    from moto.backends import get_backend

    body = {**body, "interleaved": True}
    if "logStreamNamePrefix" not in body:
        return _passed(forward, body)
    named = [
        stream
        for account in get_backend("logs").values()
        for backend in account.values()
        for group in [backend.groups.get(body["logGroupName"])]
        if group is not None
        for stream in group.streams
        if stream.startswith(body["logStreamNamePrefix"])
    ]
    # moto takes an empty list for all streams.
    return _passed(forward, {**body, "logStreamNames": named or ["no such stream"]})


def _execution_steps(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del forward
    found = state.executions.get(body["PipelineExecutionArn"])
    if found is None:
        return _error("ResourceNotFound", "there is no such execution")
    start, most = int(body.get("NextToken") or 0), int(body.get("MaxResults") or 100)
    ordered = found.steps if body.get("SortOrder") == "Ascending" else found.steps[::-1]
    answer: dict[str, Any] = {"PipelineExecutionSteps": ordered[start : start + most]}
    if start + most < len(ordered):
        answer["NextToken"] = str(start + most)
    return OK, answer


def _stop(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del forward
    found = state.executions.get(body["PipelineExecutionArn"])
    if found is None:
        return _error("ResourceNotFound", "there is no such execution")
    if found.status in ("Succeeded", "Failed", "Stopped"):
        return _error("ValidationException", f"The execution is already {found.status}.")
    found.status = "Stopped"
    for step in found.steps:
        if step["StepStatus"] not in ("Succeeded", "Failed"):
            step["StepStatus"] = "Stopped"
            step["EndTime"] = time.time()
    return OK, {"PipelineExecutionArn": found.arn}


def _retry(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del forward
    found = state.executions.get(body["PipelineExecutionArn"])
    if found is None:
        return _error("ResourceNotFound", "there is no such execution")
    if found.status not in ("Failed", "Stopped"):
        return _error("ValidationException", f"The execution is {found.status}: no retry.")
    found.status, found.failure = "Executing", ""
    return OK, {"PipelineExecutionArn": found.arn}


def _update_execution(state: Lacks, body: dict[str, Any], forward: Forward) -> tuple[str, Any]:
    del forward
    if body["PipelineExecutionArn"] not in state.executions:
        return _error("ResourceNotFound", "there is no such execution")
    return OK, {"PipelineExecutionArn": body["PipelineExecutionArn"]}


_HANDLERS: dict[str, Callable[[Lacks, Any, Forward], tuple[str, Any]]] = {
    "sagemaker:CreatePipeline": _create,
    "sagemaker:UpdatePipeline": _update,
    "sagemaker:DeletePipeline": _delete,
    "sagemaker:DescribePipeline": _describe_pipeline,
    "sagemaker:ListPipelineVersions": _list_versions,
    "sagemaker:UpdatePipelineVersion": _update_version,
    "sagemaker:AddTags": _add_tags,
    "sagemaker:StartPipelineExecution": _start,
    "sagemaker:DescribePipelineExecution": _described_execution,
    "sagemaker:ListPipelineExecutions": _listed_executions,
    "sagemaker:ListPipelineExecutionSteps": _execution_steps,
    "sagemaker:StopPipelineExecution": _stop,
    "sagemaker:RetryPipelineExecution": _retry,
    "sagemaker:UpdatePipelineExecution": _update_execution,
    "sagemaker:DescribePipelineDefinitionForExecution": _run_definition,
    "logs:FilterLogEvents": _filter_logs,
}
