"""What git can be like: hooks, worktrees, submodules, odd names, no trust, no git at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_commands import Ran, sagedag
from deploy_repository import commit, edit, git, write_repository
from moto_server import AwsServer

from pipelines.deployment import provenance_of
from pipelines.language.repository import is_dirty


@pytest.fixture
def repository(tmp_path: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return write_repository(tmp_path / "repository", aws.url)


def affected(folder: Path, since: str = "HEAD") -> list[str]:
    ran = sagedag(folder, "changed", "--since", since, "--json")
    assert ran.code == 0, ran.err
    return [each["definition"] for each in json.loads(ran.out)["affected"]]


def deploy(folder: Path, *words: str, code: int = 0) -> Ran:
    ran = sagedag(folder, "deploy", "--env", "dev", *words)
    assert ran.code == code, ran.out + ran.err
    return ran


def test_variables_of_hooks_do_not_lead_to_another_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a hook git sets GIT_DIR, and takes the working directory for the tree's top."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    git(other, "init", "--quiet")
    before = provenance_of(repository)
    edit(repository, "line/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    for place in (".git", str(repository / ".git"), str(other / ".git")):
        monkeypatch.setenv("GIT_DIR", place)
        monkeypatch.setenv("GIT_INDEX_FILE", f"{place}/index")
        assert affected(repository) == ["line/pipeline.yaml"]
        assert affected(repository / "line") == ["pipeline.yaml"]
        assert provenance_of(repository).commit == before.commit


def test_a_worktree_and_a_detached_head(repository: Path, tmp_path: Path) -> None:
    deploy(repository)
    git(repository, "worktree", "add", "--quiet", "--detach", str(tmp_path / "tree"))
    tree = tmp_path / "tree"
    edit(tree, "line/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    assert affected(tree) == ["line/pipeline.yaml"]
    assert affected(repository) == []
    commit(tree)
    # No remote says whose it is, so a worktree is told by its own folder's name.
    git(repository, "remote", "add", "origin", "https://example.com/org/repo.git")
    assert provenance_of(tree).repository == provenance_of(repository).repository


def test_a_submodule_with_code_and_one_with_a_definition(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet", "--initial-branch=main")
    (inner / "pipeline.yaml").write_text("pipeline: inner\nsteps: {no: {type: Fail, message: x}}\n")
    (inner / "train.py").write_text("print()\n")
    commit(inner)
    git(repository, "submodule", "--quiet", "add", str(inner), "inner")
    edit(repository, "other/pipeline.yaml", "dir: lib", "dir: ../inner")
    commit(repository)
    assert affected(repository) == []
    # Not committed there, committed there, and committed here: each counts for both.
    (repository / "inner/pipeline.yaml").write_text(
        "pipeline: inner\nsteps: {no: {type: Fail, message: y}}\n"
    )
    both = ["inner/pipeline.yaml", "other/pipeline.yaml"]
    assert affected(repository) == both
    assert is_dirty(repository)
    commit(repository / "inner")
    assert affected(repository) == both
    commit(repository)
    assert affected(repository) == []
    assert affected(repository, "HEAD~1") == both


def test_code_beside_the_definition_in_a_subfolder_of_a_large_repository(
    repository: Path, tmp_path: Path, aws: AwsServer
) -> None:
    top = tmp_path / "large"
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    project = top / "services/ml"
    project.parent.mkdir()
    repository.rename(project)
    subprocess.run(["rm", "-rf", str(project / ".git")], check=True)
    (project / "shared").mkdir()
    (project / "line/code/train.py").rename(project / "shared/train.py")
    edit(project, "line/pipeline.yaml", "{dir: code, entry", "{dir: ../shared, entry")
    (top / "web.js").write_text("x\n")
    commit(top)
    deploy(project)
    # What lies outside of the project neither affects it nor makes it dirty.
    (top / "web.js").write_text("y\n")
    (top / "new.js").write_text("y\n")
    assert affected(project) == []
    assert not provenance_of(project).dirty
    (project / "shared/train.py").write_text("print('more')\n")
    assert affected(project) == ["line/pipeline.yaml"]
    assert affected(top) == ["services/ml/line/pipeline.yaml"]
    assert (
        sagedag(top, "changed", "--since", "HEAD", "-q").out == "services/ml/line/pipeline.yaml\n"
    )


def test_files_that_git_does_not_know_make_a_deploy_dirty(
    repository: Path, aws: AwsServer, tmp_path: Path
) -> None:
    """They are part of the code that is deployed, and no other clone has them."""
    cache = repository / "line/code/__pycache__"
    cache.mkdir()
    (cache / "train.pyc").write_text("x")
    assert not is_dirty(repository)
    (repository / "line/code/mine.py").write_text("x = 1\n")
    deploy(repository)
    arn = boto3.client("sagemaker").describe_pipeline(PipelineName="line")["PipelineArn"]
    tags = {
        t["Key"]: t["Value"] for t in boto3.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    }
    assert tags["sagedag:commit"].endswith("-dirty")
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    git(tmp_path / "clone", "remote", "remove", "origin")
    (tmp_path / "clone").rename(tmp_path / "ci")
    repository.rename(tmp_path / "laptop")
    (tmp_path / "ci").rename(repository)
    told = deploy(repository, "--since", "deployed")
    assert "it was deployed with changes that were not committed" in told.err
    assert "mine.py" in told.out


def test_deleted_and_added_again(repository: Path) -> None:
    text = (repository / "line/code/train.py").read_text()
    git(repository, "rm", "--quiet", "line/code/train.py")
    commit(repository)
    (repository / "line/code").mkdir(exist_ok=True)
    (repository / "line/code/train.py").write_text(text)
    commit(repository)
    assert affected(repository, "HEAD~2") == []
    assert affected(repository, "HEAD~1") == ["line/pipeline.yaml"]


def test_a_merge_counts_what_the_branch_lacks(repository: Path) -> None:
    """After main was merged into it, a branch's own change alone is left."""
    git(repository, "switch", "--quiet", "--create", "feature")
    (repository / "line/code/train.py").write_text("feature\n")
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    (repository / "other/split.py").write_text("main\n")
    commit(repository)
    git(repository, "switch", "--quiet", "feature")
    git(repository, "merge", "--quiet", "--no-edit", "main")
    assert affected(repository, "main") == ["line/pipeline.yaml"]
    assert affected(repository, "HEAD^1") == ["other/pipeline.yaml"]


