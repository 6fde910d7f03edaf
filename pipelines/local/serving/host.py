"""A model server in a job: started, asked, stopped."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.local.isolation import ML
from pipelines.local.jobs import JobContext, JobFailed, JobStopped
from pipelines.local.jobs.material import read_message
from pipelines.local.jobs.process import Command, run_command
from pipelines.local.serving.containers import Container
from pipelines.local.serving.layout import (
    MODEL,
    PACKAGE,
    image_kind,
    lay_out,
    place_program,
)
from pipelines.local.serving.program.settings import VARIABLE, Settings

LOOPBACK = "127.0.0.1"

START_SECONDS = 240.0
"""How long a model may take to be ready. **[U]** The service's own limit differs by instance."""

DRAIN_SECONDS = 20.0
"""How long a stop waits for what is being answered."""

PORT_FILE = "serving/port"

# The interpreter's folder of the program comes last, so that no module of the user's is hidden.
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    f"from {PACKAGE} import settings, workers; sys.exit(workers.serve(settings.read_settings()))"
)


@dataclass(frozen=True)
class HostSettings:
    """How a model is served.

    Attributes:
        port: where to listen on the loopback address; 0 for any free port.
        workers: processes that each make one prediction at a time.
        max_bytes: the longest request; 0 for no limit.
        content_types: the types a request may have; empty where the script decides.
        environment: variables of the contract, such as those of a batch transform.
    """

    port: int = 0
    workers: int = 1
    max_bytes: int = 6 << 20
    content_types: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    content_type: str
    body: bytes

    @property
    def reason(self) -> str:
        """Why it refused, as it says it."""
        text = self.body.decode("utf-8", "replace")
        try:
            return str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError):
            return text[:2000]


