"""``sagedag changed``: the definitions that a change in git affects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cloud_commands import sagedag
from deploy_repository import commit, edit, git, write_repository

ROOT = Path(__file__).parents[3]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SAGEDAG_ENV", raising=False)
    return write_repository(tmp_path / "repository", "http://127.0.0.1:1")


def changed(folder: Path, *words: str, since: str = "first") -> dict[str, Any]:
    ran = sagedag(folder, "changed", "--since", since, "--json", *words)
    assert ran.code == 0, ran.err
    document: dict[str, Any] = json.loads(ran.out)
    return document


def reasons(document: dict[str, Any]) -> dict[str, list[tuple[str, str | None, str | None]]]:
    return {
        each["definition"]: [(r["what"], r["status"], r["file"]) for r in each["because"]]
        for each in document["affected"]
    }


CODE = "its code and files"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("line/pipeline.yaml", None, {"line": ("the definition", "modified")}),
        ("line/code/train.py", "new", {"line": (CODE, "modified")}),
        ("line/code/helper.py", "new", {"line": (CODE, "untracked")}),
        ("other/lib/requirements.txt", "numpy", {"other": (CODE, "modified")}),
        ("line/code/__pycache__/train.pyc", "new", {}),
        ("README.md", "new", {}),
        # A comment makes no other pipeline.
        ("environments.yaml", None, {}),
    ],
)
def test_what_a_file_affects(
    repository: Path, file: str, text: str | None, expected: dict[str, tuple[str, str]]
) -> None:
    git(repository, "tag", "first")
    path = repository / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(path.read_text() + "# more\n" if text is None else text)
    wanted = {f"{k}/pipeline.yaml": [(what, how, file)] for k, (what, how) in expected.items()}
    assert reasons(changed(repository)) == wanted
    # The same once it is committed; an untracked file is a new one then.
    git(repository, "add", "--force", "--all")
    commit(repository)
    told = {
        name: [(what, how.replace("untracked", "added"), file) for what, how, file in found]
        for name, found in wanted.items()
    }
    assert reasons(changed(repository)) == told


def test_only_what_this_branch_brought(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "feature")
    (repository / "line/code/train.py").write_text("feature\n")
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    (repository / "other/split.py").write_text("main\n")
    commit(repository)
    git(repository, "switch", "--quiet", "feature")
    document = changed(repository, since="main")
    assert list(reasons(document)) == ["line/pipeline.yaml"]
    assert document["unaffected"] == ["other/pipeline.yaml"]
    assert document["base"] == git(repository, "merge-base", "main", "HEAD")
    quiet = sagedag(repository, "changed", "--since", "main", "--quiet")
    assert quiet.out == "line/pipeline.yaml\n"
    # Of a path, what lies below it.
    assert changed(repository, "other", since="main")["affected"] == []


def test_what_it_extends_and_overlays(repository: Path) -> None:
    (repository / "base.yaml").write_text("tags: {owner: me}\n")
    for name in ("line", "other"):
        path = repository / name / "pipeline.yaml"
        path.write_text("extends: ../base.yaml\n" + path.read_text())
    edit(repository, "other/pipeline.yaml", "schedules:", "environments: {prod: {}}\nschedules:")
    (repository / "other/prod.py").write_text("print()\n")
    overlay = "environments: {prod: {steps: {split: {code: prod.py}}}}"
    edit(repository, "other/pipeline.yaml", "environments: {prod: {}}", overlay)
    commit(repository)
    git(repository, "tag", "first")
    (repository / "base.yaml").write_text("tags: {owner: you}\n")
    what = ("what it extends", "modified", "base.yaml")
    assert reasons(changed(repository)) == {
        "line/pipeline.yaml": [what],
        "other/pipeline.yaml": [what],
    }
    git(repository, "checkout", "--quiet", "base.yaml")
    # What only prod uses affects a look at prod, and at all environments.
    (repository / "other/prod.py").write_text("print(1)\n")
    assert list(reasons(changed(repository, "--env", "prod"))) == ["other/pipeline.yaml"]
    assert list(reasons(changed(repository))) == ["other/pipeline.yaml"]
    assert reasons(changed(repository, "--env", "dev")) == {}


def test_renamed_deleted_and_moved(repository: Path) -> None:
    git(repository, "tag", "first")
    git(repository, "mv", "line/code/train.py", "line/code/fit.py")
    edit(repository, "line/pipeline.yaml", "entry: train.py", "entry: fit.py")
    git(repository, "mv", "other", "third")
    commit(repository)
    document = changed(repository)
    assert ("its code and files", "renamed", "line/code/fit.py") in reasons(document)[
        "line/pipeline.yaml"
    ]
    assert "third/pipeline.yaml" in reasons(document)
    gone = [{"definition": "other/pipeline.yaml", "moved_to": "third/pipeline.yaml"}]
    assert document["deleted"] == gone
    git(repository, "rm", "-r", "--quiet", "line", "third")
    commit(repository)
    document = changed(repository)
    assert document["affected"] == []
    assert [each["definition"] for each in document["deleted"]] == [
        "line/pipeline.yaml",
        "other/pipeline.yaml",
    ]
    text = sagedag(repository, "changed", "--since", "first", "line").out
    assert text.splitlines()[-1] == "  line/pipeline.yaml"
    assert "stay deployed until a deploy with --prune" in text


def test_what_does_not_load_is_affected(repository: Path) -> None:
    git(repository, "tag", "first")
    (repository / "line/code/split.py").unlink()
    (repository / "other/pipeline.yaml").write_text("pipeline: [\n")
    commit(repository)
    git(repository, "tag", "second")
    found = changed(repository)
    assert [each["loads"] for each in found["affected"]] == [False, False]
    assert reasons(found)["line/pipeline.yaml"][0][0] == "1 mistake keeps it from loading"
    # Also where nothing changed since: nobody knows what it uses.
    assert list(reasons(changed(repository, since="second"))) == [
        "line/pipeline.yaml",
        "other/pipeline.yaml",
    ]


def test_links_lead_to_what_is_used(repository: Path) -> None:
    (repository / "shared.py").write_text("one\n")
    (repository / "more.py").write_text("two\n")
    (repository / "line/code/shared.py").symlink_to("../../shared.py")
    commit(repository)
    git(repository, "tag", "first")
    (repository / "shared.py").write_text("other\n")
    assert reasons(changed(repository)) == {"line/pipeline.yaml": [(CODE, "modified", "shared.py")]}
    git(repository, "checkout", "--quiet", "shared.py")
    (repository / "line/code/shared.py").unlink()
    (repository / "line/code/shared.py").symlink_to("../../more.py")
    assert list(reasons(changed(repository))) == ["line/pipeline.yaml"]


def test_a_template_that_reads_the_commit(repository: Path) -> None:
    edit(repository, "line/pipeline.yaml", "{team: lines}", "{team: '{{ git.sha }}'}")
    commit(repository)
    git(repository, "tag", "first")
    assert reasons(changed(repository)) == {}
    (repository / "README.md").write_text("words\n")
    (name,) = reasons(changed(repository))
    assert name == "line/pipeline.yaml"


BOTH = ["line", "other"]


@pytest.mark.parametrize(
    ("old", "new", "dev", "prod"),
    [
        ("prefix: team", "prefix: crew", BOTH, []),
        ("stage: production", "stage: last", [], BOTH),
        # Only `line` uses this variable, and nothing that one.
        ("vars: {depth: 7}", "vars: {depth: 9}", [], ["line"]),
        ("vars: {depth: 7}", "vars: {depth: 7, more: 1}", [], []),
        ("vars: {depth: 7}", "vars: {depth: 7}\n    defaults: {max_runtime: 2h}", [], BOTH),
        # Both say themselves which instances they want.
        ("vars: {depth: 7}", "vars: {depth: 7}\n    defaults: {instance: ml.c5.xlarge}", [], []),
        # How to get there is no part of what is deployed.
        ("vars: {depth: 7}", "vars: {depth: 7}\n    profile: me", [], []),
        ("prefix: team", "prefix: 'team'  # a comment", [], []),
    ],
)
def test_environments_count_where_they_make_a_difference(
    repository: Path, old: str, new: str, dev: list[str], prod: list[str]
) -> None:
    edit(repository, "line/pipeline.yaml", "max_depth: 6", 'max_depth: "{{ vars.depth }}"')
    edit(repository, "environments.yaml", "prefix: team", "prefix: team\n    vars: {depth: 6}")
    edit(repository, "environments.yaml", "prefix: prod", "prefix: prod\n    vars: {depth: 7}")
    commit(repository)
    git(repository, "tag", "first")
    edit(repository, "environments.yaml", old, new)
    expected = {"dev": dev, "prod": prod}
    for name, affected in expected.items():
        found = reasons(changed(repository, "--env", name))
        why = [(f"the environment {name}", "modified", "environments.yaml")]
        wanted = {f"{each}/pipeline.yaml": why for each in affected}
        assert {k: v[-1:] for k, v in found.items()} == wanted
    # All environments are looked at.
    assert list(reasons(changed(repository))) == [f"{each}/pipeline.yaml" for each in dev or prod]


def test_environments_that_cannot_be_compared_count(repository: Path) -> None:
    """One that is new, and a file that was broken before."""
    text = (repository / "environments.yaml").read_text()
    (repository / "environments.yaml").write_text(text + "    prefx: x\n")
    commit(repository)
    git(repository, "tag", "first")
    (repository / "environments.yaml").write_text(text.replace("  prod:", "  last:"))
    for name in ("dev", "last"):
        found = reasons(changed(repository, "--env", name))
        assert found["line/pipeline.yaml"][0][0] == f"the environment {name}"
    assert reasons(changed(repository))["line/pipeline.yaml"][0][0] == "the environments dev, last"


def test_environments_further_up_do_not_hold(repository: Path) -> None:
    text = (repository / "environments.yaml").read_text()
    (repository / "line/environments.yaml").write_text(text)
    commit(repository)
    git(repository, "tag", "first")
    edit(repository, "environments.yaml", "prefix: team", "prefix: crew")
    assert list(reasons(changed(repository))) == ["other/pipeline.yaml"]


def test_environments_that_go_away(repository: Path) -> None:
    git(repository, "tag", "first")
    (repository / "environments.yaml").unlink()
    found = reasons(changed(repository))
    assert set(found) == {"line/pipeline.yaml", "other/pipeline.yaml"}
    assert ("the environments", "deleted", "environments.yaml") in found["line/pipeline.yaml"]


@pytest.mark.parametrize("since", ["", "0" * 40, "0" * 64])
def test_a_first_push_affects_everything(repository: Path, since: str) -> None:
    document = changed(repository, since=since)
    assert document["everything"] is True
    assert len(document["affected"]) == 2


@pytest.mark.parametrize("since", ["nope", "--output=/tmp/x", "HEAD~5", "a b", "a\n"])
def test_commits_that_are_not_there(repository: Path, since: str) -> None:
    ran = sagedag(repository, "changed", f"--since={since}")
    assert ran.code == 2
    assert "this clone has no commit" in ran.err
    assert "git fetch" in ran.err


def test_a_clone_without_history_says_how_to_get_it(repository: Path, tmp_path: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    (repository / "README.md").write_text("words\n")
    commit(repository)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    ran = sagedag(tmp_path / "shallow", "changed", "--since", first)
    assert ran.code == 2
    assert "`fetch-depth: 0`" in ran.err


def test_histories_without_a_common_commit(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--orphan", "apart")
    (repository / "x.txt").write_text("x")
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    ran = sagedag(repository, "changed", "--since", "apart")
    assert ran.code == 2
    assert "have no commit in common" in ran.err


def test_outside_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    ran = sagedag(tmp_path, "changed", "--since", "main")
    assert ran.code == 2
    assert "is in no git repository" in ran.err


def test_names_with_odd_characters(repository: Path) -> None:
    git(repository, "tag", "first")
    odd = repository / 'line/code/ein "Name"\tmit ümlaut.py'
    odd.write_text("x\n")
    assert list(reasons(changed(repository))) == ["line/pipeline.yaml"]
    text = sagedag(repository, "changed", "--since", "first").out
    assert "\t" not in text


def test_neither_the_sdk_nor_boto3_is_imported(repository: Path) -> None:
    script = (
        "import sys\n"
        "from pipelines.cli import root\n"
        "root.main(['changed', '--since', 'HEAD'], standalone_mode=False)\n"
        "heavy = {'sagemaker', 'boto3', 'botocore'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "0 of 2 definitions affected" in done.stdout
