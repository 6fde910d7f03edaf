"""Versions, aliases, the way back, and what differs between environments."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import boto3
import pytest
from cloud_commands import Ran, sagedag
from moto_server import AwsServer, Fault

from pipelines.cloud.client import Clients
from pipelines.cloud.state import Version
from pipelines.cloud.versions import choose_version, commit_of
from pipelines.errors import UsageError


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def deploy(project: Path, depth: int, *words: str) -> str:
    """Deploy with a depth, as a commit; return the commit."""
    path = project / "line" / "pipeline.yaml"
    text = path.read_text()
    before = text[text.index("max_depth:") :].partition(",")[0]
    path.write_text(text.replace(before, f"max_depth: {depth}"))
    git(project, "add", "-A")
    git(project, "commit", "-qm", f"depth {depth}")
    ran = run(project, "upsert", "--yes", *words)
    assert ran.code == 0, ran.err
    return git(project, "rev-parse", "HEAD")


def run(project: Path, command: str, *words: str, typed: str | None = None) -> Ran:
    return sagedag(project, command, *words, "--env", "dev", typed=typed)


def depth_of(**which: object) -> str:
    found = boto3.client("sagemaker").describe_pipeline(PipelineName="line", **which)
    steps = json.loads(found["PipelineDefinition"])["Steps"]
    return str(steps[1]["Arguments"]["HyperParameters"]["max_depth"])


@pytest.fixture
def repository(project: Path) -> Path:
    git(project, "init", "-q")
    git(project, "remote", "add", "origin", "https://token:x@github.com/org/repo.git")
    return project


def test_versions_promotion_and_rollback(repository: Path, aws: AwsServer) -> None:
    first = deploy(repository, 6, "--alias", "live")
    second = deploy(repository, 8)
    listed = run(repository, "versions", "line")
    rows = [line.split() for line in listed.out.splitlines()]
    assert rows[0] == ["VERSION", "DEPLOYED", "(UTC)", "COMMIT", "ALIASES"]
    assert [(r[0], r[3], r[4]) for r in rows[1:]] == [
        ("2", second[:12], "-"),
        ("1", first[:12], "live"),
    ]
    made = json.loads(run(repository, "versions", "line", "--json").out)
    assert [each["commit"] for each in made] == [second, first]

    moved = run(repository, "promote", "line", "--version", "2", "--alias", "live", typed="y\n")
    assert moved.code == 0, moved.err
    assert "alias live: version 1 → version 2" in moved.out
    assert depth_of(PipelineVersionAlias="live") == "8"
    again = run(repository, "promote", "line", "--version", "2", "--alias", "live")
    assert "No changes." in again.out

    back = run(repository, "rollback", "line", "--to", first[:8], typed="y\n")
    assert back.code == 0, back.err
    assert "max_depth: 8 → 6" in back.out
    assert f"back to version 1 (commit {first[:12]})" in back.out
    assert "line  updated, version 3" in back.out
    # The alias of what was deployed goes along.
    assert depth_of() == depth_of(PipelineVersionAlias="live") == "6"
    table = run(repository, "versions", "line").out.splitlines()
    assert "newest, rollback to version 1" in table[1]
    assert first[:12] in table[1]
    # It is a deploy like any other: no drift, and the plan shows the way forward.
    plan = run(repository, "plan")
    assert "something else" not in plan.out
    assert "max_depth: 6 → 8" in plan.out


def test_a_rollback_to_what_is_deployed(repository: Path, aws: AwsServer) -> None:
    deploy(repository, 6)
    nothing = run(repository, "rollback", "line", "--yes")
    assert nothing.code == 2
    assert "nothing to go back to" in nothing.err
    deploy(repository, 8)
    aws.forget_requests()
    same = run(repository, "rollback", "line", "--to", "2", "--yes")
    assert same.code == 2
    assert "is what is deployed now" in same.err
    unknown = run(repository, "rollback", "line", "--to", "9", "--yes")
    assert "has no version 9" in unknown.err
    assert "it has 2, 1" in unknown.err
    refused = run(repository, "rollback", "line", typed="n\n")
    assert refused.code == 1
    assert aws.writes == []


def test_a_rollback_needs_the_code_of_then(repository: Path, aws: AwsServer) -> None:
    deploy(repository, 6)
    (repository / "line/code/train.py").write_text("print('new')\n")
    deploy(repository, 8)
    s3 = boto3.client("s3")
    tags = json.loads(aws.lacks.versions["line"][0].described["PipelineDefinition"])
    uri = json.loads(tags["Steps"][1]["Arguments"]["HyperParameters"]["sagemaker_submit_directory"])
    key = uri.removeprefix("s3://dev-bucket/").replace("sourcedir.tar.gz", "manifest.json")
    s3.delete_object(Bucket="dev-bucket", Key=key)
    aws.forget_requests()
    ran = run(repository, "rollback", "line", "--yes")
    assert ran.code == 4
    assert "needs code that is no longer in S3" in ran.err
    assert aws.writes == []


def test_an_interrupted_promotion_says_where_the_alias_is(repository: Path, aws: AwsServer) -> None:
    deploy(repository, 6, "--alias", "live")
    deploy(repository, 8)
    aws.fail_on("sagemaker:UpdatePipelineVersion", Fault("ThrottlingException", 400))
    hook, seen = aws.hook, [0]

    def second_only(request: object) -> Fault | None:
        assert hook is not None
        fault = hook(request)  # type: ignore[arg-type]
        seen[0] += fault is not None
        return fault if seen[0] == 2 else None

    aws.hook = second_only
    words = ("promote", "line", "--version", "2", "--alias", "live", "--yes")
    ran = run(repository, *words)
    assert ran.code == 4
    assert "no version has the alias now: run it again" in ran.err
    aws.hook = None
    assert run(repository, *words).code == 0
    assert depth_of(PipelineVersionAlias="live") == "8"


def test_an_account_without_versions_is_told(repository: Path, aws: AwsServer) -> None:
    aws.lacks.has_versions = False
    deploy(repository, 6)
    for words in (
        ("versions", "line"),
        ("promote", "line", "--version", "1", "--alias", "live"),
        ("rollback", "line"),
    ):
        ran = run(repository, *words)
        assert ran.code == 4
        assert "has no pipeline versions yet" in ran.err


def test_unknown_names(repository: Path, aws: AwsServer) -> None:
    missing = run(repository, "versions", "nothing")
    assert missing.code == 4
    assert "there is no pipeline `nothing`" in missing.err
    deploy(repository, 6)
    # A definition's path does as well as the pipeline's name.
    assert run(repository, "versions", "line/pipeline.yaml").code == 0
    bad = run(repository, "promote", "line", "--version", "1", "--alias", "7", "--yes")
    assert bad.code == 2
    assert "is no alias" in bad.err
    assert run(repository, "upsert", "--yes", "--alias", "a b").code == 2


VERSIONS = (
    Version(4, "rollback to version 2, commit bbbbbbb0, sagedag 1"),
    Version(3, "commit cccccccc-dirty, sagedag 1"),
    Version(2, "commit bbbbbbb0, sagedag 1"),
    Version(1, "made by hand"),
)


@pytest.mark.parametrize(
    ("to", "number"), [("", 3), ("2", 2), ("1", 1), ("ccccccc", 3), ("cccccccc-dirty", 3)]
)
def test_choosing_a_version(to: str, number: int) -> None:
    assert choose_version("p", VERSIONS, to).number == number


@pytest.mark.parametrize("to", ["4", "bbbbbbb0", "5", "abcdefg", "ccc", "-1", "²"])
def test_what_is_no_version_to_go_back_to(to: str) -> None:
    with pytest.raises(UsageError):
        choose_version("p", VERSIONS, to)


def test_commits_of_versions() -> None:
    assert [commit_of(v) for v in VERSIONS] == ["bbbbbbb0", "cccccccc-dirty", "bbbbbbb0", ""]


def test_environments_differ(project: Path, aws: AwsServer) -> None:
    path = project / "line" / "pipeline.yaml"
    path.write_text(
        path.read_text()
        + "environments:\n  prod: {steps: {train: {instance: ml.m5.4xlarge}}, parallelism: 5}\n"
    )
    ran = sagedag(project, "diff", "--env", "dev", "--env", "prod", "--detailed-exitcode")
    assert ran.code == 3, ran.err
    told = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert told == [
        "line/pipeline.yaml dev → prod",
        "~ steps.train.instance: ml.m5.large → ml.m5.4xlarge line/pipeline.yaml:25:36",
        "+ parallelism: 5 line/pipeline.yaml:25:53",
        "+ tags.stage: production",
        "",
    ]
    assert aws.calls == []
    raw = sagedag(project, "diff", "--env", "dev", "--env", "prod", "--raw", "--json")
    (found,) = json.loads(raw.out)
    assert "role" in {change["words"] for change in found["changes"]}
    assert sagedag(project, "diff", "--env", "dev").code == 2


def test_what_is_deployed_differs(project: Path, aws: AwsServer, clients: Clients) -> None:
    path = project / "line" / "pipeline.yaml"
    path.write_text(path.read_text().replace("pipeline: line", 'pipeline: "line-{{ env }}"'))
    words = ("diff", "--env", "dev", "--env", "prod", "--deployed")
    assert sagedag(project, "upsert", "--env", "dev", "--yes").code == 0
    assert "not deployed in prod" in sagedag(project, *words).out
    assert sagedag(project, "upsert", "--env", "prod", "--yes").code == 0
    path.write_text(path.read_text().replace("max_depth: 6", "max_depth: 9"))
    assert sagedag(project, "upsert", "--env", "prod", "--yes").code == 0
    aws.forget_requests()
    told = sagedag(project, *words).out
    assert "steps.train.hyperparameters.max_depth: 6 → 9" in told
    assert "tags.stage: production" in told
    assert "split" not in told
    assert aws.writes == []
