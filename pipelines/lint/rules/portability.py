"""Rules about what ties a definition to one account, region or bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.language.pages import Page
from pipelines.lint.model import Finding, Rule, Subject
from pipelines.lint.rules._examples import cloud, steps

_ACCOUNT = re.compile(
    r"arn:aws[\w-]*:[\w-]*:[\w{} -]*:(\d{12}):|(?<!\d)(\d{12})\.dkr|amazonaws\.com/(\d{12})/"
)
_REGION_NAME = r"[a-z]{2}(?:-[a-z]+)+-\d"
_REGION = re.compile(
    rf"arn:aws[\w-]*:[\w-]+:({_REGION_NAME}):|\.({_REGION_NAME})\.amazonaws\.com|^({_REGION_NAME})$"
)
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]*[a-z0-9])")

_EVERYBODYS = ("sagemaker-sample-", "sagemaker-example-files-", "jumpstart-", "aws-")
"""How the names of AWS's own buckets of samples and models begin; that others' don't is [U]."""


def _first(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group)


def _account(subject: Subject) -> Iterator[Finding]:
    for path, raw in subject.written:
        found = _ACCOUNT.search(raw)
        known = raw if raw in subject.surroundings.accounts else ""
        if not found and not known:
            continue
        account = _first(found) if found else known
        hint = "write `{{ account }}`"
        if found and found.group(2):
            hint += "; an image of AWS's own is written `image: {framework: …, version: …}`"
        yield Finding(path, f"the account `{account}` is written out", hint)


HARD_CODED_ACCOUNT = Rule(
    Page(
        "hard-coded-account",
        "An account is written out",
        "An ARN, an image or a queue's URL names an account by its number. What "
        "`environments.yaml` and the overlays of one environment say is not looked at.",
        "The definition can't be deployed to another account; or it is, and still uses this one.",
        cloud("""
            pipeline: demo
            role: arn:aws:iam::111122223333:role/training
            steps:
              stop: {type: Fail, message: not yet}
            """),
        cloud("""
            pipeline: demo
            role: "arn:aws:iam::{{ account }}:role/training"
            steps:
              stop: {type: Fail, message: not yet}
            """),
        level="warning",
    ),
    "portability",
    _account,
)


def _region(subject: Subject) -> Iterator[Finding]:
    for path, raw in subject.written:
        found = _REGION.search(raw)
        if found:
            hint = "write `{{ region }}`"
            if ".dkr." in raw:
                hint += "; an image of AWS's own is written `image: {framework: …, version: …}`"
            yield Finding(path, f"the region `{_first(found)}` is written out", hint)


HARD_CODED_REGION = Rule(
    Page(
        "hard-coded-region",
        "A region is written out",
        "An ARN, an address or a value is the name of a region. What `environments.yaml` and the "
        "overlays of one environment say is not looked at.",
        "In another region the definition still reaches into this one: images, functions and "
        "queues are not found, or data cross the border.",
        steps("""
            call: {type: Lambda,
                   function: "arn:aws:lambda:eu-central-1:{{ account }}:function:check"}
            """),
        steps("""
            call: {type: Lambda, function: check}
            """),
        level="warning",
    ),
    "portability",
    _region,
)


def _bucket(subject: Subject) -> Iterator[Finding]:
    ours = subject.surroundings.buckets
    for path, raw in subject.written:
        for found in _BUCKET.finditer(raw):
            name = found[1]
            if name in ours:
                hint = "write `s3://{{ bucket }}/…`"
            elif path[0] == "steps" and not name.startswith(_EVERYBODYS):
                hint = "make it a parameter, or a variable of each environment: `{{ vars.data }}`"
            else:
                continue
            yield Finding(path, f"the bucket `{name}` is written out", hint)
            break


HARD_CODED_BUCKET = Rule(
    Page(
        "hard-coded-bucket",
        "A bucket is written out",
        "The bucket of an environment stands in the definition by its name; or a step names any "
        "bucket but AWS's public samples. A parameter's default may name one, since a start can "
        "change it.",
        "Other environments read and overwrite the data of this one.",
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, inputs: {train: s3://dev-bucket/survey}}
            """),
        steps("""
            train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                    instance: ml.m5.xlarge, inputs: {train: "s3://{{ bucket }}/survey"}}
            """),
        level="warning",
    ),
    "portability",
    _bucket,
)

RULES = (HARD_CODED_ACCOUNT, HARD_CODED_REGION, HARD_CODED_BUCKET)
