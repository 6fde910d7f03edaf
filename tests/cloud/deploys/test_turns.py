"""Two deploys at once: who goes on, who gives way, and what the loser leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cloud_commands import sagedag
from deploy_repository import commit, edit, git, write_repository
from moto_server import AwsServer

from pipelines.cloud.apply import _Execution
from pipelines.cloud.client import Clients
from pipelines.cloud.ownership import COMMIT, DIGEST, WANTED
from pipelines.cloud.state import Deployed
from pipelines.cloud.wanted import Provenance
from pipelines.delivery import turns
from pipelines.errors import StateMoved

OTHER = "f" * 40


@pytest.fixture
def repository(tmp_path: Path, aws: AwsServer) -> Path:
    return write_repository(tmp_path / "repository", aws.url)


def deployed(tags: Mapping[str, str]) -> Deployed:
    return Deployed("p", "arn", "{}", tags=tags)


@pytest.mark.parametrize(
    ("looks", "won"),
    [
        # The first by name is ours, and stays ours: the other one is to give way.
        ([("own", "other"), ("own", "other")], True),
        # A newer deploy contains our commit and takes that one as well.
        ([("own", "other"), ("other", "other")], False),
        ([("other", "own")], False),
        ([("own", "own")], True),
        ([("", "own")], True),
    ],
)
def test_the_first_pipeline_decides(
    repository: Path,
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    looks: list[tuple[str, str]],
    won: bool,
) -> None:
    commits = {"own": git(repository, "rev-parse", "HEAD"), "other": OTHER, "": ""}
    left: Iterator[tuple[str, str]] = iter(looks)

    def read(_: Clients, names: list[str]) -> dict[str, Deployed]:
        pair = next(left)
        return {n: deployed({COMMIT: commits[c]}) for n, c in zip(sorted(names), pair, strict=True)}

    monkeypatch.setattr(turns, "read_pipelines", read)
    monkeypatch.setattr(turns, "wait_for_end", lambda *_: None)
    slept: list[float] = []
    mine = Provenance("r", commits["own"], False, "1")
    lost = StateMoved("lost")
    given = (clients, ["b", "a"], repository, mine, lost, slept.append)
    if won:
        turns.check_not_newer(*given)
    else:
        with pytest.raises(StateMoved, match="does not contain"):
            turns.check_not_newer(*given)
    assert slept == [turns.GRACE] * (len(looks) - 1)
    assert next(left, None) is None


@pytest.mark.parametrize(
    ("digests", "pauses"),
    [(["w"], 0), (["1", "2", "w"], 2), (["1", "1"], 1), ([str(n) for n in range(99)], turns.LOOKS)],
)
def test_another_deploy_is_waited_for_while_it_moves(
    clients: Clients, monkeypatch: pytest.MonkeyPatch, digests: list[str], pauses: int
) -> None:
    left = iter(digests)
    monkeypatch.setattr(
        turns, "read_pipelines", lambda *_: {"a": deployed({WANTED: "w", DIGEST: next(left)})}
    )
    slept: list[float] = []
    turns.wait_for_end(clients, ["a"], slept.append)
    assert len(slept) == pauses


def test_who_loses_the_first_pipeline_touches_neither_schedules_nor_others(
    repository: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sagedag(repository, "deploy", "--env", "dev").code == 0
    for name in ("line", "other"):
        edit(repository, f"{name}/pipeline.yaml", "max_depth: 6", "max_depth: 7")
        edit(repository, f"{name}/pipeline.yaml", "0 3 * *", "0 4 * *")
    commit(repository)
    aws.forget_requests()

    def brought(execution: _Execution) -> str:
        raise StateMoved(f"`{execution.plan.name}` was changed by another deploy")

    monkeypatch.setattr(_Execution, "_brought", brought)
    assert sagedag(repository, "upsert", "--env", "dev", "--yes").code == 6
    updated = [r.body["PipelineName"] for r in aws.requests if r.call == "sagemaker:UpdatePipeline"]
    assert updated == ["line"]
    assert not [call for call in aws.writes if call.startswith("scheduler:")]
