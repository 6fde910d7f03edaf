"""The printed policies of callers against the requests that commands make, as IAM would judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_commands import sagedag
from executing import becomes, job, step, write_log
from iam import Granted, Need, granted, holds, matches, needs_of
from moto_server import AwsServer, Fault, Request

from pipelines.cloud.executions import watching
from pipelines.cloud.executions.watching import Pace


class Caller:
    """Runs commands and judges every request by some of the printed policies.

    Attributes:
        used: the statements and actions that allowed something.
    """

    def __init__(self, project: Path, aws: AwsServer) -> None:
        self.project, self.aws = project, aws
        self.used: set[Granted] = set()
        self.all: set[Granted] = set()

    def documents(self, *names: str) -> dict[str, Mapping[str, Any]]:
        """Return what ``sagedag policy`` prints for who calls, by the end of its name."""
        ran = sagedag(self.project, "policy", "line", "--env", "dev", "--json")
        assert ran.code == 0, ran.err
        listed = {each["name"]: each["document"] for each in json.loads(ran.out)}
        kept = {name: listed[f"line-{name}"] for name in names}
        self.all |= {
            (name, statement["Sid"], action)
            for name, document in kept.items()
            for statement in document["Statement"]
            for action in statement["Action"]
        }
        return kept

    def run(self, words: str, *names: str, code: int = 0, closed: str = "") -> str:
        """Run a command: what the policies of these names don't allow is denied, and told.

        Args:
            closed: a resource that is to be denied.
        """
        documents = self.documents(*names)
        tags = pipeline_tags()
        denied: list[str] = []

        def judge(request: Request) -> Fault | None:
            allowed = True
            for need in needs_of(request):
                need = replace(need, keys={**need.keys, **tags.get(need.resource, {})})
                found = granted(documents, need)
                self.used |= set(found)
                if not found:
                    denied.append(f"{words}: {need.action} on {need.resource} ({request.call})")
                    allowed = False
            return None if allowed else Fault("AccessDeniedException", 403)

        self.aws.hook = judge
        ran = sagedag(self.project, *words.split(), "--env", "dev")
        self.aws.hook = None
        missing = [each for each in denied if not closed or closed not in each]
        assert not missing, "\n".join(dict.fromkeys(missing))
        assert bool(denied) == bool(closed)
        assert ran.code == code, ran.out + ran.err
        return ran.out

    def edit(self, old: str, new: str) -> None:
        """Replace a text of the definition."""
        file = self.project / "line/pipeline.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def pipeline_tags() -> dict[str, dict[str, str]]:
    """Return pipelines' tags as conditions see them, by the pipelines' ARNs."""
    client = boto3.client("sagemaker")
    arns = [each["PipelineArn"] for each in client.list_pipelines()["PipelineSummaries"]]
    return {
        arn: {
            f"aws:ResourceTag/{tag['Key']}": tag["Value"]
            for tag in client.list_tags(ResourceArn=arn)["Tags"]
        }
        for arn in arns
    }


@pytest.fixture
def caller(project: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Caller:
    monkeypatch.setattr(watching, "Pace", partial(Pace, first=0.01, longest=0.02))
    monkeypatch.setenv("CI", "1")
    return Caller(project, aws)


def deploy_others(project: Path) -> None:
    """Deploy a definition that goes away again, and a pipeline of somebody else."""
    other = project / "other"
    other.mkdir()
    (other / "pipeline.yaml").write_text(
        "pipeline: other\nsteps: {stop: {type: Fail, message: no}}\nschedules: "
        "{daily: {rate: 1 day}}\n"
    )
    assert sagedag(project, "upsert", "other", "--env", "dev", "--yes").code == 0
    (other / "pipeline.yaml").unlink()
    boto3.client("sagemaker").create_pipeline(
        PipelineName="foreign",
        PipelineDefinition="{}",
        RoleArn="arn:aws:iam::123456789012:role/x",
        ClientRequestToken="t" * 32,
    )


UNUSED: dict[str, str] = {}
"""Permissions that no command of the tour uses, and why they are printed."""


def test_the_policies_allow_every_request_and_nothing_idle(caller: Caller, aws: AwsServer) -> None:
    deploys = ("plan", "deploy")
    caller.run("plan --detailed-exitcode", "plan", code=3)
    caller.run("upsert --yes --alias live", *deploys)
    caller.run("plan --alias live --detailed-exitcode", "plan", code=0)
    change(caller)
    caller.run("plan --detailed-exitcode", "plan", code=3)
    caller.run("deploy", *deploys)
    caller.run("upsert --yes", *deploys)
    drift()
    caller.run("plan --detailed-exitcode", "plan", code=3)
    caller.run("upsert --yes", *deploys)
    caller.run("versions line", "plan")
    caller.run("promote line --version 1 --alias live --yes", *deploys)
    caller.run("rollback line --yes", *deploys)
    caller.run("diff --env prod --deployed", "plan")
    executions(caller, aws)
    deploy_others(caller.project)
    said = caller.run("upsert --yes --prune", *deploys, "prune", closed="pipeline/foreign ")
    assert "other  deleted" in said
    assert "access to 1 other pipelines is denied, such as `foreign`" in said
    caller.run("delete line --yes --stop", *deploys, "start")
    idle = {action for _, _, action in caller.all} - {action for _, _, action in caller.used}
    assert idle == set(UNUSED)
    statements = {each[:2] for each in caller.all} - {each[:2] for each in caller.used}
    assert statements == set()


def change(caller: Caller) -> None:
    """Change what there is, so that it takes every call to deploy it."""
    caller.edit("max_depth: 6", "max_depth: 8")
    caller.edit("tags: {team: lines}", "tags: {crew: lines}")
    nightly = 'nightly: {cron: "0 3 * * ? *"}'
    caller.edit(nightly, nightly.replace("3", "4") + "\n  weekly: {rate: 7 days}")
    (caller.project / "line/code/train.py").write_text("print('better')\n")
    caller.edit("description: Fits a line", "description: Fits a line\nparallelism: 2")


def drift() -> None:
    """Change the deployed pipeline as somebody else would."""
    client = boto3.client("sagemaker")
    found = client.describe_pipeline(PipelineName="line")
    definition = json.loads(found["PipelineDefinition"])
    definition["Steps"][1]["Arguments"]["HyperParameters"]["max_depth"] = "12"
    client.update_pipeline(PipelineName="line", PipelineDefinition=json.dumps(definition))


def executions(caller: Caller, aws: AwsServer) -> None:
    """Start, watch, stop, retry, compare."""
    start = "start"
    aws.lacks.first_status = "Executing"
    caller.run("start line -p Rows=200", start)
    first = next(iter(aws.lacks.executions.values()))
    write_log("/aws/sagemaker/TrainingJobs", "train-1/algo-1-1", "epoch 1")
    train = step("train", "Failed", Metadata=job("TrainingJob", "train-1"))
    becomes(first, "Failed", train)()
    caller.run("wait line", start, code=5)
    caller.run("logs line train", start)
    caller.run("logs line --tail 3", start)
    caller.run("retry line", start)
    becomes(first, "Succeeded", {**train, "StepStatus": "Succeeded"})()
    caller.run("start line --from train --alias live", start)
    caller.run("stop line", start)
    for words in ("status line", "list line", "list", "describe line", "describe line/latest"):
        caller.run(words, start)
    caller.run("start line", start)
    for each in aws.lacks.executions.values():
        each.steps[:] = [{**train, "StepStatus": "Succeeded"}]
    caller.run("diff-run line", start)


def test_the_evaluator_denies() -> None:
    """What makes the tour above fail: another action, resource or condition."""
    policy = {
        "Statement": [
            {
                "Sid": "A",
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": ["arn:aws:s3:::b/team/*"],
                "Condition": {"StringLike": {"s3:prefix": ["team/*"]}},
            }
        ]
    }
    with_prefix = {"s3:prefix": "team/x"}
    need = Need("s3:GetObject", "arn:aws:s3:::b/team/x", with_prefix)
    assert granted({"p": policy}, need) == [("p", "A", "s3:GetObject")]
    assert granted({"p": policy}, replace(need, keys={})) == []
    assert granted({"p": policy}, replace(need, action="s3:PutObject")) == []
    assert granted({"p": policy}, replace(need, resource="arn:aws:s3:::b/x")) == []
    assert matches("arn:*:[x]/?", "arn:aws:[x]/1")
    assert not holds({"StringEquals": {"k": "v"}}, {"k": "w"})
