"""AWS for tests: moto's server over real HTTP, in this process, on a free port.

How to use it::

    def test_something(aws, clients):
        clients.call("sagemaker:CreatePipeline", "pipeline p", PipelineName="p", …)
        assert aws.count() == {"sagemaker:CreatePipeline": 1}
        assert aws.writes == ["sagemaker:CreatePipeline"]

- ``aws``: the server (``moto_server.AwsServer``), empty at each test's start. ``aws.url`` is its
  address, ``aws.requests`` and ``aws.count()`` what was asked, ``aws.writes`` what changed
  something, ``aws.forget_requests()`` begins counting anew. Moto's server is one per test process.
- ``aws.fail_at(7, Fault("ThrottlingException", 400))`` lets the eighth request go wrong,
  ``aws.fail_on("s3:PutObject", Fault(drop=True))`` those of a kind; ``Fault(after=True)`` takes
  effect and loses the answer, ``Fault(kill=pid)`` kills the process that asked.
- ``aws.lacks``: what moto lacks, and its state: ``aws.lacks.versions``,
  ``aws.lacks.executions[arn]`` (set ``.status`` and ``.steps``),
  ``aws.lacks.first_status = "Executing"`` before a start.
- ``clients``: this tool's own clients for the environment ``dev`` (account 123456789012,
  us-east-1, the bucket ``dev-bucket``, which exists).
- ``aws_variables`` is what a process needs to use the server: ``subprocess.run(…, env=…)``. It is
  set in this process as well, so ``boto3.client("sagemaker")`` works in a test.
- ``project``: a folder with environments.yaml (``dev`` at the server) and a definition;
  ``project_of(tmp_path, aws.url)`` makes more of them.

Calls are tried once (AWS_MAX_ATTEMPTS=1), so that a fault is seen by the code under test; set it
anew with ``monkeypatch.setenv`` where retries are what is tested.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import pytest
from cloud_project import write_project
from moto_server import ACCOUNT, AwsServer

from pipelines.cloud.client import Clients, Place, connect


def shared_clients(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes a client once for everything that it depends on."""
    made: dict[Any, Any] = {}

    def client(self: Any, service: str, *words: Any, **given: Any) -> Any:
        variables = [
            (k, v)
            for k, v in sorted(os.environ.items())
            if k.startswith("AWS_") or k.lower().endswith("_proxy")
        ]
        key = (service, self.profile_name, self.region_name, str(words), str(variables))
        key += (
            given.get("endpoint_url"),
            str(vars(given.get("config"))) if "config" in given else "",
        )
        if key not in made:
            made[key] = make(self, service, *words, **given)
        return made[key]

    return client


@pytest.fixture(scope="session")
def aws_server() -> Iterator[AwsServer]:
    """Moto's server, one for all tests of this process; use ``aws``."""
    server = AwsServer()
    # Reading the services' models is most of what a new session takes, and every command makes
    # one: in a test process they are read once, and so are clients made.
    with pytest.MonkeyPatch.context() as patch:
        loader = botocore.loaders.create_loader()
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        patch.setattr(boto3.Session, "client", shared_clients(boto3.Session.client))
        yield server
    server.stop()


@pytest.fixture
def aws_variables(aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that lead to the server, set here and returned for other processes."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "SAGEDAG_ENV", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    given = {
        "AWS_ENDPOINT_URL": aws_server.url,
        "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
        "AWS_SECRET_ACCESS_KEY": "test-secret-key-that-nobody-may-see-0001",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_MAX_ATTEMPTS": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


@pytest.fixture
def aws(aws_server: AwsServer, aws_variables: dict[str, str]) -> AwsServer:
    """The server, empty but for the bucket ``dev-bucket``."""
    import boto3

    aws_server.reset()
    boto3.client("s3").create_bucket(Bucket="dev-bucket")
    aws_server.forget_requests()
    return aws_server


@pytest.fixture
def place() -> Place:
    """The environment ``dev``."""
    return Place("dev", ACCOUNT, "us-east-1", bucket="dev-bucket", prefix="team")


@pytest.fixture
def clients(aws: AwsServer, place: Place) -> Clients:
    """This tool's clients for ``dev``."""
    return connect(place)


@pytest.fixture
def project(tmp_path: Path, aws: AwsServer) -> Path:
    """A folder with environments.yaml and the definition ``line``: two steps and a schedule."""
    return write_project(tmp_path / "project", aws.url)
