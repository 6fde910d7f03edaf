"""CI files that `sagedag init --ci` writes: clean by their linters, safe, and really run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ci_jobs import CodeHost, Shell, codebuild, github_job, gitlab_job, read
from cloud_commands import sagedag
from deploy_repository import commit, git, write_repository
from moto_server import ACCOUNT, AwsServer

BIN = Path(sys.executable).parent
PLAN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/plan"
DEPLOY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project with all CI files there are, and a second environment."""
    folder = tmp_path_factory.mktemp("written") / "red"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    assert sagedag(folder, "init", ".").code == 0
    path = folder / "definitions/environments.yaml"
    dev = path.read_text().partition("  dev:\n")[2]
    path.write_text(f"{path.read_text()}  prod-eu:\n{dev.replace('us-east-1', 'eu-central-1')}")
    ran = sagedag(folder, "init", ".", *(f"--ci={name}" for name in SYSTEMS))
    assert ran.code == 0, ran.err
    return folder


SYSTEMS = ("github", "gitlab", "codebuild")


def workflows(folder: Path) -> list[Path]:
    return sorted((folder / ".github/workflows").glob("*.yml"))


def lint(*command: str) -> None:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_clean_by_the_schemas(written: Path) -> None:
    check = ("check-jsonschema", "--builtin-schema")
    lint(*check, "vendor.github-workflows", *map(str, workflows(written)))
    lint(*check, "custom.github-workflows-require-timeout", *map(str, workflows(written)))
    gitlab = str(written / ".gitlab-ci.yml")
    lint(*check, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", gitlab)


def test_clean_by_zizmor(written: Path) -> None:
    # Of three personas the middle one; the third wants, for one, no self-hosted runner anywhere.
    command = ("zizmor", "--offline", "--no-progress", "--quiet", "--persona=pedantic")
    lint(*command, *map(str, workflows(written)))


def test_zizmor_finds_what_it_should(written: Path, tmp_path: Path) -> None:
    """The check above can fail: each of these makes it."""
    text = workflows(written)[1].read_text()
    assert "pull_request:" in text
    for old, new in (
        ("pull_request:", "pull_request_target:"),
        ("          persist-credentials: false\n", ""),
        ('--since "$BASE"', '--since "${{ github.event.pull_request.title }}"'),
    ):
        broken = tmp_path / "broken.yml"
        broken.write_text(text.replace(old, new))
        with pytest.raises(AssertionError):
            lint("zizmor", "--offline", "--no-progress", "--quiet", str(broken))


def test_safe_by_construction(written: Path) -> None:
    for path in workflows(written):
        document, text = read(path), path.read_text()
        assert set(document["on"]) <= {"pull_request", "push", "schedule", "workflow_dispatch"}
        assert "secrets." not in text
        assert document["permissions"] == {}
        for name, job in document["jobs"].items():
            allowed = job["permissions"]
            assert job["timeout-minutes"] <= 30
            assert job["concurrency"]["group"]
            assert set(allowed) <= {"contents", "id-token", "pull-requests"}
            assert allowed["contents"] == "read"
            if name.startswith("plan-"):
                own = "github.event.pull_request.head.repo.full_name == github.repository"
                assert own in job["if"]
            if name == "check":
                # A fork's pull request runs this: nothing to steal, and no AWS.
                assert allowed == {"contents": "read"}
                assert "aws-actions" not in str(job)
            if name.startswith("deploy-"):
                assert job["if"] == "github.event_name == 'push'"
                assert job["environment"] == name.removeprefix("deploy-")
                assert job["concurrency"]["cancel-in-progress"] is False
                assert "vars.SAGEDAG_DEPLOY_ROLE" in str(job)
            else:
                assert "DEPLOY_ROLE" not in str(job)
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")
        for action in re.findall(r"uses: (.+)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    gitlab = read(written / ".gitlab-ci.yml")
    rules = gitlab["plan-dev"]["rules"][0]["if"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_PATH == $CI_PROJECT_PATH" in rules
    assert gitlab["deploy-prod-eu"]["environment"]["name"] == "prod-eu"
    assert gitlab["deploy-prod-eu"]["resource_group"] == "sagedag-prod-eu"


def test_what_the_files_hold_of_the_project(written: Path) -> None:
    (_, main) = workflows(written)
    document = read(main)
    assert document["on"]["push"] == {"branches": ["trunk"]}
    assert list(document["jobs"]) == [
        "check",
        "plan-dev",
        "plan-prod-eu",
        "deploy-dev",
        "deploy-prod-eu",
    ]
    assert document["jobs"]["deploy-prod-eu"]["needs"] == "deploy-dev"
    assert "vars.SAGEDAG_PLAN_ROLE_PROD_EU" in main.read_text()
    assert "aws-region: eu-central-1" in main.read_text()


def test_nothing_is_overwritten_but_by_force(written: Path, tmp_path: Path) -> None:
    path = workflows(written)[1]
    before = path.read_text()
    path.write_text("mine")
    try:
        ran = sagedag(written, "init", ".", "--ci", "github")
        assert ran.code == 2
        assert "\n  .github/workflows/sagedag.yml\n" in ran.err
        assert "--force" in ran.err
        assert path.read_text() == "mine"
        assert sagedag(written, "init", ".", "--ci", "github", "--force").code == 0
        assert path.read_text() == before
    finally:
        path.write_text(before)
    assert sagedag(tmp_path, "init", "new", "--ci", "github", "--force").code == 2
    assert not (tmp_path / "new").exists()


def test_a_new_project_with_ci(tmp_path: Path) -> None:
    ran = sagedag(tmp_path, "init", "red", "--ci", "gitlab")
    assert ran.code == 0, ran.err
    assert "wrote red/.gitlab-ci.yml" in ran.out
    assert ran.out.endswith("\n    SAGEDAG_PLAN_ROLE_DEV, SAGEDAG_DEPLOY_ROLE\n")
    assert (tmp_path / "red/definitions/red/pipeline.yaml").exists()
    assert "deploy-dev" in read(tmp_path / "red/.gitlab-ci.yml")


def test_a_new_project_in_a_folder_of_a_larger_repository(tmp_path: Path) -> None:
    """Code hosts look for CI files in the repository's root alone."""
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    ran = sagedag(tmp_path, "init", "services/red", "--ci", "github", "--ci", "codebuild")
    assert ran.code == 0, ran.err
    assert "wrote .github/workflows/sagedag-services-red.yml\n" in ran.out
    assert "wrote services/red/definitions/red/pipeline.yaml\n" in ran.out
    assert not (tmp_path / "services/red/.github").exists()
    text = (tmp_path / ".github/workflows/sagedag-services-red.yml").read_text()
    assert "sagedag deploy services/red/definitions --env dev" in text
    assert 'branches: ["trunk"]' in text
    assert sagedag(tmp_path, "validate", "services/red/definitions").code == 0


def test_the_second_project_of_a_repository(tmp_path: Path) -> None:
    """Each has files, jobs and groups of its own, and the second leaves the first's alone."""
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    every = [f"--ci={name}" for name in SYSTEMS]
    assert sagedag(tmp_path, "init", "red", *every).code == 0
    first = {path: path.read_text() for path in ci_paths(tmp_path)}
    ran = sagedag(tmp_path, "init", "blue", *every)
    assert ran.code == 0, ran.err
    assert "under `include:`" not in ran.out
    assert {path: path.read_text() for path in first} == first
    every_path = ci_paths(tmp_path)
    assert len(every_path) == 2 * len(first) - 1  # GitLab's root file includes both
    lint(
        "check-jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, workflows(tmp_path)),
    )
    parts = [read(path) for path in sorted((tmp_path / ".gitlab").iterdir())]
    (include,) = read(tmp_path / ".gitlab-ci.yml")["include"]
    assert len(list(tmp_path.glob(include["local"]))) == 2
    blue, red = ({job for job in part if "script" in part[job]} for part in parts)
    assert "deploy-blue-dev" in blue
    assert not blue & red
    groups = [
        job["concurrency"]["group"]
        for path in workflows(tmp_path)
        for job in read(path)["jobs"].values()
    ]
    assert len(groups) == len(set(groups))


def test_a_gitlab_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitlab-ci.yml").write_text("mine: {script: [true]}\n")
    ran = sagedag(tmp_path, "init", "red", "--ci", "gitlab")
    assert ran.code == 0, ran.err
    assert 'under `include:`: - local: ".gitlab/sagedag-red.yml"' in ran.out
    assert "mine" in (tmp_path / ".gitlab-ci.yml").read_text()


def ci_paths(folder: Path) -> list[Path]:
    names = (".github/workflows/*", ".gitlab-ci.yml", ".gitlab/*", "codebuild/*")
    return [path for name in names for path in sorted(folder.glob(name))]


def test_a_definitions_folder_means_its_project(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert sagedag(tmp_path, "init", ".", "--name", "red").code == 0
    inside = tmp_path / "definitions/red"
    ran = sagedag(inside, "init", ".", "--ci", "github")
    assert ran.code == 0, ran.err
    assert not (inside / "definitions").exists()
    text = (tmp_path / ".github/workflows/sagedag.yml").read_text()
    assert "sagedag deploy definitions --env dev" in text


def test_pip_runs_nothing_of_the_checkout(written: Path, tmp_path: Path) -> None:
    (tmp_path / "pip.py").write_text("print('the checkout was here')\n")
    for path in ci_paths(written):
        for found in re.findall(r"python( .*)-m pip install", path.read_text()):
            words = [sys.executable, *found.split(), "-m", "pip", "--version"]
            ran = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert "the checkout was here" not in ran.stdout


@pytest.mark.parametrize(
    ("old", "new"),
    [("dev:", '"de v; rm -rf":'), ("us-east-1", '"us-east-1; x"'), ("dev:", '"${{ x }}":')],
)
def test_names_that_are_no_plain_words_are_refused(tmp_path: Path, old: str, new: str) -> None:
    assert sagedag(tmp_path, "init", ".", "--name", "red").code == 0
    path = tmp_path / "definitions/environments.yaml"
    head, block, tail = path.read_text().partition("  dev:\n")
    path.write_text(head + (block + tail).replace(old, new, 1))
    ran = sagedag(tmp_path, "init", ".", "--ci", "github")
    assert ran.code in (1, 2), ran.out
    assert not (tmp_path / ".github").exists()


def test_a_branch_with_a_name_that_yaml_would_misread(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=on#fire'x'")
    assert sagedag(tmp_path, "init", ".", "--name", "red", "--ci", "github").code == 0
    document = read(tmp_path / ".github/workflows/sagedag.yml")
    assert document["on"]["push"]["branches"] == ["on#fire'x'"]


# --- the jobs, run ---


@pytest.fixture
def shell(tmp_path: Path, aws_variables: dict[str, str]) -> Iterator[Shell]:
    made = Shell(tmp_path / "shell", aws_variables)
    yield made
    made.close()


@pytest.fixture
def host() -> Iterator[CodeHost]:
    made = CodeHost()
    yield made
    made.close()


@pytest.fixture
def repository(tmp_path: Path, aws: AwsServer) -> Path:
    """A repository with two definitions and all CI files; `origin` is a bare one beside it."""
    folder = write_repository(tmp_path / "repository", aws.url)
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    ran = sagedag(folder, "init", ".", *(f"--ci={name}" for name in SYSTEMS))
    assert ran.code == 0, ran.err
    commit(folder, "CI")
    git(folder, "push", "--quiet", "origin", "main")
    return folder


def change(folder: Path, branch: str) -> str:
    """Change one definition's code on a branch; return the commit it began from."""
    base = git(folder, "rev-parse", "main")
    git(folder, "switch", "--quiet", "--create", branch)
    (folder / "other/lib/train.py").write_text(f"print('{branch}')\n")
    commit(folder, branch)
    return base


def merge(folder: Path, branch: str) -> None:
    git(folder, "switch", "--quiet", "main")
    git(folder, "merge", "--quiet", "--no-ff", "--message", "merge", branch)


def updated(aws: AwsServer) -> list[str]:
    names = [r.body["PipelineName"] for r in aws.requests if r.call == "sagemaker:UpdatePipeline"]
    aws.forget_requests()
    return names


def drift() -> None:
    client = boto3.client("sagemaker")
    client.update_pipeline(PipelineName="line", PipelineDescription="by hand")


def test_github_from_pull_request_to_deploy(
    repository: Path, aws: AwsServer, shell: Shell, host: CodeHost, tmp_path: Path
) -> None:
    main = repository / ".github/workflows/sagedag.yml"
    page = tmp_path / "page.md"
    runner = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": host.url,
        "GITHUB_REPOSITORY": "org/repo",
        "GITHUB_STEP_SUMMARY": str(page),
        "RUNNER_TEMP": str(tmp_path),
    }
    context = {
        "vars.SAGEDAG_PLAN_ROLE_DEV": PLAN_ROLE,
        "vars.SAGEDAG_DEPLOY_ROLE": DEPLOY_ROLE,
        "github.token": "ghs_token",
    }

    def job(name: str, file: Path = main, **more: str) -> Any:
        return github_job(shell, file, name, {**context, **more}, runner)

    first = job("deploy-dev")
    assert first.code == 0, first.out
    assert "2 to create" in first.out
    assert shell.installed.read_text().startswith("-I -m pip install --quiet sagedag==")
    aws.forget_requests()

    # A pull request: checked, planned, told in a comment that is kept up to date.
    base = change(repository, "feature")
    runner["GITHUB_REF"] = "refs/pull/5/merge"
    assert job("check").code == 0
    pull = {"github.event.pull_request.base.sha": base}
    planned = job("plan-dev", **pull)
    assert planned.code == 0, planned.out
    assert aws.writes == []
    (comment,) = host.comments
    assert "1 of 2 definitions affected" in comment["body"]
    assert "steps.train.code: 1 file changed" in comment["body"]
    assert "line/pipeline.yaml" not in comment["body"]
    (repository / "other/lib/train.py").write_text("print('a second try')\n")
    commit(repository)
    assert job("plan-dev", **pull).code == 0
    (comment,) = host.comments
    assert host.tokens == {"Bearer ghs_token"}
    assert [method for method, _ in host.requests] == ["GET", "POST", "GET", "PATCH"]

    # A broken definition: the job fails, and the comment says why.
    path = repository / "other/pipeline.yaml"
    sound = path.read_text()
    path.write_text(sound.replace("type: Training", "type: Trainin"))
    checked = job("check")
    assert checked.code == 1
    assert "::error file=other/pipeline.yaml" in checked.out
    broken = job("plan-dev", **pull)
    assert broken.steps == {"Install sagedag": 0, "Plan": 1, "Comment": 0}
    assert "### No plan for `dev`: definitions are invalid" in host.comments[0]["body"]
    path.write_text(sound)

    # Merged: only what changed is deployed.
    merge(repository, "feature")
    aws.forget_requests()
    page.write_text("")
    deployed = job("deploy-dev")
    assert deployed.code == 0, deployed.out
    assert "1 of 2 definitions to look at (compared with what is deployed)" in deployed.out
    assert updated(aws) == ["other"]
    assert "### Deployed to `dev`" in page.read_text()

    # Drift.
    nightly = repository / ".github/workflows/sagedag-drift.yml"
    assert job("drift-dev", nightly).code == 0
    drift()
    found = job("drift-dev", nightly)
    assert found.code == 3
    assert "changed by something else since the last deploy" in found.out


def test_gitlab_from_merge_request_to_deploy(
    repository: Path, aws: AwsServer, shell: Shell, host: CodeHost
) -> None:
    file = repository / ".gitlab-ci.yml"
    # No keys: they come by the job's own token, by way of STS.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del shell.variables[name]
    runner = {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": f"{host.url}/api/v4",
        "CI_JOB_ID": "1",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_PROJECT_ID": "42",
        "GITLAB_TOKEN": "glpat-token",
        "SAGEDAG_DEPLOY_ROLE": DEPLOY_ROLE,
        "SAGEDAG_ID_TOKEN": "a.b.c",
        "SAGEDAG_PLAN_ROLE_DEV": PLAN_ROLE,
    }
    first = gitlab_job(shell, file, "deploy-dev", runner)
    assert first.code == 0, first.out
    assumed = [r for r in aws.requests if b"AssumeRoleWithWebIdentity" in _bytes(r.body)]
    assert assumed
    assert b"role%2Fdeploy" in assumed[0].body
    base = change(repository, "feature")
    aws.forget_requests()
    runner["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = base
    assert gitlab_job(shell, file, "check", runner).code == 0
    for _ in range(2):
        planned = gitlab_job(shell, file, "plan-dev", runner)
        assert planned.code == 0, planned.out
    assumed = [r for r in aws.requests if b"AssumeRoleWithWebIdentity" in _bytes(r.body)]
    assert all(b"role%2Fplan" in r.body for r in assumed)
    (note,) = host.comments
    assert "1 of 2 definitions affected" in note["body"]
    assert host.tokens == {"glpat-token"}
    merge(repository, "feature")
    aws.forget_requests()
    assert gitlab_job(shell, file, "deploy-dev", runner).code == 0
    assert updated(aws) == ["other"]
    del runner["GITLAB_TOKEN"]
    assert gitlab_job(shell, file, "plan-dev", runner).code == 0
    assert gitlab_job(shell, file, "drift-dev", runner).code == 0


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def test_codebuild_from_pull_request_to_deploy(
    repository: Path, aws: AwsServer, shell: Shell
) -> None:
    plan = repository / "codebuild/sagedag-plan.yml"
    deploy = repository / "codebuild/sagedag-deploy.yml"
    project = {"SAGEDAG_ENV": "dev"}
    first = codebuild(shell, deploy, project)
    assert first.code == 0, first.out
    change(repository, "feature")
    pull = {**project, "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main"}
    aws.forget_requests()
    planned = codebuild(shell, plan, pull)
    assert planned.code == 0, planned.out
    assert "1 of 2 definitions to look at" in planned.out
    assert aws.writes == []
    merge(repository, "feature")
    assert codebuild(shell, deploy, project).code == 0
    assert updated(aws) == ["other"]
    assert codebuild(shell, plan, project).code == 0
    drift()
    assert codebuild(shell, plan, project).code == 3


# --- comments ---

MARKED = "<!-- sagedag plan dev -->\n### Plan\n"


def comment(
    folder: Path, host: CodeHost, monkeypatch: pytest.MonkeyPatch, text: str = MARKED, **more: str
) -> Any:
    for name in ("GH_TOKEN", "GITLAB_CI"):
        monkeypatch.delenv(name, raising=False)
    given = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": host.url,
        "GITHUB_REF": "refs/pull/5/merge",
        "GITHUB_REPOSITORY": "org/repo",
        "GITHUB_TOKEN": "ghs_secret",
        **more,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    (folder / "plan.md").write_text(text)
    return sagedag(folder, "comment", "plan.md")


def test_only_our_own_comment_is_replaced(
    tmp_path: Path, host: CodeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"id": 1, "user": {"type": "User"}, "body": MARKED}
    other = {"id": 2, "user": {"type": "Bot"}, "body": "<!-- sagedag plan prod -->\n"}
    filler = [{"id": n, "user": {"type": "Bot"}, "body": "words"} for n in range(10, 160)]
    host.comments = [theirs, other, *filler]
    assert comment(tmp_path, host, monkeypatch).code == 0
    assert theirs["body"] == MARKED
    assert len(host.comments) == 153
    ran = comment(tmp_path, host, monkeypatch, MARKED + "changed\n")
    assert ran.out == "pull request #5: the plan's comment was updated.\n"
    assert host.comments[-1]["body"] == MARKED + "changed\n"
    assert len(host.comments) == 153


@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_refused_comment(
    tmp_path: Path, host: CodeHost, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    host.refuse = status
    ran = comment(tmp_path, host, monkeypatch)
    assert ran.code == 4
    assert f"HTTP {status}" in ran.err
    assert "ghs_secret" not in ran.err
    assert len(host.requests) == 1
    if status == 403:
        assert "pull-requests: write" in ran.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"GITHUB_REF": "refs/heads/main"}, "of no pull request"),
        ({"GITHUB_TOKEN": ""}, "no token"),
        ({"GITHUB_API_URL": "http://example.com"}, "is not https"),
        ({"GITHUB_ACTIONS": ""}, "no job of GitHub Actions or GitLab CI"),
        ({"text": "words\n"}, "no marker"),
    ],
)
def test_comments_that_can_not_be(
    tmp_path: Path,
    host: CodeHost,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, str],
    told: str,
) -> None:
    ran = comment(tmp_path, host, monkeypatch, **more)
    assert ran.code == 2
    assert told in ran.err
    assert host.requests == []


def test_every_ci_file_is_yaml(written: Path) -> None:
    for path in (*workflows(written), *written.glob("codebuild/*.yml"), written / ".gitlab-ci.yml"):
        assert yaml.safe_load(path.read_text())
        assert path.read_text().endswith("\n")
        assert "@%" not in path.read_text()
        lines = [line for line in path.read_text().splitlines() if "uses: " not in line]
        assert max(map(len, lines)) <= 100, path
