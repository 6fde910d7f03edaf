"""Networks that fail: every command ends in bounded time, says why, and the next one converges."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from cloud_commands import Ran, sagedag
from moto_server import AwsServer, Fault
from weather_server import RESET, Asked, Behaviour, Weather, answer, service_of

from pipelines.cloud import client
from pipelines.cloud.client import Clients, Place, connect
from pipelines.cloud.refusals import Refused

PAGE = "<!DOCTYPE html>\n<html><head><title>Log in to the network</title></head></html>"
JSON = "Content-Type: application/x-amz-json-1.1"
IDENTITY = answer(
    "200 OK",
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>u</UserId>"
    "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
    "Content-Type: text/xml",
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.3)
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.3)


def known(behaviour: Behaviour) -> Behaviour:
    """Return what answers STS as it should, so that the rest is asked."""
    return lambda asked: IDENTITY if service_of(asked) == "sts" else behaviour(asked)


def clients_at(weather: Weather, monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("AWS_ENDPOINT_URL", weather.url)
    return connect(Place("dev", "123456789012", "us-east-1", bucket="dev-bucket"))


def timed(run: Any) -> tuple[Any, float]:
    begun = time.monotonic()
    return run(), time.monotonic() - begun


def test_the_waits_of_a_client_are_bounded(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What users get: half a minute for an answer, ten seconds to connect, six tries."""
    monkeypatch.undo()
    for name, value in (("AWS_ACCESS_KEY_ID", "x" * 20), ("AWS_SECRET_ACCESS_KEY", "y" * 40)):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_MAX_ATTEMPTS", raising=False)
    place = Place("dev", region="us-east-1")
    for service in ("sagemaker", "s3", "sts", "scheduler", "logs", "cloudwatch"):
        config = connect(place).client(service).meta.config
        assert (config.connect_timeout, config.read_timeout) == (10, 30)
        assert config.retries == {"mode": "standard", "total_max_attempts": 6}


DEPLOYS: dict[str, tuple[Behaviour, str, str]] = {
    "silence": (lambda _: None, "Read timeout on endpoint URL", "check the network"),
    "half a text": (
        known(lambda _: answer("200 OK", '{"PipelineArn": "arn:', JSON, length=400)),
        "the answer was not whole",
        "check the network",
    ),
    "half a text without length": (
        known(lambda _: b'HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n{"PipelineArn": "arn:'),
        "the answer was not whole",
        "check the network",
    ),
    "half of STS's": (lambda _: IDENTITY[:-90], "the answer was not whole", "check the network"),
    "half a head": (lambda _: b"HTTP/1.1 20", "the network failed", "check the network"),
    "no HTTP": (lambda _: b"SSH-2.0-OpenSSH_9.6\r\n", "the network failed", "check the network"),
    "reset": (lambda _: RESET, "the network failed", "it goes on where it stopped"),
    "closed": (lambda _: b"", "the network failed", "check the network"),
    "a login page": (
        lambda _: answer("200 OK", PAGE, "Content-Type: text/html; charset=utf-8"),
        "not AWS answered but something on the way to it with the page `Log in to the network`",
        "HTTPS_PROXY",
    ),
    "a login page to all but STS": (
        known(lambda _: answer("200 OK", PAGE, "Content-Type: text/html")),
        "not AWS answered",
        "AWS_ENDPOINT_URL are (now: http://127.0.0.1:",
    ),
    "a page without a body": (
        known(lambda _: answer("200 OK", "", "Content-Type: text/html")),
        "not AWS answered",
        "login page",
    ),
    "JSON of somebody else": (
        known(lambda _: answer("200 OK", '{"error": "log in"}', JSON)),
        "not AWS answered",
        "login page",
    ),
    "an empty object": (known(lambda _: answer("200 OK", "{}", JSON)), "not AWS answered", "proxy"),
    "a list": (known(lambda _: answer("200 OK", "[]", JSON)), "not AWS answered", "login page"),
    "XML that is none": (
        lambda _: answer("200 OK", "<a><b></a>", "Content-Type: text/xml"),
        "the answer was not whole",
        "check the network",
    ),
    "always 503": (
        known(lambda _: answer("503 Service Unavailable", "")),
        "the service failed (503)",
        "on AWS's side",
    ),
}


