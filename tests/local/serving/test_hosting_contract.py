"""The hosting contract over HTTP: what is answered, what refused, and that the server lives on."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from serving_place import Place, archive

from pipelines.local.isolation import probe_all
from pipelines.local.jobs import JobFailed, JobStopped
from pipelines.local.serving import Answer, Host

CSV = "text/csv"


def ask(host: Host, method: str, path: str, body: object = None, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named, encode_chunked=isinstance(body, list))  # type: ignore[arg-type]
    answer = connection.getresponse()
    found = Answer(answer.status, answer.headers.get("Content-Type") or "", answer.read())
    connection.close()
    return found


def test_a_thousand_requests_are_answered_right(host: Host) -> None:
    def work(number: int) -> tuple[int, float]:
        answer = host.invoke(f"{number},2,3\n".encode(), CSV, CSV)
        return answer.status, float(answer.body)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(1000)))
    assert found == [(200, number + 320.0) for number in range(1000)]


def test_ping_parameters_and_types(host: Host) -> None:
    assert ask(host, "GET", "/ping") == Answer(200, "text/plain", b"")
    parameters = json.loads(ask(host, "GET", "/execution-parameters").body)
    assert parameters["BatchStrategy"] == "MULTI_RECORD"
    assert parameters["MaxConcurrentTransforms"] == 2
    anything = ask(host, "POST", "/invocations", b"1,1,1", Content_Type=CSV)
    assert (anything.content_type, json.loads(anything.body)) == (
        "application/json",
        {"predictions": [111.0]},
    )
    csv = ask(host, "POST", "/invocations", b"1,1,1\n2,2,2", Content_Type=CSV, Accept=CSV)
    assert (csv.content_type, csv.body) == (CSV, b"111.0\n222.0\n")
    chunked = ask(host, "POST", "/invocations", [b"1,1", b",1\n"], Content_Type=CSV, Accept=CSV)
    assert chunked.body == b"111.0\n"


def test_what_is_refused_is_told_and_the_server_lives_on(host: Host) -> None:
    def refused(body: bytes, kind: str = CSV) -> tuple[int, str]:
        answer = host.invoke(body, kind, CSV)
        assert json.loads(answer.body)["error"] == answer.reason
        return answer.status, answer.reason

    assert refused(b"1,2") == (
        400,
        "predict_fn: ValueError: a row has 2 numbers instead of 3",
    )
    status, reason = refused(b"1,two,3")
    assert (status, "could not convert string to float: 'two'" in reason) == (400, True)
    status, reason = refused(b"{}", "application/x-image")
    assert (status, "application/x-image is not supported" in reason) == (415, True)
    assert refused(b"\xff\xfe")[0] == 400
    assert refused(b"6670,0,0")[0] == 500
    status, reason = refused(b"6680,0,0")
    assert (status, "KeyError: 'a mistake of the script'" in reason) == (500, True)
    assert host.invoke(b"1,1,1", CSV, CSV).body == b"111.0\n"


def test_wrong_paths_methods_and_lengths(host: Host) -> None:
    assert ask(host, "GET", "/else").status == 404
    assert ask(host, "POST", "/else", b"x").status == 404
    assert ask(host, "GET", "/invocations").status == 405
    assert ask(host, "POST", "/ping", b"").status == 405
    assert ask(host, "DELETE", "/invocations").status == 501
    big = ask(host, "POST", "/invocations", b"1,1,1\n" * 20_000, Content_Type=CSV)
    assert (big.status, big.reason) == (413, "the request is longer than 100,000 bytes")
    many = ask(host, "POST", "/invocations", [b"1,1,1\n" * 10_000] * 2, Content_Type=CSV)
    assert many.status == 413
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as raw:
        raw.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 411 " in raw.recv(100)
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as raw:
        raw.sendall(b"nonsense\r\n\r\n" + b"\0" * 2000)
        assert raw.recv(100)
    assert host.invoke(b"1,1,1", CSV, CSV).body == b"111.0\n"


def test_idle_connections_hold_up_nobody(host: Host) -> None:
    idle = [socket.create_connection(("127.0.0.1", host.port)) for _ in range(30)]
    try:
        assert host.invoke(b"1,1,1", CSV, CSV).status == 200
    finally:
        for each in idle:
            each.close()


def test_the_runtime_api_s_client_may_ask(host: Host) -> None:
    import boto3

    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{host.port}",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    answer = client.invoke_endpoint(
        EndpointName="mine", Body=b"1,1,1", ContentType=CSV, Accept="application/json"
    )
    assert json.loads(answer["Body"].read()) == {"predictions": [111.0]}


def test_a_worker_that_dies_is_replaced(model_place: Place) -> None:
    host = model_place.host(workers=1)
    with pytest.raises(JobFailed, match="did not answer"):
        host.invoke(b"6660,0,0", CSV, CSV)
    assert host.invoke(b"1,1,1", CSV, CSV).body == b"111.0\n"
    assert any("another one takes its place" in line for line in model_place.lines)


def test_a_stop_answers_what_was_begun(model_place: Place) -> None:
    host = model_place.host(workers=1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(host.invoke, b"-0.7,1,1", CSV, CSV)
        time.sleep(0.3)
        host.stop()
        assert slow.result().body == b"109.3\n"
    assert not host.alive
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", host.port), timeout=1)


def test_cancelling_ends_the_start(model_place: Place) -> None:
    model_place.objects.put("s3://bucket/slow.tar.gz", archive({"serve.py": b"import time\n"
                            b"def model_fn(folder):\n    time.sleep(60)\n"}))  # fmt: skip
    environment = {**model_place.container().environment}
    environment["SAGEMAKER_SUBMIT_DIRECTORY"] = "s3://bucket/slow.tar.gz"
    host = model_place.idle_host(model_place.container(environment=environment))
    threading.Timer(0.5, model_place.cancelled.set).start()
    with pytest.raises(JobStopped):
        host.start()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("raise RuntimeError('no such library')", "no such library"),
        ("def predict_fn(rows, model): pass", "defines no model_fn"),
        ("def model_fn(folder): 1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(4)", "another one takes its place"),
    ],
)
def test_a_model_that_cannot_be_loaded_ends_the_start(
    model_place: Place, script: str, told: str
) -> None:
    model_place.objects.put("s3://bucket/code.tar.gz", archive({"serve.py": script.encode()}))
    host = model_place.idle_host()
    with pytest.raises(JobFailed, match="the model server ended with exit code 1"):
        host.start(30)
    assert any(told in line for line in model_place.lines), model_place.lines


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "s3://bucket/none.tar.gz"}, "nothing at s3://bucket/none.tar.gz"),
        ({"model": "s3://bucket/evil.tar.gz"}, "leaves the folder"),
        ({"environment": {"SAGEMAKER_PROGRAM": "no.py"}}, "'no.py' is not in the model's code"),
        ({"environment": {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/../etc"}}, "not lie below"),
        ({"environment": {}, "image": "1.dkr.ecr.x.amazonaws.com/linear-learner:1"},
         "what the image 'linear-learner' serves by itself is not known"),
    ],
)  # fmt: skip
def test_what_cannot_be_laid_out_is_told(
    model_place: Place, changes: dict[str, object], told: str
) -> None:
    model_place.objects.put("s3://bucket/evil.tar.gz", archive({"../evil": b"x"}))
    with pytest.raises(JobFailed, match=told):
        model_place.idle_host(model_place.container(**changes)).start()
    assert not list(Path(model_place.folder).rglob("evil"))


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(probe.name, marks=[] if probe.works else [pytest.mark.skip(probe.reason)])
        for probe in probe_all()
    ],
)
def test_every_mode_serves_code_inside_the_archive(tmp_path: Path, mode: str) -> None:
    from serving_place import SCRIPT

    place = Place(tmp_path, mode)
    files = {"weights.json": b"[1, 10, 100]", "code/inference.py": SCRIPT.encode()}
    place.objects.put("s3://bucket/whole.tar.gz", archive(files))
    try:
        host = place.host(place.container(model="s3://bucket/whole.tar.gz", environment={}))
        assert host.invoke(b"1,1,1", CSV, CSV).body == b"111.0\n"
    finally:
        place.close()


def test_a_slow_prediction_is_waited_for_by_the_thread_that_started(model_place: Place) -> None:
    # Whoever starts a server asks for its health with little patience, on the same connection.
    host = model_place.host(workers=1)
    assert host.invoke(b"-1.2,1,1", CSV, CSV).body == b"108.8\n"
