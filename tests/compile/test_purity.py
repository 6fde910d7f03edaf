"""Compiling is pure: same input, same bytes; no network, no credentials, nothing of the machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from compiled_cases import PULSAR, REPOSITORY
from pure_runs import Surroundings, copy_of_checkout, hostile_home, without_network

import pipelines
from steps import _sdk
from steps._sdk.names import installed_major

COMPILE = ("compile", "definitions/pulsar", "--env", "dev")
MINUTE = 60


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[int, str, str]]]:
    """Exit code, output and errors of every surroundings' compilation; two run at a time."""
    folder = tmp_path_factory.mktemp("pure")
    blocked = without_network(folder / "blocked")
    old = copy_of_checkout(folder / "an old/check out", age=400 * 86400, mode=0o600)
    new = copy_of_checkout(folder / "new", mode=0o777)
    surroundings = {
        "here": Surroundings(REPOSITORY, environment={"PYTHONHASHSEED": "1", "HOME": "/"}),
        "old": Surroundings(
            old,
            environment={"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo"},
            umask=0o077,
        ),
        "bare": Surroundings(new, extra=blocked),
        "hostile": Surroundings(
            new,
            extra=blocked,
            environment={
                **hostile_home(folder / "home"),
                "PYTHONHASHSEED": "3",
                "LC_ALL": "tr_TR.UTF-8",
                "TZ": "America/Lima",
                "PYTHONWARNINGS": "ignore",
            },
            umask=0,
        ),
    }
    results = {}
    names = list(surroundings)
    for pair in (names[:2], names[2:]):
        started = {name: surroundings[name].start(*COMPILE) for name in pair}
        for name, process in started.items():
            output, errors = process.communicate(timeout=2 * MINUTE)
            results[name] = (process.returncode, output, errors)
    yield results


@pytest.mark.parametrize("name", ["here", "old", "bare", "hostile"])
def test_compiling_works_and_says_nothing_else(
    runs: dict[str, tuple[int, str, str]], name: str
) -> None:
    code, output, errors = runs[name]
    assert (code, errors) == (0, "")
    assert json.loads(output)["Version"] == "2020-12-01"


@pytest.mark.parametrize("name", ["old", "bare", "hostile"])
def test_the_bytes_are_the_same_everywhere(
    runs: dict[str, tuple[int, str, str]], name: str
) -> None:
    assert runs[name][1] == runs["here"][1]


def test_compiling_in_this_process_gives_the_same_bytes(
    runs: dict[str, tuple[int, str, str]],
) -> None:
    assert pipelines.compile(PULSAR, environment="dev").definition_json == runs["here"][1]


def test_nothing_of_the_machine_is_in_the_bytes(runs: dict[str, tuple[int, str, str]]) -> None:
    for word in (str(REPOSITORY), "/home/", "/tmp", "hostile", "mars", "offline"):
        assert word not in runs["here"][1]


def test_the_network_guard_of_these_tests_bites(tmp_path: Path) -> None:
    blocked = Surroundings(REPOSITORY, extra=without_network(tmp_path))
    program = "import socket; socket.socket().connect(('127.0.0.1', 9))"
    process = blocked.run_python(["-c", program])
    _, errors = process.communicate(timeout=MINUTE)
    assert process.returncode != 0
    assert "NETWORK" in errors


LIGHT = [
    ("validate", "definitions/pulsar"),
    ("graph", "definitions/pulsar"),
    ("schema",),
    ("explain", "Training"),
]


def test_light_commands_import_no_sdk() -> None:
    """`sagemaker`, `boto3` and `botocore` take seconds; these commands never load them."""
    program = (
        "import contextlib, io\n"
        "from pipelines.cli import main\n"
        f"for arguments in {LIGHT!r}:\n"
        "    sys.argv = ['sagedag', *arguments]\n"
        "    out, err = io.StringIO(), io.StringIO()\n"
        "    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):\n"
        "        try:\n"
        "            main()\n"
        "        except SystemExit as end:\n"
        "            assert end.code in (0, None), (arguments, end.code)\n"
        "    for name in ('sagemaker', 'boto3', 'botocore'):\n"
        "        assert name not in sys.modules, (arguments, name)\n"
    )
    process = Surroundings(REPOSITORY).run_python(["-c", program])
    _, errors = process.communicate(timeout=MINUTE)
    assert (process.returncode, errors) == (0, "")


# --- Inside this process ---


def test_the_process_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "my-key")
    monkeypatch.delenv("AWS_REGION", raising=False)
    before = dict(os.environ)
    with _sdk.offline("eu-west-1"):
        assert os.environ["AWS_REGION"] == "eu-west-1"
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ACCESS_KEY_ID"] != "my-key"
    assert dict(os.environ) == before


def test_the_process_environment_is_put_back_after_an_exception() -> None:
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), _sdk.offline("eu-west-1"):
        raise ZeroDivisionError
    assert dict(os.environ) == before
    pipelines.compile(PULSAR, environment="dev")
    assert dict(os.environ) == before


def test_offline_nests() -> None:
    before = dict(os.environ)
    with _sdk.offline("eu-west-1"):
        with _sdk.offline("us-east-1"):
            assert os.environ["AWS_REGION"] == "us-east-1"
        assert os.environ["AWS_REGION"] == "eu-west-1"
    assert dict(os.environ) == before


def test_no_telemetry_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK sends telemetry by fetching a URL; neither that nor any request may happen."""
    import requests
    import urllib3

    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError(f"a request: {arguments} {named}")

    monkeypatch.setattr(requests.Session, "request", refuse)
    monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", refuse)
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", refuse)
    place = {3: "sagemaker.core.telemetry", 2: "sagemaker.telemetry"}[installed_major().number]
    monkeypatch.setattr(f"{place}.telemetry_logging._requests_helper", refuse)
    compiled = pipelines.compile(PULSAR, environment="dev")
    with _sdk.offline("us-east-1"):
        assert compiled.pipeline.definition()


def test_compiling_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    pipelines.compile(PULSAR, environment="dev")
    assert capfd.readouterr() == ("", "")