@pytest.mark.parametrize(("behaviour", "says", "advises"), DEPLOYS.values(), ids=DEPLOYS)
@pytest.mark.parametrize("command", ["plan", "upsert"])
def test_a_deploy_ends_and_says_why(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    behaviour: Behaviour,
    says: str,
    advises: str,
) -> None:
    with Weather(behaviour) as weather:
        monkeypatch.setenv("AWS_ENDPOINT_URL", weather.url)
        ran, seconds = timed(lambda: sagedag(project, command, "--env", "dev"))
    assert ran.code == 4, ran.err
    assert seconds < 20
    assert says in ran.err
    assert advises in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "name", ["silence", "reset", "half a text", "a login page", "an empty object", "always 503"]
)
@pytest.mark.parametrize("words", [("status", "line"), ("start", "line")])
def test_executions_say_it_as_well(
    project: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str
) -> None:
    behaviour, says, _ = DEPLOYS[name]
    with Weather(behaviour) as weather:
        monkeypatch.setenv("AWS_ENDPOINT_URL", weather.url)
        ran = sagedag(project, *words, "--env", "dev")
    if name == "an empty object" and words[0] != "start":  # that may be a list of nothing
        assert ran.code == 2, ran.err
        says = "has not run yet"
    else:
        assert ran.code == 4, ran.err
    assert says in ran.err


@pytest.mark.parametrize("times", [1, 5])
def test_what_passes_is_waited_out(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    seen: list[Asked] = []

    def behaviour(asked: Asked) -> bytes | None:
        seen.append(asked)
        if len(seen) > times:
            return answer("200 OK", '{"PipelineSummaries": []}', JSON)
        return (None, RESET, answer("503 Slow", ""), answer("500 Oh", PAGE), b"")[len(seen) % 5]

    with Weather(behaviour) as weather:
        found = clients_at(weather, monkeypatch)
        listed = found.pages("sagemaker:ListPipelines", "pipelines", "PipelineSummaries")
        assert list(listed) == []
    assert len(seen) == times + 1


def test_the_retries_end(aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    with Weather(lambda _: None) as weather:
        found = clients_at(weather, monkeypatch)
        with pytest.raises(Refused, match="Read timeout"):
            found.call("sagemaker:ListPipelines", "pipelines")
    assert len(weather.asked) == 6


def test_a_name_that_nobody_knows(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://sagemaker.us-esat-1.invalid")
    with pytest.raises(Refused, match="the network failed") as caught:
        connect(Place("dev", region="us-esat-1")).check_account()
    assert "check the region `us-esat-1`" in caught.value.hint


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:hunter22@127.0.0.1:9",
        "not a proxy",
        "http://",
        "ftp://127.0.0.1:9",
        "127.0.0.1:9",
    ],
)
def test_a_proxy_that_is_wrong(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)
    with pytest.raises(Refused) as caught:
        connect(Place("dev", region="us-east-1")).check_account()
    assert "HTTPS_PROXY" in caught.value.hint, caught.value.message
    assert "hunter22" not in caught.value.message + caught.value.hint


def test_a_proxy_that_wants_a_login(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Weather(lambda _: answer("407 Proxy Authentication Required", PAGE)) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with pytest.raises(Refused) as caught:
            connect(Place("dev", region="us-east-1")).check_account()
    assert proxy.asked[0].method == "CONNECT"
    assert "407 Proxy Authentication Required" in caught.value.message
    assert "HTTPS_PROXY" in caught.value.hint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody signed but itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, signed = folder / "key.pem", folder / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    request += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*request, "-keyout", str(key), "-out", str(signed)], check=True, capture_output=True
    )
    both = folder / "both.pem"
    both.write_text(key.read_text() + signed.read_text())
    return both


