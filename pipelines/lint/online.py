"""Asks AWS whether what a definition names is there.

Every thing is asked about once, whatever names it; calls read and change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pipelines.cloud.client import PARALLEL, Clients, Place, connect
from pipelines.cloud.refusals import Missing, Refused
from pipelines.language.diagnostics import Report
from pipelines.language.environments import choose_environment
from pipelines.lint.model import Finding, Rule, Subject
from pipelines.lint.rules import existence
from pipelines.lint.rules.trust import IMAGE_MEMBERS, ROLE_MEMBERS
from steps._expressions import Path

_IMAGE = re.compile(r"(\d{12})\.dkr[.-]ecr[^.]*\.([a-z0-9-]+)\.[^/]+/([^:@]+)(?:@(.+)|:(.+))?")
_QUEUE = re.compile(r"https://[^/]+/(\d{12})/(.+)")
_KEYS = ("KmsKeyId", "VolumeKmsKeyId", "OutputKmsKeyId")

_NOT_THERE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "ImageNotFoundException",
        "InvalidGroup.NotFound",
        "InvalidGroupId.Malformed",
        "InvalidSubnetID.NotFound",
        "InvalidSubnetID.Malformed",
        "NoSuchEntity",
        "QueueDoesNotExist",
        "RepositoryNotFoundException",
    }
)
"""What services answer where something is not there, beside what every call may answer. From the
error lists of GetRole, DescribeImages, GetQueueUrl, and EC2's "Error codes"."""

_NO_NAME = frozenset(
    {
        "InvalidArnException",
        "InvalidParameterException",
        "InvalidParameterValueException",
        "ParamValidationError",
        "ValidationError",
        "ValidationException",
    }
)
"""What services answer to a name that nothing of theirs could have; the error lists of the same
calls, and botocore's own check before a call."""

_NOT_ALLOWED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "Forbidden",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    }
)


@dataclass(frozen=True)
class Asked:
    """One thing to ask about.

    Args:
        rule: the rule that is broken where it is not there.
        name: what messages call it.
        operation: the call that asks.
        request: its request, as pairs.
    """

    rule: Rule = field(hash=False)
    name: str
    operation: str
    request: tuple[tuple[str, Any], ...]


def place_of(subject: Subject) -> Place:
    """Return where a definition's environment lives on AWS."""
    where = subject.spec.environment
    setting = choose_environment(where.name, subject.spec.project, Report())
    return Place(
        where.name,
        where.account,
        where.region,
        where.profile,
        setting.endpoint_url,
        where.bucket,
        where.prefix,
        where.local,
    )


def findings(
    subject: Subject, wanted: Callable[[Rule], bool], clients: Clients | None = None
) -> Iterator[tuple[Rule, Finding]]:
    """Yield what is not there, and what could not be asked.

    Args:
        wanted: says which rules are looked for.
        clients: AWS; by default that of the definition's environment.

    Raises:
        AwsError: there are no credentials, they are another account's, or AWS can't be reached.
    """
    clients = clients or connect(place_of(subject))
    clients.check_account()
    places: dict[Asked, dict[Path, None]] = {}
    for path, asked in _everything(subject):
        if wanted(asked.rule):
            places.setdefault(asked, {})[path] = None
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(lambda each: _ask(clients, each), places))
    for paths, (rule, message, hint) in zip(places.values(), answers, strict=True):
        if message and wanted(rule):
            yield from ((rule, Finding(path, message, hint)) for path in paths)


def _ask(clients: Clients, asked: Asked) -> tuple[Rule, str, str]:
    """Return the rule, message and hint about one thing; no message where it is there."""
    gone = f"there is no {asked.name} in account {clients.identity.account}, {clients.region}"
    try:
        answer = clients.call(asked.operation, asked.name, **_request(asked))
    except Missing:
        return asked.rule, gone, "check its name, the account and the region"
    except Refused as error:
        if error.code in _NOT_THERE:
            return asked.rule, gone, "check its name, the account and the region"
        if error.code in _NO_NAME:
            message = f"{asked.operation} takes no {asked.name}: {error.detail or error.code}"
            return asked.rule, message, "check how its name is written"
        if error.code in _NOT_ALLOWED:
            message = f"whether there is a {asked.name} was not checked: access denied"
            return existence.NOT_CHECKED, message, error.hint
        raise
    state = answer.get("KeyMetadata", {}).get("KeyState", "Enabled")
    if state != "Enabled":
        return asked.rule, f"the {asked.name} can't be used: it is {state}", "enable it first"
    return asked.rule, "", ""


