"""What the SageMaker SDK's producers need around them: an AWS that answers, and no way out.

AWS is moto's server on the loopback address; a connection to any other address raises
`OutsideConnectionError`, so that a test using this proves that nothing left the machine.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

ACCOUNT = "123456789012"
REGION = "us-east-1"
BUCKET = f"sagemaker-{REGION}-{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipelines"
CODE = Path(__file__).parent / "train-create-register" / "code" / "preprocess.py"


class OutsideConnectionError(RuntimeError):
    """Something tried to reach an address other than the loopback."""


@contextlib.contextmanager
def aws_server() -> Iterator[str]:
    """moto's server on a free port of the loopback address, gives its URL; stopped at the end."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextlib.contextmanager
def only_loopback() -> Iterator[list[str]]:
    """Let sockets connect to the loopback address alone, and no other name be looked up.

    Gives the list of what was refused: a caller may have swallowed the error.
    """
    refused: list[str] = []
    connect, connect_ex, look_up = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def allowed(host: object) -> bool:
        return str(host) in {"127.0.0.1", "::1", "localhost"}

    def refuse(what: str) -> None:
        refused.append(what)
        raise OutsideConnectionError(what)

    def check(self: socket.socket, address: Any) -> None:
        if self.family == socket.AF_UNIX or allowed(address[0]):
            return
        refuse(f"connection to {address}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host is not None and not allowed(host):
            refuse(f"name {host!r}")
        return look_up(host, *rest, **named)

    with (
        mock.patch.object(socket.socket, "connect", guarded_connect),
        mock.patch.object(socket.socket, "connect_ex", guarded_connect_ex),
        mock.patch.object(socket, "getaddrinfo", guarded_look_up),
    ):
        yield refused


@contextlib.contextmanager
def plain_surroundings(endpoint_url: str, scratch: Path) -> Iterator[None]:
    """What either SDK must find around it to work with `endpoint_url` and nothing else.

    Raises:
        OutsideConnectionError: the SDK tried to connect to anything else, and hid the error.
    """
    empty = scratch / "empty"
    empty.touch()
    settings = scratch / "sagemaker.yaml"
    settings.write_text(
        "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
    )
    surroundings = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # moto answers some checks of the role with an error: once is enough.
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(settings),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
        # Else SDK 3 calls iam:SimulatePrincipalPolicy, which moto does not answer.
        "SAGEMAKER_VALIDATE_ROLE": "false",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "true",
        "HOME": str(scratch),
        "NO_PROXY": "127.0.0.1,localhost",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (
        mock.patch.dict(os.environ, {**kept, **surroundings}, clear=True),
        only_loopback() as refused,
    ):
        yield
    if refused:
        raise OutsideConnectionError(f"the SDK tried, and hid the error: {refused}")


@contextlib.contextmanager
def sdk_surroundings(endpoint_url: str, scratch: Path) -> Iterator[None]:
    """What SDK 3 must find around it to work with `endpoint_url` and nothing else."""
    with plain_surroundings(endpoint_url, scratch):
        from sagemaker.core.config import config as sdk_config
        from sagemaker.core.config.config_manager import SageMakerConfig
        from sagemaker.core.helper import session_helper

        with (
            # The SDK hard-codes the address of STS, whatever AWS_ENDPOINT_URL says.
            mock.patch.object(session_helper, "sts_regional_endpoint", lambda _: endpoint_url),
            # Every look-up checks the whole configuration again: most of a producer's time.
            mock.patch.object(SageMakerConfig, "validate_sagemaker_config", lambda *_: None),
            mock.patch.object(sdk_config, "validate_sagemaker_config", lambda *_: None),
        ):
            yield