ODD = [
    b"two\nlines",
    b"t\xff\xfe",
    "-größe".encode(),
    b"a'b\" \x1b[31mred",
]


@pytest.mark.parametrize("name", ODD)
def test_folders_with_odd_names(
    repository: Path, aws: AwsServer, aws_variables: dict[str, str], tmp_path: Path, name: bytes
) -> None:
    (repository / "line").rename(repository / os.fsdecode(name))
    commit(repository)
    file = tmp_path / "plan.md"
    ran = deploy(repository, "--since", "HEAD~1", "--markdown", str(file))
    assert "line  created" in ran.out
    shown = os.fsdecode(name)
    shown = "".join(c if c.isprintable() else "?" for c in shown)
    assert f"  {shown}/pipeline.yaml\n" in ran.err
    assert "\x1b" not in ran.out + ran.err + file.read_text()
    words = ("--dry-run", "--since", "HEAD~1", "--json")
    assert json.loads(deploy(repository, *words).out)["status"] == "planned"
    edit(repository, f"{os.fsdecode(name)}/pipeline.yaml", "max_depth: 6", "max_depth: 7")
    saved = tmp_path / "saved.plan"
    assert sagedag(repository, "plan", "--env", "dev", "--out", str(saved)).code == 0
    assert sagedag(repository, "upsert", "--plan", str(saved)).code == 0
    # Scripts get the real name, whatever it is.
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "changed", "--since", "HEAD", "--null"],
        cwd=repository,
        env={**os.environ, **aws_variables, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        check=False,
    )
    assert done.stdout == name + b"/pipeline.yaml\0"


def test_a_branch_whose_name_is_no_text(repository: Path, aws: AwsServer) -> None:
    branch = os.fsdecode(b"odd\xff")
    git(repository, "switch", "--quiet", "--create", branch)
    edit(repository, "line/pipeline.yaml", "{team: lines}", "{team: 'x {{ git.dirty }}'}")
    commit(repository)
    deploy(repository, "--since", branch)


