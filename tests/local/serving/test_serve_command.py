"""Endpoints in the local store, and `sagedag serve` for everything that can be served."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from job_shapes import judge
from local_samples import document, get, model, register
from serving_place import SCRIPT, SKLEARN, archive

from pipelines.errors import ExecutionFailed, UsageError
from pipelines.local.endpoints import Endpoints
from pipelines.local.objects import ObjectStore
from pipelines.local.serving.folders import serving_folder
from pipelines.local.serving.targets import find_target
from pipelines.local.store import read_store

Run = Callable[..., Any]
REPOSITORY = Path(__file__).resolve().parents[3]
CONTAINER = {"Image": SKLEARN, "ModelDataUrl": "s3://bucket/model.tar.gz"}


def step(kind: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments}


def variant(name: str, **more: Any) -> dict[str, Any]:
    return {"VariantName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", **more}


@pytest.fixture
def hosted(run: Run, place: Any) -> Any:
    files = {"weights.json": b"[1, 10, 100]", "code/inference.py": SCRIPT.encode()}
    ObjectStore(place.store / "s3").put("s3://bucket/model.tar.gz", archive(files))
    name = get("Steps.small.ModelName")
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variants = [
        variant("main", ModelName=get("Steps.large.ModelName"), InitialVariantWeight=3.0),
        {"VariantName": "beside", "ModelName": name, "ServerlessConfig": serverless},
    ]
    steps = [
        model("small", PrimaryContainer=CONTAINER),
        model("large", PrimaryContainer=CONTAINER),
        register("register", "group", Containers=[CONTAINER]),
        step("EndpointConfig", "config", EndpointConfigName="shared", ProductionVariants=variants),
        step(
            "Endpoint", "endpoint", EndpointName="pulsar",
            EndpointConfigName=get("Steps.config.EndpointConfigName"),
        ),
        step(
            "InferenceComponent", "component", InferenceComponentName="part",
            EndpointName=get("Steps.endpoint.EndpointName"), VariantName="main",
            Specification={"ModelName": name,
                           "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 512}},
            RuntimeConfig={"CopyCount": 2},
        ),
    ]  # fmt: skip
    ran = run(document(*steps))
    assert ran.status == "Succeeded", {
        name: each.failure_reason for name, each in ran.steps.items()
    }
    return ran


def test_records_have_the_api_s_shapes(hosted: Any, run: Run, place: Any) -> None:
    for kind, name in (
        ("EndpointConfig", "config"),
        ("Endpoint", "endpoint"),
        ("InferenceComponent", "component"),
    ):
        properties = hosted.steps[name].properties
        judge(f"Describe{kind}", properties)
        assert hosted.steps[name].metadata == {kind: {"Arn": properties[f"{kind}Arn"]}}
    endpoint = hosted.steps["endpoint"].properties
    assert endpoint["EndpointStatus"] == "InService"
    main, beside = endpoint["ProductionVariants"]
    assert (main["CurrentWeight"], main["CurrentInstanceCount"]) == (3.0, 1)
    assert beside["CurrentServerlessConfig"]["MaxConcurrency"] == 5
    # A second run updates the endpoint of the name: it keeps its birthday.
    again = run(
        document(
            step("EndpointConfig", "config", EndpointConfigName="other",
                 ProductionVariants=[variant("only")]),
            step("Endpoint", "endpoint", EndpointName="pulsar", EndpointConfigName="other",
                 ) | {"DependsOn": ["config"]},
        )
    )  # fmt: skip
    updated = again.steps["endpoint"].properties
    assert updated["EndpointConfigName"] == "other"
    assert updated["CreationTime"] == endpoint["CreationTime"] < updated["LastModifiedTime"]
    with read_store(place.store) as store:
        assert [each.name for each in Endpoints(store).all("Endpoint")] == ["pulsar"]


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("EndpointConfig", "x", EndpointConfigName="c",
               ProductionVariants=[variant("v", ModelName="nobody")])],
         "nothing stands in for the model `nobody`"),
        ([step("Endpoint", "x", EndpointName="e", EndpointConfigName="none")],
         "there is no endpoint configuration `none` here; there is shared"),
        ([step("Endpoint", "x", EndpointName="-", EndpointConfigName="shared")],
         "EndpointName `-` must be"),
        ([step("InferenceComponent", "x", InferenceComponentName="i", EndpointName="none",
               Specification={})], "there is no endpoint `none` here"),
        ([step("InferenceComponent", "x", InferenceComponentName="i", EndpointName="pulsar",
               VariantName="no", Specification={})], "has no variant `no`; it has main, beside"),
    ],
)  # fmt: skip
def test_what_cannot_be_hosted_is_told(
    hosted: Any, run: Run, steps: list[dict[str, Any]], told: str
) -> None:
    ran = run(document(*steps))
    assert ran.status == "Failed"
    assert told in ran.steps["x"].failure_reason


def test_what_a_word_means(hosted: Any, place: Any) -> None:
    small = hosted.steps["small"].properties["ModelName"]
    arn = hosted.packages[0].arn
    with read_store(place.store) as store:

        def meant(text: str, part: str = "") -> tuple[str, str, str]:
            found = find_target(store, text, part)
            assert found.served.containers[0].model == "s3://bucket/model.tar.gz"
            return found.kind, found.served.name, found.origin

        run_id = hosted.record.id
        assert meant("pulsar") == ("endpoint", "pulsar", "main, one of 3")
        assert meant("pulsar", "beside")[2] == "beside, one of 3"
        assert meant("pulsar", "part")[2] == "part, one of 3"
        assert meant(small) == ("model", small, f"run {run_id}, step small")
        for text in ("group", "group:1", "group/1", arn):
            assert meant(text) == (
                "model package",
                "group version 1",
                f"run {run_id}, step register",
            )
        assert find_target(store, "group").served.content_types == ("text/csv",)
        for text, part, told in (
            ("pulsra", "", "did you mean `pulsar`"),
            ("pulsar", "none", "has no variant or component `none` with a model; it has main"),
            ("group", "main", "is no endpoint"),
            ("group:2", "", "has no version 2; it has 1"),
            ("group:x", "", "a version is a number"),
            ("latest", "", "made several; name one of"),
        ):
            with pytest.raises(UsageError, match=re.escape(told)):
                find_target(store, text, part)


def test_a_run_with_one_model_and_a_model_without_container(run: Run, place: Any) -> None:
    objects = ObjectStore(place.store / "s3")
    objects.put("s3://bucket/model.tar.gz", archive({"m": b""}))
    ran = run(document(model("one", PrimaryContainer=CONTAINER)))
    empty = run(document({"Name": "empty", "Type": "Model",
                          "Arguments": {"ExecutionRoleArn": "arn:aws:iam::1:role/x"}}))  # fmt: skip
    with read_store(place.store) as store:
        assert find_target(store, ran.record.id).served.containers[0].image == SKLEARN
        with pytest.raises(ExecutionFailed, match="has no container"):
            find_target(store, empty.record.id)


class Served:
    """A running `sagedag serve`, its output read line by line."""

    def __init__(self, folder: Path, *words: str) -> None:
        command = [sys.executable, "-m", "pipelines", "serve", *words]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                self.ready.set()

    def wait(self) -> int:
        assert self.ready.wait(60), self.lines
        address = next(line for line in self.lines if line.startswith("Address"))
        return int(address.rpartition(":")[2].partition("/")[0])


@pytest.fixture
def serve(place: Any) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def start(*words: str) -> Served:
        made.append(Served(place.folder, *words))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.wait()


def test_serving_an_endpoint_until_it_is_stopped(
    hosted: Any, place: Any, serve: Callable[..., Served]
) -> None:
    served = serve("pulsar", "--port", "0", "--workers", "2")
    connection = http.client.HTTPConnection("127.0.0.1", served.wait(), timeout=20)
    headers = {"Content-Type": "text/csv", "Accept": "text/csv"}
    connection.request("POST", "/invocations", b"1,1,1\n", headers)
    assert connection.getresponse().read() == b"111.0\n"
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(30) == 0
    assert "Serving    pulsar (endpoint; main, one of 3)" in served.lines
    assert served.lines[-1].startswith("stopping: ")
    assert list((place.store / "serving").iterdir()) == []


def test_a_server_that_is_killed_leaves_nothing_behind(
    hosted: Any, place: Any, serve: Callable[..., Served]
) -> None:
    served = serve("pulsar", "--port", "0")
    port = served.wait()
    served.process.kill()
    served.process.wait()
    for _ in range(200):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) != 0:
                break
        threading.Event().wait(0.05)
    else:
        raise AssertionError("the model server outlived its runner")
    left = list((place.store / "serving").iterdir())
    assert len(left) == 1
    mine = serving_folder(place.store)
    assert list((place.store / "serving").iterdir()) == [mine]


def test_a_taken_port_and_a_broken_model(
    hosted: Any, place: Any, serve: Callable[..., Served]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        served = serve("pulsar", "--port", str(port))
        assert served.process.wait(30) == 2
    assert f"port {port} cannot be used" in served.lines[0]
    files = {"code/inference.py": b"import nowhere"}
    ObjectStore(place.store / "s3").put("s3://bucket/model.tar.gz", archive(files))
    broken = serve("pulsar", "--port", "0", "--workers", "1")
    assert broken.process.wait(60) == 5
    text = "\n".join(broken.lines)
    assert "the model server ended with exit code 1" in text
    assert "No module named 'nowhere'" in text
