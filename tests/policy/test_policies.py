"""The policies of definitions in tests/cases/policy, beside which their golden texts stand.

A first line `# env: NAME` chooses the environment, else it is `prod`. `SAGEDAG_REGEN=1` writes the
texts anew.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from functools import cache
from pathlib import Path

import pytest
from botocore.session import get_session

from pipelines.cli import main
from pipelines.language.check import check
from pipelines.language.requests import Program, walk_requests
from pipelines.policy import Policy, policies
from pipelines.policy.model import LONGEST
from pipelines.policy.pipeline_role import GRANTS
from pipelines.policy.writing import as_json, as_terraform, as_text
from steps import KINDS

CASES = Path(__file__).parents[1] / "cases" / "policy"
OK = CASES.parent / "ok"
ROOT = Path(__file__).parents[2]
REGEN = os.environ.get("SAGEDAG_REGEN") == "1"

DEFINITIONS = [
    *sorted(CASES.glob("*.yaml")),
    *sorted(OK.glob("*/pipeline.yaml")),
    ROOT / "definitions" / "pulsar" / "pipeline.yaml",
]
DEFINITIONS.remove(CASES / "environments.yaml")
GOLDEN = [path for path in DEFINITIONS if path.parent == CASES]


def called(path: Path) -> str:
    return path.stem if path.stem != "pipeline" else path.parent.name


@cache
def program(path: Path) -> Program | None:
    """Return a definition's requests; None where it is for another environment alone."""
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    environment = first.removeprefix("# env: ") if first.startswith("# env:") else "prod"
    checked = check(path, environment=environment)
    assert not checked.failed or OK in path.parents, checked.diagnostics
    return None if checked.failed else checked.program


@cache
def made(path: Path) -> tuple[Policy, ...]:
    found = program(path)
    if found is None:
        pytest.skip("it is not valid in this environment")
    return policies(found)


def sound() -> list[Path]:
    return [path for path in DEFINITIONS if program(path) is not None]


every = pytest.mark.parametrize("path", DEFINITIONS, ids=called)


@pytest.mark.parametrize("path", GOLDEN, ids=called)
def test_golden_texts(path: Path) -> None:
    golden = path.with_suffix(".out")
    text = as_text(made(path)) + "\n"
    if REGEN:
        golden.write_text(text, encoding="utf-8")
    assert golden.exists(), f"{golden} is missing: look at the output and run SAGEDAG_REGEN=1"
    assert text == golden.read_text(encoding="utf-8")


@every
def test_documents_are_what_iam_takes(path: Path) -> None:
    found = made(path)
    names = [policy.name for policy in found]
    assert len(names) == len(set(names))
    for policy in found:
        document = policy.document
        assert document["Version"] == "2012-10-17"
        counted = re.sub(r"\s", "", json.dumps(document))
        assert len(counted) <= LONGEST
        assert re.fullmatch(r"[\w+=,.@-]{1,128}", policy.name), policy.name
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(sids) == len(set(sids))
        for statement in document["Statement"]:
            assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
            assert statement["Effect"] == "Allow"
            assert statement["Action"]
            assert ("Principal" in statement) == (policy.kind == "trust")
            assert ("Resource" in statement) == (policy.kind == "permissions")
            for resource in statement.get("Resource", []):
                assert resource == "*" or re.fullmatch(
                    r"arn:aws(-cn)?:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|\*)?:\S+", resource
                ), resource
                assert "**" not in resource


WIDE = {
    "cloudwatch:PutMetricData",  # narrowed by the namespace
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "elasticfilesystem:DescribeMountTargets",
    "fsx:DescribeFileSystems",
    "sagemaker:ListPipelines",
    "scheduler:ListSchedules",
    "sts:GetCallerIdentity",
}
"""Actions that take no resource, by the Service Authorization Reference (the last two file-system
actions take one, but by an ARN that a request does not tell)."""


