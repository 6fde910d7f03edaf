"""``sagedag deploy``: what CI runs, against moto's server, in git repositories."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_commands import Ran, sagedag
from deploy_repository import commit, edit, git, write_repository
from moto_server import AwsServer, Fault, Request

from pipelines.delivery import Order, deliver
from pipelines.delivery.deliver import Watcher


@pytest.fixture
def repository(tmp_path: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return write_repository(tmp_path / "repository", aws.url)


def deploy(folder: Path, *words: str, code: int = 0) -> Ran:
    ran = sagedag(folder, "deploy", "--env", "dev", *words)
    assert ran.code == code, ran.out + ran.err
    return ran


def deployed(folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(deploy(folder, "--json", *words, code=code).out)
    return document


def chosen(document: dict[str, Any]) -> list[str]:
    return [each["definition"] for each in document["definitions"]]


def tags_of(name: str) -> dict[str, str]:
    client = boto3.client("sagemaker")
    arn = client.describe_pipeline(PipelineName=name)["PipelineArn"]
    return {t["Key"]: t["Value"] for t in client.list_tags(ResourceArn=arn)["Tags"]}


def test_from_git_to_what_is_deployed(repository: Path, aws: AwsServer, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    ran = deploy(repository, "--alias", "live", "--summary", str(page))
    assert "line  created, version 1" in ran.out
    assert ran.out.endswith("Deployed to dev.\n")
    head = git(repository, "rev-parse", "HEAD")
    assert tags_of("line")["sagedag:commit"] == head
    assert aws.lacks.versions["line"][0].aliases == ["live"]
    told = page.read_text()
    assert told.startswith("before\n### Deployed to `dev`\n")
    assert f"Commit `{head}`" in told
    assert "| `line` | created | 1 |" in told
    assert "+ steps.train (Training)" in told
    aws.forget_requests()
    again = deployed(repository, "--alias", "live")
    assert (again["status"], again["applied"], again["attempts"]) == ("unchanged", [], 0)
    assert aws.writes == []


def test_only_what_changed(repository: Path, aws: AwsServer) -> None:
    first = git(repository, "rev-parse", "HEAD")
    deploy(repository)
    (repository / "other/lib/train.py").write_text("print('better')\n")
    commit(repository)
    aws.forget_requests()
    document = deployed(repository, "--since", first)
    assert chosen(document) == ["other/pipeline.yaml"]
    assert document["definitions"][0]["because"][0]["file"] == "other/lib/train.py"
    assert document["left_alone"] == ["line/pipeline.yaml"]
    assert [each["name"] for each in document["applied"]] == ["other"]
    assert [each["name"] for each in document["plan"]["pipelines"]] == ["other"]
    updated = [r.body["PipelineName"] for r in aws.requests if r.call == "sagemaker:UpdatePipeline"]
    assert updated == ["other"]
    # Nothing is affected: a word, and no plan.
    aws.forget_requests()
    ran = deploy(repository, "--since", "HEAD")
    assert ran.out == "Nothing to deploy: no definition is affected.\n"
    assert aws.writes == []


def test_what_an_earlier_deploy_left_behind_is_not_forgotten(
    repository: Path, aws: AwsServer
) -> None:
    deploy(repository, "line")
    # A deploy of this change was cancelled, …
    edit(repository, "line/pipeline.yaml", "max_depth: 6", "max_depth: 8")
    cancelled = commit(repository)
    # … and the next one is of something else; `other` was never deployed.
    (repository / "README.md").write_text("words\n")
    commit(repository)
    document = deployed(repository, "--since", cancelled)
    why = {d["definition"]: d["because"][0]["what"] for d in document["definitions"]}
    assert why["line/pipeline.yaml"].startswith("it changed since ")
    assert why["other/pipeline.yaml"] == "it is not deployed yet"
    assert document["status"] == "deployed"
    assert chosen(deployed(repository, "--since", "HEAD")) == []

    # An interrupted deploy: what was wanted is not what was brought.
    edit(repository, "other/pipeline.yaml", "max_depth: 6", "max_depth: 9")
    middle = commit(repository)
    aws.fail_on("sagemaker:UpdatePipeline", Fault("AccessDeniedException", 400))
    failed = deployed(repository, "other", code=4)
    assert failed["status"] == "failed"
    assert "sagemaker:UpdatePipeline" in failed["error"]["message"]
    aws.hook = None
    document = deployed(repository, "--since", middle)
    assert chosen(document) == ["other/pipeline.yaml"]
    assert document["definitions"][0]["because"][0]["what"] == "its last deploy did not end"
    assert document["status"] == "deployed"

    # A commit that this history does not have: a branch that was pushed over.
    git(repository, "tag", "kept")
    edit(repository, "line/pipeline.yaml", "max_depth: 8", "max_depth: 5")
    commit(repository)
    deploy(repository, "line")
    git(repository, "reset", "--quiet", "--hard", "kept")
    document = deployed(repository, "--since", "kept")
    assert "not in this history" in document["definitions"][0]["because"][0]["what"]


def test_a_dry_run_writes_markdown_and_nothing_else(
    repository: Path, aws: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))
    file = tmp_path / "plan.md"
    words = ("--dry-run", "--markdown", str(file), "--since", "HEAD", "--detailed-exitcode")
    deploy(repository, *words, code=3)
    assert aws.writes == []
    text = file.read_text()
    assert text.startswith("<!-- sagedag plan dev -->\n### Plan for `dev (account ")
    assert "2 of 2 definitions affected" in text
    assert (tmp_path / "page.md").read_text() == text
    deploy(repository)
    deploy(repository, *words)
    assert file.read_text().startswith("<!-- sagedag plan dev -->\n### Nothing to deploy to `dev`")
    assert sagedag(repository, "deploy", "--env", "dev", "--detailed-exitcode").code == 2


def test_an_invalid_definition_stops_everything(
    repository: Path, aws: AwsServer, tmp_path: Path
) -> None:
    edit(repository, "other/pipeline.yaml", "max_depth: 6", "max_depth: 6, mode: '${parameters.X}'")
    edit(repository, "other/pipeline.yaml", ', mode: "${parameters.Mode}"', "")
    file = tmp_path / "plan.md"
    ran = deploy(repository, "--dry-run", "--markdown", str(file), code=1)
    assert "other/pipeline.yaml:" in ran.err
    assert "nothing was deployed" in ran.err
    assert aws.requests == []
    text = file.read_text()
    assert text.startswith("<!-- sagedag plan dev -->\n### No plan for `dev`")
    assert "other/pipeline.yaml:" in text
    document = deployed(repository, code=1)
    assert document["status"] == "invalid"
    assert document["messages"][0]["file"] == "other/pipeline.yaml"


def test_errors_of_lint_stop_everything(
    repository: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "AKIAZZZZZZZZZZZZZZZZ"
    edit(repository, "line/pipeline.yaml", "max_depth: 6", f"max_depth: 6, key: {key}")
    # A secret in plain text is a warning; this project lets nothing pass.
    settings = '[tool.sagedag.lint]\nlevels = {plain-secret = "error"}\n'
    (repository / "pyproject.toml").write_text(settings)
    commit(repository)
    ran = deploy(repository, code=7)
    assert "Lint found errors: nothing was deployed." in ran.err
    assert key not in ran.out + ran.err
    assert aws.requests == []
    document = deployed(repository, code=7)
    assert document["status"] == "findings"
    # What is not deployed is not linted.
    deploy(repository, "other")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error file=line/pipeline.yaml,line=" in deploy(repository, code=7).err


def test_markdown_of_names_that_look_like_markup(repository: Path, tmp_path: Path) -> None:
    evil = repository / "line/code/@everyone `x` <img src=x> [a](b).py"
    evil.write_text("x\n")
    file = tmp_path / "plan.md"
    deploy(repository, "--dry-run", "--markdown", str(file), "--since", "HEAD")
    fence = ""
    for line in file.read_text().splitlines():
        if line.startswith("```") and (not fence or line == fence):
            fence = "" if fence else line.rstrip("abcdefghijklmnopqrstuvwxyz")
        elif not fence:
            assert "everyone" not in line
            assert "<img" not in line


def test_a_refusal_is_told_and_summed_up(repository: Path, aws: AwsServer, tmp_path: Path) -> None:
    aws.fail_on("sagemaker:CreatePipeline", Fault("AccessDeniedException", 400, "no"))
    page = tmp_path / "page.md"
    ran = deploy(repository, "--summary", str(page), code=4)
    assert "sagemaker:CreatePipeline" in ran.err
    assert page.read_text().startswith("### Deploying to `dev` failed\n")
    aws.hook = None
    assert deployed(repository)["status"] == "deployed"


def test_what_is_gone_is_deleted_only_when_asked(repository: Path, aws: AwsServer) -> None:
    deploy(repository)
    before = git(repository, "rev-parse", "HEAD")
    git(repository, "rm", "-r", "--quiet", "other")
    commit(repository)
    deploy(repository, "--since", before)
    assert tags_of("other")
    document = deployed(repository, "--since", before, "--prune")
    assert [(each["name"], each["action"]) for each in document["applied"]] == [("other", "delete")]


@pytest.mark.parametrize("where", [".", "definitions"])
def test_the_last_definition_is_pruned_as_well(
    repository: Path, aws: AwsServer, where: str
) -> None:
    """Also from above the folder that holds environments.yaml, as CI calls it."""
    (repository / "definitions").mkdir()
    git(repository, "mv", "line", "other", "environments.yaml", "definitions")
    commit(repository)
    deploy(repository)
    git(repository, "rm", "-r", "--quiet", "definitions/line", "definitions/other")
    commit(repository)
    # Only with --prune is it no mistake that there is none.
    assert "there is no pipeline.yaml" in deploy(repository, where, code=2).err
    words = (where, "--env", "dev", "--prune")
    assert "2 to delete" in sagedag(repository, "plan", *words).out
    asked = sagedag(repository, "upsert", *words)
    assert (asked.code, "nobody is there to confirm" in asked.err) == (2, True)
    assert sagedag(repository, "upsert", *words, typed="n\n").code == 1
    assert sorted(aws.lacks.versions) == ["line", "other"]
    document = deployed(repository, where, "--prune", "--since", "deployed")
    gone = [(each["name"], each["action"]) for each in document["applied"]]
    assert sorted(gone) == [("line", "delete"), ("other", "delete")]
    assert boto3.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
    assert deploy(repository, where, "--prune").out == "No changes.\n"
    assert sagedag(repository, "upsert", *words, "--yes").out == "No changes.\n"


class Race:
    """Holds back the first writer until the other one has read all it plans with."""

    def __init__(self, after: str) -> None:
        self._after = after
        self._lock = threading.Lock()
        self._first = True
        self._identities = 0
        self._read = threading.Event()
        self.waited = False

    def __call__(self, request: Request) -> Fault | None:
        with self._lock:
            if request.call == self._after:
                self._identities += 1
            if self._identities >= 2:
                self._read.set()
            wait = request.writes and self._first
            if wait:
                self._first = False
        if wait:
            self.waited = self._read.wait(60)
        return None


def _deploy_and_tell(folder: str, variables: dict[str, str], file: str, *words: str) -> None:
    os.environ.update(variables)
    ran = sagedag(Path(folder), "deploy", "--env", "dev", "--json", *words)
    Path(file).write_text(json.dumps([ran.code, ran.out, ran.err]))


def race(
    folders: list[Path], variables: dict[str, str], tmp_path: Path
) -> list[tuple[int, dict[str, Any], str]]:
    """Deploy from several clones at once, each in a process of its own."""
    fork = multiprocessing.get_context("fork")
    files = [tmp_path / f"ended-{n}.json" for n in range(len(folders))]
    processes = [
        fork.Process(target=_deploy_and_tell, args=(str(folder), variables, str(file)))
        for folder, file in zip(folders, files, strict=True)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    ended = []
    for file in files:
        code, out, err = json.loads(file.read_text())
        ended.append((code, json.loads(out), err))
    return ended


def test_two_deploys_at_once_of_one_commit_converge(
    repository: Path, aws: AwsServer, aws_variables: dict[str, str], tmp_path: Path
) -> None:
    deploy(repository)  # the SDK is imported here, and what is forked has it
    edit(repository, "line/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    commit(repository)
    aws.forget_requests()
    hook = Race("sts:GetCallerIdentity")
    aws.hook = hook
    ended = race([repository, repository], aws_variables, tmp_path)
    assert hook.waited
    assert [code for code, _, _ in ended] == [0, 0], [err for _, _, err in ended]
    aws.hook = None
    aws.forget_requests()
    assert deployed(repository)["status"] == "unchanged"
    assert aws.writes == []


def test_the_older_of_two_deploys_gives_way(
    repository: Path, aws: AwsServer, tmp_path: Path
) -> None:
    deploy(repository)
    edit(repository, "line/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    commit(repository)
    git(tmp_path, "clone", "--quiet", str(repository), "older")
    older = tmp_path / "older"
    edit(repository, "line/pipeline.yaml", "max_depth: 7", "max_depth: 8")
    newer = commit(repository)

    class Meanwhile(Watcher):
        def planned(self, planned: Any, attempt: int) -> None:
            if attempt == 1:
                assert sagedag(repository, "deploy", "--env", "dev").code == 0

    ended = deliver(Order([older], "dev"), Meanwhile())
    assert ended.exit_code == 6
    assert ended.error is not None
    assert f"deployed meanwhile from commit {newer[:12]}" in ended.error.message
    assert tags_of("line")["sagedag:commit"] == newer


def test_the_newer_of_two_deploys_makes_a_new_plan(repository: Path, aws: AwsServer) -> None:
    deploy(repository)
    edit(repository, "line/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    older = commit(repository)
    edit(repository, "line/pipeline.yaml", "max_depth: 7", "max_depth: 8")
    newer = commit(repository)
    told = []

    class Meanwhile(Watcher):
        def planned(self, planned: Any, attempt: int) -> None:
            if attempt == 1:
                git(repository, "checkout", "--quiet", older)
                assert sagedag(repository, "deploy", "--env", "dev").code == 0
                git(repository, "checkout", "--quiet", newer)

        def overtaken(self, error: Any) -> None:
            told.append(error.message)

    ended = deliver(Order([repository], "dev"), Meanwhile())
    assert (ended.status, ended.attempts) == ("deployed", 2)
    assert "changed since the plan was made" in told[0]
    assert tags_of("line")["sagedag:commit"] == newer
    assert deployed(repository)["status"] == "unchanged"


def test_whoever_loses_twice_says_so(repository: Path, aws: AwsServer) -> None:
    deploy(repository)
    edit(repository, "line/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    commit(repository)
    client = boto3.client("sagemaker")

    class Meanwhile(Watcher):
        def planned(self, planned: Any, attempt: int) -> None:
            # Somebody without git changes it, again and again.
            client.update_pipeline(PipelineName="line", PipelineDescription=f"turn {attempt}")

    ended = deliver(Order([repository], "dev"), Meanwhile())
    assert ended.exit_code == 6
    assert ended.error is not None
    assert "another deploy was faster 2 times" in ended.error.message