class _Either(threading.Event):
    """Set when it is set itself, or when the caller's event is."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()


class Host:
    """A container of a model, served by a job.

    Args:
        container: what is served.
        context: where and as what the job runs; its folder is empty.
        settings: how it is served.
    """

    def __init__(self, container: Container, context: JobContext, settings: HostSettings) -> None:
        self._container = container
        self._stop = _Either(context.cancelled)
        # The server needs its time to drain before it is killed.
        grace = max(context.grace, DRAIN_SECONDS + 2)
        self._context = replace(context, cancelled=self._stop, grace=grace)
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._code: int | None = None
        self._failure: BaseException | None = None
        # A connection for each thread that asks; all of them end with the server.
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self.port = 0

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, seconds: float = START_SECONDS) -> None:
        """Start the server and wait until it is ready.

        Raises:
            JobFailed: the model cannot be laid out, or its server ended or is not ready in time.
            JobStopped: the caller cancelled it.
        """
        command = self._command()
        self._thread = threading.Thread(target=self._run, args=(command,), name="host")
        self._thread.start()
        try:
            self._wait_until_ready(time.monotonic() + seconds, seconds)
        except BaseException:
            self.stop()
            raise

    def invoke(self, body: bytes, content_type: str, accept: str, seconds: float = 600.0) -> Answer:
        """Ask for predictions.

        Raises:
            JobFailed: the server is gone, or does not answer in time.
            JobStopped: the caller cancelled it.
        """
        headers = {"Content-Type": content_type, "Accept": accept or "*/*"}
        try:
            return self._call("POST", "/invocations", body, headers, seconds)
        except OSError as problem:
            self._raise_if_ended()
            raise JobFailed(
                f"AlgorithmError: the model server did not answer: {problem}", self._context.log
            ) from None

    def execution_parameters(self) -> dict[str, Any]:
        """Return what the server recommends for batch transforms; nothing where it does not."""
        try:
            answer = self._call("GET", "/execution-parameters", None, {}, 10)
            found = json.loads(answer.body) if answer.status == 200 else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def stop(self) -> None:
        """End the server once it has answered what it began."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for connection in list(self._connections):
            connection.close()

    def wait(self, seconds: float) -> bool:
        """Wait for the server to end by itself; whether it did."""
        assert self._thread is not None
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def raise_end(self) -> None:
        """Raise how a server that ended by itself came to its end.

        Raises:
            JobFailed: it ended, with what exit status.
            JobStopped: it was asked to.
        """
        self._raise_if_ended()

    def _command(self) -> Command:
        code = lay_out(self._container, self._context)
        folder = place_program(self._context)
        settings = Settings(
            port=self._settings.port,
            port_file=f"{ML}/{PORT_FILE}",
            workers=self._settings.workers,
            max_bytes=self._settings.max_bytes,
            image=image_kind(self._container),
            code=code.folder,
            script=code.script,
            model=MODEL,
            content_types=self._settings.content_types,
            batch=(self._settings.environment or {}).get("SAGEMAKER_BATCH") == "true",
            drain_seconds=DRAIN_SECONDS,
        )
        environment = {
            "SAGEMAKER_REGION": self._context.region,
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            "PYTHONPATH": f"{code.folder}:{code.folder}/lib",
            **self._container.environment,
            **(self._settings.environment or {}),
            VARIABLE: settings.to_json(),
        }
        place = code.folder if code.script else "/tmp"  # noqa: S108 - the job's own
        listed = [self._context.ml.joinpath(*Path(code.folder).parts[3:]) / "requirements.txt"]
        interpreter = self._context.environments.interpreter(
            self._container.image, listed if code.script else [], self._context
        )
        argv = ("python3", "-c", _START, str(folder))
        return Command(argv, environment, place, None, interpreter)

    def _run(self, command: Command) -> None:
        try:
            self._code = run_command(command, self._context)
        except BaseException as problem:  # noqa: BLE001 - raised by whoever waits
            self._failure = problem

    def _wait_until_ready(self, deadline: float, seconds: float) -> None:
        while time.monotonic() < deadline:
            if not self.alive:
                self._raise_if_ended()
            text = read_message(self._context.ml / PORT_FILE, 8)
            if text is not None and text.isdigit() and 0 < int(text) < 65536:
                self.port = int(text)
                try:
                    if self._call("GET", "/ping", None, {}, 1).status == 200:
                        return
                except OSError:
                    # The model is still being loaded.
                    pass
            time.sleep(0.02)
        raise JobFailed(
            f"AlgorithmError: the model server was not ready after {seconds:g} s", self._context.log
        )

    def _raise_if_ended(self) -> None:
        """Tell why the server is gone; it may take a moment to be seen gone."""
        if self._thread is not None:
            self._thread.join(0.5)
        if self.alive:
            return
        if self._failure is not None:
            raise self._failure
        if self._stop.is_set():
            raise JobStopped
        raise JobFailed(
            f"AlgorithmError: the model server ended with exit code {self._code}",
            self._context.log,
            self._code,
        )

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
    ) -> Answer:
        """Ask over this thread's connection; a kept one that has gone stale is opened anew."""
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        for fresh in (False, True) if kept is not None else (True,):
            asked = self._connect() if fresh or kept is None else kept
            asked.timeout = seconds
            if asked.sock is not None:
                asked.sock.settimeout(seconds)
            try:
                asked.request(method, path, body, dict(headers))
                answer = asked.getresponse()
                kind = answer.headers.get("Content-Type") or ""
                return Answer(answer.status, kind, answer.read())
            except (http.client.HTTPException, OSError) as problem:
                asked.close()
                self._local.connection = None
                self._connections.remove(asked)
                if fresh or isinstance(problem, TimeoutError):
                    raise OSError(str(problem) or type(problem).__name__) from None
        raise AssertionError

    def _connect(self) -> http.client.HTTPConnection:
        made = http.client.HTTPConnection(LOOPBACK, self.port)
        self._local.connection = made
        self._connections.append(made)
        return made