@every
def test_no_action_is_allowed_on_everything_that_takes_a_resource(path: Path) -> None:
    for policy in made(path):
        for statement in policy.document["Statement"]:
            assert not [a for a in statement["Action"] if "*" in a]
            if statement.get("Resource") == ["*"]:
                assert set(statement["Action"]) <= WIDE
            if "iam:PassRole" in statement["Action"]:
                assert statement["Action"] == ["iam:PassRole"]
                assert statement["Condition"]["StringEquals"]["iam:PassedToService"]
                assert not [r for r in statement["Resource"] if r.endswith("*")]


SERVICES = {
    "cloudwatch": ("cloudwatch",),
    "elasticfilesystem": ("efs",),
    "elasticmapreduce": ("emr",),
    "sagemaker": ("sagemaker", "sagemaker-featurestore-runtime"),
}
"""Services whose actions have another prefix than botocore's name of them."""

NO_OPERATION = {
    "iam:PassRole": "a permission, and no call",
    "lambda:InvokeFunction": "the call is Invoke",
    "s3:ListBucket": "the calls are ListObjects, ListObjectsV2 and HeadBucket",
}
NO_MODEL = {"sagemaker-mlflow"}
"""Services that botocore has no model of: MLflow's own API."""


@cache
def operations(prefix: str) -> frozenset[str]:
    names = SERVICES.get(prefix, (prefix,))
    session = get_session()
    return frozenset(
        operation for name in names for operation in session.get_service_model(name).operation_names
    )


def test_every_action_is_an_operation_that_botocore_knows() -> None:
    found = {
        action
        for path in sound()
        for policy in made(path)
        for statement in policy.statements
        for action in statement.actions
    }
    assert set(NO_OPERATION) <= found, "an exception is not needed any more"
    for action in sorted(found - set(NO_OPERATION)):
        prefix, _, name = action.partition(":")
        if prefix not in NO_MODEL:
            assert name in operations(prefix), action


def test_every_type_of_step_has_its_permissions() -> None:
    """A job type without permissions would fail when it runs: no type is forgotten."""
    own = {"Lambda", "Callback", "EMR", "EMRServerless", "RegisterModel", "Cleanup"}
    nothing = {"Condition", "Fail", "ForEach"}
    types = {kind.api_type for kind in KINDS if kind.api_type}
    assert types <= set(GRANTS) | own | nothing
    for path in sound():
        text = as_json(made(path))
        found = program(path)
        assert found is not None
        for step in walk_requests(found.steps):
            for grant in GRANTS.get(step.type, ()):
                told = [f'"sagemaker:{verb}"' in text for verb in grant.verbs]
                assert all(told) or not grant.applies_to(step), step.name


def allowed(found: tuple[Policy, ...], name: str, action: str, resource: str) -> bool:
    return any(
        action in statement.actions
        and any(fnmatch.fnmatch(resource, r) for r in statement.resources)
        for policy in found
        if policy.name.startswith(name)
        for statement in policy.statements
    )


def test_what_the_jobs_do_is_allowed_and_nothing_beside_it() -> None:
    found = made(CASES / "jobs.yaml")
    run = "arn:aws:s3:::prod-bucket/team/pipelines/Survey/0a1b2c"
    jobs = "Survey-jobs"
    assert allowed(found, jobs, "s3:PutObject", f"{run}/prepare/train/part-0.csv")
    assert allowed(found, jobs, "s3:GetObject", f"{run}/prepare/train/part-0.csv")
    assert allowed(found, jobs, "s3:GetObject", "arn:aws:s3:::prod-bucket/survey/2026/a.csv")
    assert allowed(found, jobs, "s3:GetObject", "arn:aws:s3:::prod-bucket/nights/x/rows.csv")
    assert not allowed(found, jobs, "s3:PutObject", "arn:aws:s3:::prod-bucket/survey/2026/a.csv")
    assert not allowed(found, jobs, "s3:GetObject", "arn:aws:s3:::other-bucket/pages/a.html")
    assert not allowed(found, jobs, "s3:GetObject", "arn:aws:s3:::prod-bucket/else")
    assert allowed(
        found, "Survey-jobs-serving", "s3:GetObject", f"{run}/train/job/output/model.tar.gz"
    )
    assert allowed(found, "Survey-jobs-serving", "s3:PutObject", f"{run}/score/out.csv")
    assert not allowed(found, "Survey-jobs-serving", "s3:PutObject", f"{run}/prepare/train/x")
    roles = "arn:aws:iam::444455556666:role"
    for role, passed in (("training", True), ("tuning", True), ("serving", True), ("x", False)):
        assert allowed(found, "Survey-pipeline", "iam:PassRole", f"{roles}/{role}") is passed


