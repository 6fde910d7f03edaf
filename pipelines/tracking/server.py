"""An MLflow server on the loopback address, for the jobs of one run.

Jobs cannot write the store themselves where they are kept apart; their own calls of MLflow reach it
through this server. It lives as long as the run's process does, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

READY_WITHIN = 120.0
"""Seconds that a server may take to answer; importing MLflow takes most of them."""

_ATTEMPTS = 3
"""A port that was free may be taken by another program before the server has it."""


class ServerFailed(Exception):
    """The server did not come up; the text says why."""


class Server:
    """A server process.

    Args:
        command: gives its command line for a port.
        variables: its environment.
        log: the file that gets its output.
    """

    def __init__(
        self, command: Callable[[int], Sequence[str]], variables: dict[str, str], log: Path
    ) -> None:
        self._command = command
        self._variables = variables
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start it and wait until it answers.

        Returns:
            Its address.

        Raises:
            ServerFailed: it ended, or does not answer.
        """
        deadline = time.monotonic() + READY_WITHIN
        for _ in range(_ATTEMPTS):
            port = _free_port()
            self._launch(port)
            address = f"http://127.0.0.1:{port}"
            while self._lives():
                if _answers(address):
                    return address
                if time.monotonic() > deadline:
                    self.stop()
                    raise ServerFailed(f"it does not answer; its log: {self._log}")
                time.sleep(0.1)
            self.stop()
        raise ServerFailed(f"it ended at once; its log: {self._log}")

    def stop(self) -> None:
        """Stop it, and whatever it started."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait()

    def _launch(self, port: int) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        guard = Path(__file__).with_name("guarded.py")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(guard), *self._command(port)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._variables,
                cwd=self._log.parent,
                # Ctrl-C means the run; the server goes once the last job has logged.
                start_new_session=True,
            )

    def _lives(self) -> bool:
        return self._process is not None and self._process.poll() is None


def server_environment(quiet: dict[str, str]) -> dict[str, str]:
    """Return the server's variables: the user's without secrets and without MLflow's own."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **quiet}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
    return port


def _answers(address: str) -> bool:
    # The user's proxy is not asked for a server of this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
