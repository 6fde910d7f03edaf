"""An upsert that is interrupted at any call: the next one ends in the wanted state.

The ordinary run takes calls evenly spread over the deploy. From ``SAGEDAG_KILLS=100`` on it is
every call, and every kind of fault at each.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import boto3
import pytest
from interrupted import Scene, apply_saved, everything, make_scene
from moto_server import AwsServer, Fault, Request

from pipelines.cloud.apply import apply_plan
from pipelines.cloud.client import Clients
from pipelines.errors import SagedagError

POINTS = int(os.environ.get("SAGEDAG_KILLS", "6"))
ALL = POINTS >= 100
FAULTS = {
    "refused": Fault("ThrottlingException", 400),
    "answer lost": Fault(after=True),
    "connection lost": Fault(drop=True),
    "done and connection lost": Fault(after=True, drop=True),
}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return make_scene(tmp_path / "scene")


def spread(calls: int) -> list[int]:
    """Return the numbers of the calls to interrupt: all, or as many as are asked for."""
    if calls <= POINTS:
        return list(range(calls))
    return sorted({round(n * (calls - 1) / (POINTS - 1)) for n in range(POINTS)})


def begin(aws: AwsServer, scene: Scene, clients: Clients) -> None:
    """Bring everything to the state before."""
    aws.reset()
    boto3.client("s3").create_bucket(Bucket="dev-bucket")
    scene.deploy(clients, scene.before)
    aws.forget_requests()


def finished(aws: AwsServer, scene: Scene, clients: Clients) -> tuple[dict[str, Any], int]:
    """Return the state after an upsert that nothing interrupts, and its number of calls."""
    begin(aws, scene, clients)
    scene.deploy(clients, scene.after)
    calls = len(aws.requests)
    assert scene.plan(clients, scene.after).is_empty
    return everything(), calls


def check_mended(aws: AwsServer, scene: Scene, clients: Clients, wanted: dict[str, Any]) -> None:
    """The next upsert mends what is left behind; nothing is missing, nothing too much."""
    aws.hook = None
    scene.deploy(clients, scene.after)
    assert everything() == wanted
    aws.forget_requests()
    assert scene.plan(clients, scene.after).is_empty
    assert aws.writes == []


def test_a_fault_at_every_call(aws: AwsServer, scene: Scene, clients: Clients) -> None:
    wanted, calls = finished(aws, scene, clients)
    assert calls > 40
    kinds = list(FAULTS)
    told: set[str] = set()
    for turn, index in enumerate(spread(calls)):
        for kind in kinds if ALL else [kinds[turn % len(kinds)]]:
            begin(aws, scene, clients)
            aws.fail_at(index, FAULTS[kind])
            try:
                scene.deploy(clients, scene.after)
            except SagedagError as error:
                told.add(error.message.partition(" ")[0])
            check_mended(aws, scene, clients, wanted)
    # The faults hit: these are calls that somebody would have read about.
    assert len(told) > 2
    if ALL:
        assert {"sagemaker:CreatePipeline", "sagemaker:UpdatePipeline", "s3:PutObject"} <= told


def test_sigkill_at_every_call(
    aws: AwsServer,
    scene: Scene,
    clients: Clients,
    aws_variables: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted, calls = finished(aws, scene, clients)
    begin(aws, scene, clients)
    scene.plan(clients, scene.after)
    # What is read for the plan comes before; a process of its own asks who it is.
    calls += 1 - len(aws.requests)
    monkeypatch.setenv("SAGEDAG_TEST_FORKSERVER", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["interrupted"])
    file = tmp_path / "saved.plan"
    for turn, index in enumerate(spread(calls + 1)):
        begin(aws, scene, clients)
        file.write_text(scene.plan(clients, scene.after).to_json())
        aws.forget_requests()
        child = processes.Process(
            target=apply_saved, args=(str(file), str(scene.root), aws_variables)
        )

        def kill(request: Request, at: int = index, turn: int = turn, child: Any = child) -> Any:
            # Every other time the call takes effect before its caller dies.
            return Fault(kill=child.pid, after=turn % 2 == 1) if request.index == at else None

        aws.hook = kill
        child.start()
        child.join(60)
        # One more call than there is: that child came to its end.
        assert child.exitcode == (0 if index == calls else -9)
        check_mended(aws, scene, clients, wanted)


def test_another_deploy_in_between_wins(aws: AwsServer, scene: Scene, clients: Clients) -> None:
    begin(aws, scene, clients)
    mine = scene.planned(clients, scene.after)
    theirs = scene.planned(clients, scene.after)
    apply_plan(clients, theirs.plan, scene.root)
    aws.forget_requests()
    with pytest.raises(SagedagError, match="changed since the plan was made") as caught:
        apply_plan(clients, mine.plan, scene.root)
    assert caught.value.exit_code == 6
    assert aws.writes == []


def test_a_deploy_at_the_same_time_is_noticed(
    aws: AwsServer, scene: Scene, clients: Clients
) -> None:
    begin(aws, scene, clients)
    mine = scene.planned(clients, scene.after)
    other = '{"Version": "2020-12-01", "Steps": []}'
    sagemaker = boto3.client("sagemaker")
    met: list[str] = []

    def overtake(request: Request) -> Fault | None:
        """Let somebody else update the pipeline right after we did."""
        of_line = "pipeline/line" in str(request.body)
        if request.call == "sagemaker:UpdatePipelineVersion" and of_line and not met:
            met.append(request.call)
            sagemaker.update_pipeline(PipelineName="line", PipelineDefinition=other)
        return None

    aws.hook = overtake
    with pytest.raises(SagedagError, match="changed by another deploy at the same time") as caught:
        apply_plan(clients, mine.plan, scene.root)
    assert caught.value.exit_code == 6
    assert met
    aws.hook = None
    # Nothing says that our deploy was completed, and the next one brings it.
    scene.deploy(clients, scene.after)
    assert scene.plan(clients, scene.after).is_empty


def test_the_service_may_write_a_definition_in_its_own_way(
    aws: AwsServer, scene: Scene, clients: Clients
) -> None:
    from moto.backends import get_backend

    begin(aws, scene, clients)

    def rewrite(request: Request) -> Fault | None:
        """Hold every definition with its keys in another order and numbers as floats."""
        for backend in get_backend("sagemaker")["123456789012"].values():
            for pipeline in backend.pipelines.values():
                held = json.loads(pipeline.pipeline_definition, parse_int=float)
                held["Metadata"] = {}
                pipeline.pipeline_definition = json.dumps(held, sort_keys=True, indent=2)
        return None

    aws.hook = rewrite
    scene.deploy(clients, scene.after)
    assert scene.plan(clients, scene.after).is_empty
