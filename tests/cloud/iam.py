"""What IAM would say: requests as actions on resources, policies evaluated, conditions as well.

From the IAM User Guide ("Policy evaluation logic", "IAM JSON policy elements: Condition operators")
and the Service Authorization Reference of the services: which resource an action is checked with.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from moto_server import ACCOUNT, Request

REGION = "us-east-1"


@dataclass(frozen=True)
class Need:
    """An action on a resource, with the keys that conditions can look at."""

    action: str
    resource: str
    keys: Mapping[str, str] = field(default_factory=dict)


def needs_of(request: Request) -> list[Need]:
    """Return what a request needs to be allowed."""
    service, _, name = request.call.partition(":")
    reader = {
        "sagemaker": _of_sagemaker,
        "scheduler": _of_scheduler,
        "s3": _of_s3,
        "logs": _of_logs,
    }.get(service)
    return list(reader(name, request)) if reader else [Need(request.call, "*")]


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _pass_role(role: str, service: str) -> Need:
    return Need("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})


def _of_sagemaker(name: str, request: Request) -> Iterable[Need]:
    body = request.body
    resource = "*"
    if name == "ListPipelines":
        pass
    elif "PipelineExecutionArn" in body:
        resource = body["PipelineExecutionArn"]
    elif "ResourceArn" in body or "PipelineArn" in body:
        resource = body.get("ResourceArn") or body["PipelineArn"]
    elif "PipelineName" in body:
        given = body["PipelineName"]
        resource = given if given.startswith("arn:") else _arn("sagemaker", f"pipeline/{given}")
    elif "TrainingJobName" in body:
        resource = _arn("sagemaker", f"training-job/{body['TrainingJobName']}")
    else:
        raise AssertionError(f"which resource has sagemaker:{name}?")
    yield Need(f"sagemaker:{name}", resource)
    if name == "CreatePipeline":
        yield Need("sagemaker:AddTags", resource)
    if name in ("CreatePipeline", "UpdatePipeline") and "RoleArn" in body:
        yield _pass_role(body["RoleArn"], "sagemaker")


def _of_scheduler(name: str, request: Request) -> Iterable[Need]:
    kind, _, given = request.path.strip("/").partition("/")
    given = unquote(given)
    if name == "ListSchedules":
        yield Need("scheduler:ListSchedules", "*")
        return
    if kind == "schedule-groups":
        resource = _arn("scheduler", f"schedule-group/{given}")
        yield Need(f"scheduler:{name}", resource)
        if name == "CreateScheduleGroup":
            yield Need("scheduler:TagResource", resource)
        return
    body = request.body if isinstance(request.body, dict) else {}
    group = body.get("GroupName") or parse_qs(request.query)["groupName"][0]
    yield Need(f"scheduler:{name}", _arn("scheduler", f"schedule/{group}/{given}"))
    if name in ("CreateSchedule", "UpdateSchedule"):
        yield _pass_role(body["Target"]["RoleArn"], "scheduler")


def _of_s3(name: str, request: Request) -> Iterable[Need]:
    bucket, _, key = request.path.strip("/").partition("/")
    if name == "HeadBucket":
        yield Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")
        return
    action = {"HeadObject": "GetObject"}.get(name, name)
    yield Need(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")
    if action == "GetObject":
        # Else what does not exist is answered with 403, and no prefix stands in the request.
        yield Need("s3:ListBucket", f"arn:aws:s3:::{bucket}")


def _of_logs(name: str, request: Request) -> Iterable[Need]:
    group = request.body["logGroupName"]
    stream = request.body.get("logStreamName", "")
    resource = f"log-group:{group}:log-stream:{stream}"
    yield Need(f"logs:{name}", _arn("logs", resource))


Granted = tuple[str, str, str]
"""A policy's name, a statement's Sid and one of its actions."""


def granted(policies: Mapping[str, Mapping[str, Any]], need: Need) -> list[Granted]:
    """Return every statement that allows what is needed; none: IAM denies it."""
    found = []
    for name, document in policies.items():
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
            fits = [a for a in statement["Action"] if matches(a.lower(), need.action.lower())]
            on = any(matches(r, need.resource) for r in statement["Resource"])
            if fits and on and holds(statement.get("Condition", {}), need.keys):
                found += [(name, statement["Sid"], action) for action in fits]
    return found


def matches(pattern: str, text: str) -> bool:
    """Whether IAM's wildcards ``*`` and ``?`` cover a text."""
    escaped = re.sub(r"\[", "[[]", pattern)
    return fnmatch.fnmatchcase(text, escaped)


def holds(conditions: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> bool:
    """Whether all conditions hold; a key that the request lacks holds nothing."""
    for operator, tests in conditions.items():
        for key, wanted in tests.items():
            values = wanted if isinstance(wanted, list) else [wanted]
            found = keys.get(key)
            if operator == "StringEquals":
                held = found in values
            elif operator in ("StringLike", "ArnLike"):
                held = found is not None and any(matches(v, found) for v in values)
            else:
                raise AssertionError(f"no condition operator {operator} is known here")
            if not held:
                return False
    return True