def test_a_certificate_that_is_not_trusted(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    with Weather(lambda _: IDENTITY, certificate) as weather:
        with pytest.raises(Refused, match="the network failed") as caught:
            clients_at(weather, monkeypatch).check_account()
        assert "AWS_CA_BUNDLE" in caught.value.hint
        # The way out is one.
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        assert clients_at(weather, monkeypatch).check_account().account == "123456789012"
        monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem")
        with pytest.raises(Refused) as caught:
            clients_at(weather, monkeypatch).check_account()
        assert "AWS_CA_BUNDLE" in caught.value.hint


@pytest.mark.parametrize("said", [RESET, b"", None], ids=["reset", "closed", "silent"])
def test_an_upload_is_cut_in_the_middle(
    aws_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, said: bytes | None
) -> None:
    from pipelines.cloud.publishing import put

    with Weather(lambda _: said, hasty=True) as weather:
        found = clients_at(weather, monkeypatch)
        with pytest.raises(Refused, match="the network failed") as caught:
            put(found, "s3://dev-bucket/team/a", b"x" * 20_000_000)
    assert caught.value.message.startswith("s3:PutObject (s3://dev-bucket/team/a): ")
    assert "it goes on where it stopped" in caught.value.hint


def test_an_upload_that_breaks_off_is_made_good(project: Path, aws: AwsServer) -> None:
    aws.fail_on("s3:PutObject", Fault(drop=True), times=1)
    broken = sagedag(project, "upsert", "--env", "dev", "--yes")
    assert broken.code == 4
    assert "s3:PutObject (s3://dev-bucket/" in broken.err
    assert "it goes on where it stopped" in broken.err
    assert sagedag(project, "upsert", "--env", "dev", "--yes").code == 0
    assert sagedag(project, "plan", "--env", "dev", "--detailed-exitcode").code == 0


def interrupted(project: Path, command: list[str], ready: Any, variables: dict[str, str]) -> Ran:
    """Run a command, press Ctrl-C when something is so, and return how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines", *command],
        cwd=project,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not ready() and time.monotonic() < end:
        time.sleep(0.05)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    return Ran(process.returncode, out, err)


@pytest.mark.parametrize("command", [["deploy"]])
def test_ctrl_c_while_aws_is_silent(
    project: Path, aws_variables: dict[str, str], command: list[str]
) -> None:
    with Weather(known(lambda _: None)) as weather:
        ran = interrupted(
            project,
            [*command, "--env", "dev"],
            lambda: len(weather.asked) > 1,
            {**aws_variables, "AWS_ENDPOINT_URL": weather.url},
        )
    assert ran.code == 130, ran.err
    assert "Traceback" not in ran.err + ran.out


@pytest.mark.parametrize("call", ["s3:PutObject", "sagemaker:CreatePipeline"])
def test_ctrl_c_in_the_middle_of_an_upsert(
    project: Path, aws: AwsServer, aws_variables: dict[str, str], call: str
) -> None:
    released = threading.Event()

    def hang(request: Any) -> None:
        if request.call == call:
            released.wait(20)

    aws.hook = hang
    ran = interrupted(
        project,
        ["upsert", "--yes", "--env", "dev"],
        lambda: call in aws.calls,
        aws_variables,
    )
    assert ran.code == 130, ran.err
    assert "interrupted; a part may have been done" in ran.err
    assert "run it again: it goes on where it stopped" in ran.err
    assert "Traceback" not in ran.err
    aws.hook = None
    released.set()
    time.sleep(0.5)  # what the server was doing ends
    assert sagedag(project, "upsert", "--env", "dev", "--yes").code == 0
    assert sagedag(project, "plan", "--env", "dev", "--detailed-exitcode").code == 0
    assert boto3.client("sagemaker").describe_pipeline(PipelineName="line")["PipelineDefinition"]
