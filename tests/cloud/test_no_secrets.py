"""Secrets planted wherever one can stand: no command prints one, with ``--debug`` or without."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import boto3
import pytest
from cloud_commands import sagedag
from executing import becomes, step
from moto_lacks import Execution
from moto_server import AwsServer, Fault

from pipelines.cloud.executions import watching
from pipelines.cloud.executions.watching import Pace

KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE" + "Aa0/" * 60 + "=="
SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
PASSWORD, API_KEY, STARTED, TAGGED = (
    "hunter22-pass",
    "k-9f8e7d6c5b4a",
    "st4rted-t0ken",
    "t4gged-s3cret",
)
HOOK = "h00k-secret-value"
PLANTED = {
    "secret key": KEY,
    "session token": TOKEN,
    "signature": SIGNATURE,
    "environment's password": PASSWORD,
    "parameter's default": API_KEY,
    "start's parameter": STARTED,
    "tag": TAGGED,
    "hyperparameter": HOOK,
}
PRESIGNED = (
    "https://dev-bucket.s3.amazonaws.com/team/a?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261124%2Fus-east-1%2Fs3%2Faws4_request"
    f"&X-Amz-Security-Token={TOKEN}&X-Amz-Signature={SIGNATURE}"
)
AUTHORIZATION = (
    "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/s3/"
    f"aws4_request, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
)
DEFINITION = f"""\
pipeline: line
parameters:
  ApiToken: {{default: {API_KEY}}}
defaults:
  instance: ml.m5.large
  image: {{framework: sklearn, version: 1.4-2}}
steps:
  split:
    type: Processing
    code: code/split.py
    environment: {{DB_PASSWORD: {PASSWORD}, TOKEN_OF: "${{parameters.ApiToken}}"}}
    outputs: [train]
  train:
    type: Training
    code: {{dir: code, entry: train.py}}
    hyperparameters: {{webhook_secret: {HOOK}, max_depth: 6}}
    inputs: {{train: "${{steps.split.outputs.train}}"}}
tags: {{deploy_secret: {TAGGED}}}
schedules:
  nightly: {{cron: "0 3 * * ? *", parameters: {{ApiToken: {API_KEY}}}}}
"""


class Told:
    """Runs commands and keeps all that they print."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.texts: list[tuple[str, str]] = []

    def run(self, words: str, code: int = 0, *, debug: bool = True) -> str:
        ran = sagedag(self.project, *words.split(), "--env", "dev", *(["--debug"] if debug else []))
        assert ran.code == code, ran.out + ran.err
        text = ran.out + ran.err
        self.texts.append((words, text))
        return text

    def leaks(self) -> list[str]:
        return [
            f"{words} prints the {what}: "
            + next(line for line in text.splitlines() if secret in line)[:200]
            for words, text in self.texts
            for what, planted in PLANTED.items()
            for secret in (planted, planted[::-1])
            if secret in text
        ]


@pytest.fixture
def told(project: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(watching, "Pace", partial(Pace, first=0.01, longest=0.02))
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    (project / "line/pipeline.yaml").write_text(DEFINITION)
    return Told(project)


def test_no_command_prints_a_secret(told: Told, aws: AwsServer) -> None:
    for more in ("", "--json", "--markdown"):
        assert "sts:GetCallerIdentity" in told.run(f"plan {more}")
    told.run("upsert --yes --json")
    file = told.project / "line/pipeline.yaml"
    text = file.read_text()
    for secret in (PASSWORD, API_KEY, TAGGED, HOOK):
        text = text.replace(secret, secret[::-1])
    file.write_text(text)
    for more in ("", "--json", "--markdown"):
        assert "(sensitive value)" in told.run(f"plan {more}")
    same = "ApiToken=(sensitive value)"
    assert f"~ schedules.nightly.parameters: {same} → {same}" in told.run("plan")
    told.run("deploy --dry-run")
    told.run("upsert --yes")
    found = execution(told, aws)
    becomes(
        found,
        "Failed",
        {**step("train", "Failed"), "FailureReason": f"no: {PRESIGNED}\n{AUTHORIZATION}"},
        failure=f"could not read {PRESIGNED}",
    )()
    told.run("wait line", 5)
    told.run("start line")
    for words in (
        "status line/latest",
        "describe line",
        "describe line --json",
        "describe line/latest",
        "diff-run line",
        "diff-run line --json",
        "list line",
        "versions line",
        "rollback line --yes",
        "logs line",
    ):
        told.run(words)
    told.run("start line -p Unknown=1", 2)
    told.run("delete line --yes")
    assert told.leaks() == []


def execution(told: Told, aws: AwsServer) -> Execution:
    """Start one with a secret parameter."""
    aws.lacks.first_status = "Failed"
    told.run(f"start line -p ApiToken={STARTED}")
    return next(iter(aws.lacks.executions.values()))


@pytest.mark.parametrize("call", ["s3:PutObject", "sagemaker:CreatePipeline", "sagemaker:ListTags"])
@pytest.mark.parametrize(
    "message",
    [
        f"The Canonical String should have been 'x-amz-security-token:{TOKEN}' {KEY}",
        PRESIGNED,
        AUTHORIZATION,
        f'{{"Authorization": "Bearer {SIGNATURE}", "SessionToken": "{TOKEN}"}}',
        f"proxy-authorization: Basic {SIGNATURE}",
    ],
    ids=["canonical", "presigned", "authorization", "json", "proxy"],
)
def test_no_refusal_prints_a_secret(told: Told, aws: AwsServer, call: str, message: str) -> None:
    if call == "sagemaker:ListTags":
        told.run("upsert --yes")
        told.texts.clear()
    told_of = message.replace("&", "&amp;")
    aws.fail_on(call, Fault("ValidationException", 400, told_of))
    text = told.run("upsert --yes", 4)
    assert call in text
    assert told.leaks() == []


def test_what_libraries_log_is_not_printed(
    told: Told, aws: AwsServer, aws_variables: dict[str, str]
) -> None:
    """In a process of its own, with the variables by which botocore and boto are made to talk."""
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines", *["upsert", "--yes", "--debug", "--env", "dev"]],
        cwd=told.project,
        env={**os.environ, "BOTO_LOG_LEVEL": "DEBUG", "BOTOCORE_DEBUG": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    told.texts.append(("upsert", ran.stdout + ran.stderr))
    assert "sagemaker:CreatePipeline" in ran.stderr
    assert told.leaks() == []
    tags = boto3.client("sagemaker").list_tags(
        ResourceArn="arn:aws:sagemaker:us-east-1:123456789012:pipeline/line"
    )["Tags"]
    assert {"Key": "deploy_secret", "Value": TAGGED} in tags
