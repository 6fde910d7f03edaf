"""The guard that lets the producers reach moto's server alone does guard."""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.request
from pathlib import Path

import pytest
import surroundings


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("169.254.169.254", 80)])
def test_other_addresses_are_refused(address: tuple[str, int]) -> None:
    with (
        surroundings.only_loopback(),
        socket.socket() as tried,
        pytest.raises(surroundings.OutsideConnectionError),
    ):
        tried.connect(address)


def test_other_names_are_not_looked_up() -> None:
    with (
        surroundings.only_loopback(),
        pytest.raises(surroundings.OutsideConnectionError),
    ):
        socket.create_connection(("sts.us-east-1.amazonaws.com", 443))


def test_the_server_is_reached_and_the_machine_left_as_it_was(aws: str, tmp_path: Path) -> None:
    before = dict(os.environ)
    connect = socket.socket.connect
    with surroundings.sdk_surroundings(aws, tmp_path):
        assert os.environ["AWS_ENDPOINT_URL"] == aws
        with urllib.request.urlopen(f"{aws}/moto-api/") as answer:
            assert answer.status == 200
    assert dict(os.environ) == before
    assert socket.socket.connect is connect


def test_a_hidden_attempt_is_told_in_the_end(aws: str, tmp_path: Path) -> None:
    with (
        pytest.raises(surroundings.OutsideConnectionError, match="hid"),
        surroundings.sdk_surroundings(aws, tmp_path),
        contextlib.suppress(surroundings.OutsideConnectionError),
    ):
        socket.create_connection(("sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com", 443))