@pytest.mark.parametrize(
    ("since", "hint"),
    [
        ("deployed", "`sagedag deploy --since deployed` alone"),
        ("^main", "or name another one"),
        ("main..HEAD", "or name another one"),
        ("--exec=touch owned", "or name another one"),
        ("1" * 40, "a push with force"),
    ],
)
def test_what_is_no_commit(repository: Path, since: str, hint: str) -> None:
    ran = sagedag(repository, "changed", f"--since={since}")
    assert (ran.code, f"this clone has no commit `{since}`" in ran.err) == (2, True)
    assert hint in ran.err
    if since != "deployed":
        told = deploy(repository, f"--since={since}", code=2)
        assert hint in told.err


def test_a_repository_without_a_commit(tmp_path: Path, repository: Path) -> None:
    subprocess.run(["rm", "-rf", str(repository / ".git")], check=True)
    git(repository, "init", "--quiet", "--initial-branch=main")
    for words in (("changed", "--since", "HEAD"), ("deploy", "--env=dev", "--since=deployed")):
        ran = sagedag(repository, *words)
        assert ran.code == 2
        assert "this repository has no commit yet" in ran.err


def test_a_shallow_clone_says_so(repository: Path, aws: AwsServer, tmp_path: Path) -> None:
    git(repository, "remote", "add", "origin", "https://example.com/org/repo.git")
    deploy(repository)
    (repository / "README.md").write_text("words\n")
    commit(repository)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    shallow = tmp_path / "shallow"
    git(shallow, "remote", "set-url", "origin", "https://example.com/org/repo.git")
    told = deploy(shallow, "--since", "deployed")
    assert "which is not in this shallow clone" in told.err
    assert told.out.startswith("No changes.")


def test_a_repository_that_git_does_not_trust(
    repository: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose the deploy is would be a guess: the name of the remote is not to be had."""
    # git's own switch for tests of this; no other user is needed.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    hint = f"git config --global --add safe.directory '{repository}'"
    for words in (
        ("changed", "--since", "HEAD"),
        ("plan", "--env", "dev"),
        ("upsert", "--env", "dev", "--yes"),
        ("deploy", "--env", "dev"),
        ("deploy", "--env", "dev", "--since", "deployed"),
    ):
        ran = sagedag(repository / "line", *words)
        assert ran.code == 2, words
        assert hint in ran.err
    assert aws.writes == []
    assert sagedag(repository, "validate").code == 0
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "safe.directory")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(repository))
    deploy(repository, "--since", "deployed")


def test_without_git(repository: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    for words in (("changed", "--since", "HEAD"), ("plan", "--env", "dev")):
        ran = sagedag(repository, *words)
        assert (ran.code, "git is not installed" in ran.err) == (2, True)
    assert "git is not installed" in deploy(repository, code=2).err
    # Outside of a repository nothing of git is wanted.
    subprocess.run(["/bin/rm", "-rf", str(repository / ".git")], check=True)
    deploy(repository)


def test_a_repository_that_is_damaged(repository: Path, aws: AwsServer) -> None:
    (repository / ".git/HEAD").unlink()
    ran = deploy(repository, code=2)
    assert "git can't read the repository of" in ran.err
    assert aws.writes == []


def test_a_wrong_commit_is_told_in_the_comment(repository: Path, tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    deploy(repository, "--dry-run", "--since", "nope", "--markdown", str(file), code=2)
    text = file.read_text()
    assert text.startswith("<!-- sagedag plan dev -->\n### Planning `dev` failed\n")
    assert "this clone has no commit `nope`" in text


def test_another_environments_pipeline_is_told_in_the_comment(
    repository: Path, aws: AwsServer, tmp_path: Path
) -> None:
    assert sagedag(repository, "deploy", "--env", "prod").code == 0
    file = tmp_path / "plan.md"
    document: Any = json.loads(
        deploy(repository, "--dry-run", "--markdown", str(file), "--json", code=2).out
    )
    assert "was deployed by environment `prod`" in document["error"]["message"]
    assert "--take-over" in file.read_text()
