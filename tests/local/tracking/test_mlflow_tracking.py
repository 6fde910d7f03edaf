"""Runs in MLflow: the real library over its real database; with SAGEDAG_MLFLOW=1 its server too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from local_samples import (
    IMAGE,
    compare,
    condition,
    document,
    fail,
    get,
    json_get,
    output_of,
    processing,
    register,
    training,
)

from pipelines.cli import root
from pipelines.definition import read_definition
from pipelines.local.execute import execute
from pipelines.local.isolation import choose
from pipelines.local.options import RunOptions
from pipelines.local.store import open_store
from pipelines.tracking import Tracker, TrackingPlace, is_installed
from pipelines.tracking.server import Server, ServerFailed
from pipelines.tracking.tracker import QUIET

needs_mlflow = pytest.mark.skipif(not is_installed(), reason="MLflow is not installed")
ROOT = Path(__file__).parents[3]
FAKE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def pipeline(least: float = 0.9) -> dict[str, Any]:
    artefacts = get("Steps.train.ModelArtifacts.S3ModelArtifacts")
    return document(
        processing("prepare", "score=0.97", CacheConfig={"Enabled": True}),
        training("train", output_of("prepare")),
        condition(
            "gate",
            compare("GreaterThanOrEqualTo", json_get("prepare", "score"), get("Parameters.Least")),
            then=[register("register", Containers=[{"Image": IMAGE, "ModelDataUrl": artefacts}])],
            other=[fail("reject", "too low")],
        ),
        Parameters=[{"Name": "Least", "Type": "Float", "DefaultValue": least}],
    )


class StandingServer(Server):
    """A server that is there already."""

    def start(self) -> str:
        return "http://127.0.0.1:1"


def track(place: Any, definition: Mapping[str, Any], **options: Any) -> tuple[Any, Tracker]:
    with open_store(place.store) as store:
        tracker = Tracker(store, "birds", place.folder)
        tracker._server = StandingServer(lambda _port: [], {}, place.store / "server.log")
        try:
            record = execute(
                read_definition(definition), name="sample", base=place.folder, store=store,
                isolation=choose("auto"), observer=tracker,
                options=RunOptions(variables=tracker.variables, **options),
            )  # fmt: skip
        finally:
            tracker.close()
    return record, tracker


def client_of(place: Any) -> Any:
    os.environ.update(QUIET)
    from mlflow.tracking import MlflowClient

    return MlflowClient(TrackingPlace(place.store / "mlflow").database)


def runs_of(place: Any, experiment: str = "birds") -> dict[str, Any]:
    client = client_of(place)
    number = client.get_experiment_by_name(experiment).experiment_id
    # The latest of each name comes last.
    return {run.info.run_name: run for run in reversed(client.search_runs([number]))}


@needs_mlflow
def test_a_run_and_its_steps_are_told_to_mlflow(place: Any) -> None:
    record, tracker = track(place, pipeline())
    assert (record.status, tracker.warning) == ("Succeeded", "")
    runs = runs_of(place)
    whole = runs.pop(f"sample {record.id}")
    assert whole.data.params == {"Least": "0.9"}
    assert whole.info.status == "FINISHED"
    assert whole.data.tags["sagedag.run"] == record.id
    assert set(runs) == {"prepare", "train", "gate", "register"}
    for run in runs.values():
        assert run.data.tags["mlflow.parentRunId"] == whole.info.run_id
        assert run.info.status == "FINISHED"
        assert whole.info.start_time <= run.info.start_time <= run.info.end_time
    assert runs["train"].data.params == {"loss": "0.25", "depth": "3"}
    assert runs["train"].data.metrics["loss"] == 0.25
    assert runs["train"].data.metrics["seconds/running"] > 0
    assert runs["prepare"].data.metrics["quality_metrics.accuracy"] == 0.97
    assert runs["gate"].data.tags["sagedag.outcome"] == "True"
    assert runs["register"].data.tags["sagedag.model_version"] == "group version 1"
    files = TrackingPlace(place.store / "mlflow").files(runs["train"].info.artifact_uri)
    archive = files / "model/model.tar.gz"
    assert archive.stat().st_size > 0
    report = TrackingPlace(place.store / "mlflow").files(runs["prepare"].info.artifact_uri)
    assert json.loads((report / "out/report.json").read_text())["score"] == 0.97

    # Another run, in the same experiment: it fails, and says what it reused. What a killed run left
    # running is ended.
    client = client_of(place)
    left = client.create_run(whole.info.experiment_id, tags={"sagedag.run": "zzz"})
    record, tracker = track(place, pipeline(0.99))
    assert (record.status, tracker.warning) == ("Failed", "")
    runs = runs_of(place)
    assert runs[f"sample {record.id}"].info.status == "FAILED"
    assert runs["reject"].info.status == "FAILED"
    assert runs["reject"].data.tags["sagedag.failure"] == "too low"
    assert runs["prepare"].data.tags["sagedag.reused_from"]
    assert client.get_run(left.info.run_id).info.status == "KILLED"

    # A failed run that goes on goes on in MLflow as well.
    whole_before = runs[f"sample {record.id}"].info.run_id
    resumed, tracker = track(place, pipeline(0.99), resume=record.id)
    assert (resumed.id, tracker.warning) == (record.id, "")
    assert runs_of(place)[f"sample {record.id}"].info.run_id == whole_before


@needs_mlflow
def test_mlflow_that_fails_does_not_fail_the_run(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Tracker) -> Any:
        raise OSError("disk full\nmore")

    monkeypatch.setattr(Tracker, "_open", broken)
    record, tracker = track(place, document(processing("one")))
    assert record.status == "Succeeded"
    assert tracker.warning == "MLflow is told no more of this run: disk full"


def test_without_mlflow_the_user_is_told(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.tracking.is_installed", lambda: False)
    asking = document(processing("one"), MlflowConfig={"MlflowResourceArn": "arn:aws:x"})
    (place.folder / "a.json").write_text(json.dumps(asking))
    arguments = ["run", str(place.folder / "a.json"), "--store", str(place.store)]
    refused = CliRunner().invoke(root, [*arguments, "--mlflow"])
    assert "--mlflow needs MLflow" in str(refused.exception)
    told = CliRunner().invoke(root, arguments)
    assert told.exit_code == 0, told.output
    assert "warning: the definition asks for MLflow, which is not installed" in told.output
    assert not (place.store / "mlflow").exists()
    silent = CliRunner().invoke(root, [*arguments, "--no-mlflow"])
    assert "MLflow" not in silent.output


def test_the_command_line_of_the_pages(place: Any, runs: Callable[..., str]) -> None:
    place.run(document(processing("one")))
    assert "no run was tracked here" in runs("mlflow", "--print", code=2)
    TrackingPlace(place.store / "mlflow").artifacts.mkdir(parents=True)
    line = runs("mlflow", "--print", "--port", "5999")
    assert "-m mlflow server" in line and "--port 5999" in line
    assert f"sqlite:///{place.store}/mlflow/mlflow.db" in line


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def fake_server(tmp_path: Path) -> Server:
    program = tmp_path / "fake.py"
    program.write_text(FAKE + "\n")
    command = [sys.executable, str(program)]
    return Server(lambda port: [*command, str(port)], dict(os.environ), tmp_path / "log")


def test_a_server_answers_once_it_is_started_and_is_gone_once_it_is_stopped(tmp_path: Path) -> None:
    import urllib.request

    server = fake_server(tmp_path)
    address = server.start()
    with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
        assert answer.status == 200
    server.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{address}/health", timeout=5)
    server.stop()


def test_a_server_that_does_not_come_up_is_told(tmp_path: Path) -> None:
    server = Server(lambda _port: [sys.executable, "-c", "1/0"], {}, tmp_path / "log")
    with pytest.raises(ServerFailed, match="it ended at once; its log: "):
        server.start()
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks into /proc")
def test_a_server_goes_with_the_process_that_started_it(tmp_path: Path) -> None:
    (tmp_path / "fake.py").write_text(FAKE)
    program = (
        "import os, sys, time; from pathlib import Path; from pipelines.tracking.server import *;"
        f"server = Server(lambda port: [sys.executable, {str(tmp_path / 'fake.py')!r}, str(port)],"
        f" dict(os.environ), Path({str(tmp_path / 'log')!r}));"
        "server.start(); print(server._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert parent.stdout is not None
    guard = int(parent.stdout.readline())
    children = Path(f"/proc/{guard}/task/{guard}/children").read_text().split()
    assert len(children) == 1
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 30
    while alive(guard) or alive(int(children[0])):
        assert time.monotonic() < deadline, "the server outlived the run"
        time.sleep(0.05)


@needs_mlflow
@pytest.mark.skipif("SAGEDAG_MLFLOW" not in os.environ, reason="slow: SAGEDAG_MLFLOW=1 runs it")
def test_what_a_script_logs_lands_in_the_run_of_its_step(place: Any) -> None:
    job = place.folder / "code/job.py"
    logged = "import mlflow; mlflow.log_metric('own', 7); mlflow.log_text('hello', 'said.txt')\n"
    job.write_text(job.read_text() + logged)
    definition = document(
        processing("one"), MlflowConfig={"MlflowExperimentName": "birds", "MlflowResourceArn": "a"}
    )
    (place.folder / "a.json").write_text(json.dumps(definition))
    arguments = ["run", str(place.folder / "a.json"), "--store", str(place.store)]
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == 0, result.output
    assert "warning" not in result.output
    run = runs_of(place)["one"]
    assert run.data.metrics["own"] == 7
    assert run.data.metrics["score"] == 0.97
    assert run.info.status == "FINISHED"
    files = TrackingPlace(place.store / "mlflow").files(run.info.artifact_uri)
    assert (files / "said.txt").read_text() == "hello"