def test_code_may_change_without_another_policy(tmp_path: Path) -> None:
    text = (CASES / "jobs.yaml").read_text(encoding="utf-8")
    written = []
    for content in ("print(1)\n", "print(2)\n"):
        folder = tmp_path / content[6]
        (folder / "code").mkdir(parents=True)
        (folder / "pipeline.yaml").write_text(text)
        (folder / "code" / "job.py").write_text(content)
        (folder / "environments.yaml").write_text((CASES / "environments.yaml").read_text())
        written.append(as_json(made(folder / "pipeline.yaml")))
    assert written[0] == written[1]


def test_terraform_holds_the_same_documents() -> None:
    found = made(CASES / "jobs.yaml")
    text = as_terraform(found)
    documents = re.findall(r"= jsonencode\((\{.*?\n  \})\)", text, re.DOTALL)
    assert [json.loads(document) for document in documents] == [p.document for p in found]
    assert text.count('resource "aws_iam_policy"') == sum(p.kind == "permissions" for p in found)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["policy", *words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(CASES)
    monkeypatch.delenv("SAGEDAG_ENV", raising=False)
    assert run("serving.yaml", "--env", "prod", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    names = [each["name"] for each in listed]
    assert names == [policy.name for policy in made(CASES / "serving.yaml")]
    assert run("serving.yaml", "--env", "prod", "--only", "serving-deploy") == 0
    one = json.loads(capsys.readouterr().out)
    assert one == next(each["document"] for each in listed if each["name"] == "serving-deploy")
    assert run("serving.yaml", "--env", "prod", "-o", str(tmp_path / "out")) == 0
    assert sorted(p.stem for p in (tmp_path / "out").iterdir()) == sorted(names)
    assert json.loads((tmp_path / "out" / "serving-deploy.json").read_text()) == one
    capsys.readouterr()
    assert run("serving.yaml", "--env", "prod", "--only", "serving") == 2
    assert "there is serving-pipeline" in capsys.readouterr().err
    assert run("serving.yaml") == 2
    assert "nothing there needs IAM" in capsys.readouterr().err
    broken = tmp_path / "pipeline.yaml"
    broken.write_text("pipeline: demo\nsteps: {a: {type: Fail}}\n")
    (tmp_path / "environments.yaml").write_text((CASES / "environments.yaml").read_text())
    assert run(str(broken), "--env", "prod") == 1
    assert "error[missing-key]" in capsys.readouterr().err


SAME_PERMISSION = {
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
}


def test_who_deploys_may_call_what_planning_and_deploying_call() -> None:
    """The calls are read from the sources of the room that makes them."""
    called_there = {
        call
        for file in (ROOT / "pipelines" / "cloud").rglob("*.py")
        for call in re.findall(
            r'"((?:logs|sagemaker|scheduler|s3|sts):[A-Z]\w+)"', file.read_text()
        )
    }
    assert {
        "logs:FilterLogEvents",
        "sagemaker:CreatePipeline",
        "sagemaker:StartPipelineExecution",
        "scheduler:CreateSchedule",
        "s3:PutObject",
    } <= called_there
    granted = {
        action
        for policy in made(CASES / "jobs.yaml")
        if policy.name in ("Survey-plan", "Survey-deploy", "Survey-start")
        for statement in policy.statements
        for action in statement.actions
    }
    assert {SAME_PERMISSION.get(call, call) for call in called_there} <= granted