def _request(asked: Asked) -> dict[str, Any]:
    """Return the request as boto3 takes it."""
    made: dict[str, Any] = {}
    for name, value in asked.request:
        if name == "imageIds":
            made[name] = [dict(value)]
        else:
            made[name] = list(value) if isinstance(value, tuple) else value
    return made


def _everything(subject: Subject) -> Iterator[tuple[Path, Asked]]:
    """Yield everything that a definition names, with where."""
    where = subject.spec.environment
    account = where.account
    own_role = ("role",) if "role" in subject.spec.tree.entries else ("pipeline",)
    yield from ((own_role, each) for each in _role(where.role, account))
    yield ("pipeline",), _bucket(where.bucket)
    for part in subject.parts:
        own = subject.spec.environment.role
        for path, value in part.leaves:
            found = subject.known(value)
            if isinstance(found, str) and path and found != own:
                place = part.place(path)
                yield from ((place, each) for each in _named(path, found, account))
        function = subject.known(part.request.members.get("FunctionArn"))
        if isinstance(function, str):
            name = function.split(":function:")[-1]
            request = (("FunctionName", function),)
            asked = Asked(
                existence.NO_SUCH_FUNCTION, f"function `{name}`", "lambda:GetFunction", request
            )
            yield (*part.spec.path, "function"), asked
        queue = subject.known(part.request.members.get("SqsQueueUrl"))
        if isinstance(queue, str):
            yield from (((*part.spec.path, "queue"), each) for each in _queue(queue))


def _named(path: Path, text: str, account: str) -> Iterator[Asked]:
    """Yield what one argument names."""
    member = path[-1]
    if member in ROLE_MEMBERS:
        yield from _role(text, account)
    elif member in IMAGE_MEMBERS:
        yield from _image(text, account)
    elif member in _KEYS:
        request = (("KeyId", text),)
        yield Asked(existence.NO_SUCH_KEY, f"key `{text}`", "kms:DescribeKey", request)
    elif member == "FeatureGroupName":
        yield Asked(
            existence.NO_SUCH_FEATURE_GROUP,
            f"feature group `{text}`",
            "sagemaker:DescribeFeatureGroup",
            (("FeatureGroupName", text),),
        )
    elif "Subnets" in path:
        request_of = (("SubnetIds", (text,)),)
        yield Asked(
            existence.NO_SUCH_NETWORK, f"subnet `{text}`", "ec2:DescribeSubnets", request_of
        )
    elif "SecurityGroupIds" in path:
        yield Asked(
            existence.NO_SUCH_NETWORK,
            f"security group `{text}`",
            "ec2:DescribeSecurityGroups",
            (("GroupIds", (text,)),),
        )
    elif text.startswith("s3://"):
        yield _bucket(text.removeprefix("s3://").split("/")[0])


def _role(arn: str, account: str) -> Iterator[Asked]:
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[4] == account:
        name = parts[5].rsplit("/", 1)[-1]
        request = (("RoleName", name),)
        yield Asked(existence.NO_SUCH_ROLE, f"role `{name}`", "iam:GetRole", request)


def _image(uri: str, account: str) -> Iterator[Asked]:
    found = _IMAGE.fullmatch(uri)
    if found is None or found[1] != account:
        return
    repository, digest, tag = found[3], found[4], found[5]
    one = (("imageDigest", digest) if digest else ("imageTag", tag or "latest"),)
    name = f"image `{repository}{'@' + digest if digest else ':' + (tag or 'latest')}`"
    request = (("registryId", account), ("repositoryName", repository), ("imageIds", one))
    yield Asked(existence.NO_SUCH_IMAGE, name, "ecr:DescribeImages", request)


def _bucket(name: str) -> Asked:
    return Asked(existence.NO_SUCH_BUCKET, f"bucket `{name}`", "s3:HeadBucket", (("Bucket", name),))


def _queue(url: str) -> Iterator[Asked]:
    found = _QUEUE.fullmatch(url)
    if found is not None:
        request = (("QueueName", found[2]), ("QueueOwnerAWSAccountId", found[1]))
        yield Asked(existence.NO_SUCH_QUEUE, f"queue `{found[2]}`", "sqs:GetQueueUrl", request)
