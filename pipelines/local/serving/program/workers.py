"""The server's processes: one that watches, and workers that each load the model and serve."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any

from .http_server import Model, ModelServer
from .script import Script
from .settings import Settings
from .xgboost_image import XGBoostImage

LOOPBACK = "127.0.0.1"
CANNOT_START = 3
"""The exit status of a worker that could not load the model; starting it again would not help."""

MAX_DEATHS = 5
"""Workers that may die before they answered for a second, one after the other."""


def serve(settings: Settings) -> int:
    """Serve until SIGTERM; return the exit status."""
    listening = socket.create_server((LOOPBACK, settings.port), backlog=256)
    listening.setblocking(False)
    _announce(settings, listening.getsockname()[1])
    watch = _Watch(settings, listening)
    return watch.run()


class _Watch:
    """Starts workers, again when one dies, and ends them in order."""

    def __init__(self, settings: Settings, listening: socket.socket) -> None:
        self._settings = settings
        self._listening = listening
        self._workers: dict[int, float] = {}
        self._deaths = 0
        self._stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        for _ in range(self._settings.workers):
            self._start()
        failed = False
        while self._workers:
            try:
                process, status = os.wait()
            except ChildProcessError:
                break
            started = self._workers.pop(process, None)
            if started is None or self._stopping:
                continue
            code = os.waitstatus_to_exitcode(status)
            quick = time.monotonic() - started < 1
            self._deaths = self._deaths + 1 if quick else 0
            if code == CANNOT_START or self._deaths >= MAX_DEATHS:
                failed = True
                self._stop()
            else:
                print(f"a worker ended ({code}); another one takes its place", flush=True)
                self._start()
        return 1 if failed else 0

    def _start(self) -> None:
        # A stop must not come between the child's start and its own handling of signals.
        signals = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        process = os.fork()
        if process == 0:
            code = CANNOT_START
            try:
                code = _work(self._settings, self._listening)
            except BaseException:  # noqa: BLE001 - told, and the process ends
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        self._workers[process] = time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)

    def _stop(self) -> None:
        self._stopping = True
        for process in list(self._workers):
            os.kill(process, signal.SIGTERM)


def _work(settings: Settings, listening: socket.socket) -> int:
    """Load the model and serve until SIGTERM, then answer what was begun."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)

    def stop(*_: Any) -> None:
        os.write(wake, b"x")

    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        # Nothing is being answered yet: a stop ends the loading.
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    model, accept = _load(settings)
    for number in signals:
        signal.signal(number, stop)
    server = ModelServer(listening, model, settings, accept)
    while True:
        ready, _, _ = select.select([listening.fileno(), awake], [], [])
        if awake in ready:
            break
        server.handle_request()
    return 0 if server.drain(settings.drain_seconds) else 1


def _load(settings: Settings) -> tuple[Model, str]:
    """Return the model and the type of its answers where a request accepts any."""
    chosen = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
    if settings.script:
        return Script(settings.code, settings.script, settings.model), chosen or "application/json"
    assert settings.image == "xgboost"
    return XGBoostImage(settings.model, settings.batch), chosen or "text/csv"


def _announce(settings: Settings, port: int) -> None:
    """Write down the port, so that whoever reads it reads the whole of it."""
    temporary = settings.port_file + ".new"
    with open(temporary, "w", encoding="ascii") as stream:  # noqa: PTH123 - the isolation's path
        stream.write(str(port))
    os.replace(temporary, settings.port_file)  # noqa: PTH105 - the isolation's path
