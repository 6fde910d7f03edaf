"""Steps whose work is done by another service, or by nothing that is known here.

What the handlers file names stands in: a function gets the resolved arguments and returns members
of the answer, or recorded values are taken. The rest of the answer is made of the request.
"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.local.handlers._contract import Call, Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._stand_in import answer

_IDS = string.ascii_uppercase + string.digits


def _identifier(prefix: str, length: int = 13) -> str:
    return prefix + "".join(secrets.choice(_IDS) for _ in range(length))


Answer = tuple[dict[str, Any], dict[str, Any]]
"""A Describe response and the step's metadata."""


def _emr(request: Mapping[str, Any], context: StepContext) -> Answer:
    """A step of a cluster (EMR's DescribeStep; the SDK's ``EMRStep`` adds ClusterId)."""
    config = request.get("StepConfig") or {}
    jar = dict(config.get("HadoopJarStep") or {})
    if isinstance(jar.get("Properties"), list):
        # The request has a list of pairs, the response a map.
        jar["Properties"] = {str(p.get("Key")): p.get("Value") for p in jar["Properties"]}
    cluster = str(request.get("ClusterId") or _identifier("j-"))
    step = _identifier("s-")
    name = str(config.get("Name") or context.step.name)
    properties = {
        "Id": step,
        "Name": name,
        "Config": jar,
        "ActionOnFailure": config.get("ActionOnFailure", "TERMINATE_CLUSTER"),
        "Status": {"State": "COMPLETED"},
        "ClusterId": cluster,
    }
    if "ExecutionRoleArn" in request:
        properties["ExecutionRoleArn"] = request["ExecutionRoleArn"]
    return properties, {"EMR": {"ClusterId": cluster, "StepId": step, "StepName": name}}


def _emr_serverless(request: Mapping[str, Any], context: StepContext) -> Answer:
    """A job run (EMR Serverless's GetJobRun)."""
    config = dict(request.get("JobConfig") or {})
    application = str(
        request.get("ApplicationId") or config.get("applicationId") or _identifier("", 16).lower()
    )
    run = _identifier("", 16).lower()
    name = str(config.get("name") or context.step.name)
    identity = context.identity
    arn = (
        f"arn:aws:emr-serverless:{identity.region}:{identity.account}:/applications/{application}"
        f"/jobruns/{run}"
    )
    described = {
        "applicationId": application,
        "jobRunId": run,
        "name": name,
        "arn": arn,
        "executionRole": config.get("executionRoleArn", request.get("ExecutionRoleArn", "")),
        "state": "SUCCESS",
        "stateDetails": "",
        "jobDriver": config.get("jobDriver", {}),
    }
    for member in ("configurationOverrides", "tags", "executionTimeoutMinutes"):
        if member in config:
            described[member] = config[member]
    known = {"ApplicationId": application, "JobRunId": run, "JobRunName": name}
    return {"jobRun": described}, {"EMRServerless": known}


def _auto_ml(request: Mapping[str, Any], context: StepContext) -> Answer:
    arn = context.identity.arn(f"automl-job/{context.name.lower()}")
    properties = {
        **request,
        "AutoMLJobName": context.name,
        "AutoMLJobArn": arn,
        "AutoMLJobStatus": "Completed",
        "AutoMLJobSecondaryStatus": "Completed",
    }
    return properties, {"AutoMLJob": {"Arn": arn}}


def _job(request: Mapping[str, Any], context: StepContext) -> Answer:
    """A job (DescribeJob); the service looks into its document's JSON."""
    arn = context.identity.arn(f"job/{context.name}")
    properties = {**request, "JobName": context.name, "JobArn": arn, "JobStatus": "Completed"}
    document = request.get("JobConfigDocument")
    if isinstance(document, str):
        try:
            properties["JobConfigDocument"] = json.loads(document)
        except ValueError:
            raise StepError("JobConfigDocument is no JSON") from None
    return properties, {"Job": {"Arn": arn}}


def _anything(request: Mapping[str, Any], context: StepContext) -> Answer:
    del context
    return dict(request), {}


_ANSWERS: Mapping[str, tuple[Callable[[Mapping[str, Any], StepContext], Answer], tuple[str, ...]]]
_ANSWERS = {
    # AWS, "Caching pipeline steps", EMR: ClusterId and StepConfig count.
    "EMR": (_emr, ("ClusterId", "StepConfig")),
    "EMRServerless": (_emr_serverless, ("*",)),
    "AutoML": (_auto_ml, ("AutoMLJobConfig", "AutoMLJobObjective", "InputDataConfig",
                          "ProblemType")),
    "Job": (_job, ("*",)),
}  # fmt: skip


class ElsewhereHandler(Handler):
    """Runs what stands in for a step of a type.

    Args:
        api_type: the type; any word.
    """

    def __init__(self, api_type: str) -> None:
        self.api_type = api_type  # type: ignore[misc]  # one class serves many types
        self._answer, attributes = _ANSWERS.get(api_type, (_anything, ("*",)))
        self.cache_attributes = attributes  # type: ignore[misc]  # as above

    def obstacle(self, call: Call) -> str:
        """Say that nothing stands in for the step."""
        if call.stand_in is not None:
            return ""
        step = call.step
        what = f"the step `{step.name}` of type {step.type}"
        recorded: dict[str, Any] = {"properties": {}, "files": {}}
        example = recorded if step.type == "AutoML" else "module:function"
        return call.stand_ins.advice(what, "steps", step.name, example)

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Call the function, or take what was recorded; without either the step fails."""
        stand_in = context.stand_in
        if stand_in is None:
            raise StepError(self.obstacle(context.call(request)))
        properties, metadata = self._answer(request, context)
        result, objects = answer(stand_in, dict(request), {}, context, metadata)
        if result is not None and not isinstance(result, Mapping):
            raise StepError(f"`{stand_in.name}` returned no object", metadata)
        return StepResult({**properties, **(result or {})}, metadata, outputs=objects)


ELSEWHERE = tuple(_ANSWERS)
"""The API types that only a stand-in can run."""
