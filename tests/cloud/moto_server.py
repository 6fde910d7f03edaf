"""Moto's server over real HTTP: every request counted, faults on demand, and what moto lacks.

The fixtures are in ``conftest.py``; begin there.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import moto_lacks
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

ACCOUNT = "123456789012"
"""The account that moto's credentials belong to."""

WRITES = re.compile(
    r"^(?!sts:)\w+:(Create|Update|Delete|Put|Add|Start|Stop|Retry|Tag|Untag|Register|Copy|Abort"
    r"|Complete|Upload)"
)


@dataclass(frozen=True)
class Request:
    """A request that the server received.

    Args:
        index: its number since the last reset, from 0.
        call: the API's name of it, ``sagemaker:CreatePipeline``, ``s3:PutObject``.
        body: what was sent: parsed JSON, or bytes for S3.
    """

    index: int
    call: str
    method: str
    path: str
    body: Any = field(repr=False)
    query: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return bool(WRITES.match(self.call))


@dataclass(frozen=True)
class Fault:
    """What a request is answered with instead of moto's answer.

    Args:
        code: the error's code, such as ``ThrottlingException``.
        status: the HTTP status.
        after: let moto do it first: the call took effect, and its answer is lost.
        drop: close the connection instead of answering.
        kill: send SIGKILL to this process first (the one under test).
    """

    code: str = "InternalFailure"
    status: int = 500
    message: str = "injected"
    after: bool = False
    drop: bool = False
    kill: int = 0


Hook = Callable[[Request], "Fault | None"]


class AwsServer:
    """Moto behind a WSGI layer that counts, injects and adds.

    Attributes:
        url: its address.
        requests: what came since the last :meth:`reset`.
        hook: asked for every request; a :class:`Fault` it returns happens.
        lacks: the parts that moto lacks, with their state (versions, executions' steps).
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.hook: Hook | None = None
        self.lacks = moto_lacks.Lacks()
        self._lock = threading.Lock()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def reset(self) -> None:
        """Forget everything: moto's state, the log, the hook."""
        self.hook = None
        status, _, _ = self._ask({"REQUEST_METHOD": "POST", "PATH_INFO": "/moto-api/reset"}, b"")
        assert status.startswith("200"), status
        self.lacks = moto_lacks.Lacks()
        self.requests.clear()

    def forget_requests(self) -> None:
        """Empty the log and begin counting anew; moto's state stays."""
        with self._lock:
            self.requests.clear()

    @property
    def calls(self) -> list[str]:
        """The calls in the order they came."""
        return [request.call for request in self.requests]

    def count(self) -> Counter[str]:
        """How often each call came."""
        return Counter(self.calls)

    @property
    def writes(self) -> list[str]:
        """The calls that change something, in their order."""
        return [request.call for request in self.requests if request.writes]

    def fail_at(self, index: int, fault: Fault) -> None:
        """Let the request with this number (from 0, since the last reset) go wrong."""
        self.hook = lambda request: fault if request.index == index else None

    def fail_on(self, call: str, fault: Fault, *, times: int = 1_000_000) -> None:
        """Let the first ``times`` requests of a kind go wrong."""
        left = [times]

        def decide(request: Request) -> Fault | None:
            if request.call != call or left[0] <= 0:
                return None
            left[0] -= 1
            return fault

        self.hook = decide

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        if not length and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read()
        call = name_of(environ, body)
        with self._lock:
            request = Request(
                len(self.requests),
                call,
                environ["REQUEST_METHOD"],
                environ.get("PATH_INFO", ""),
                _parsed(environ, body),
                environ.get("QUERY_STRING", ""),
            )
            self.requests.append(request)
        fault = self.hook(request) if self.hook else None
        if fault is not None:
            if fault.after:
                self._handle(environ, body, request)
            return _broken(fault, environ, start)
        status, headers, data = self._handle(environ, body, request)
        start(status, headers)
        return [data] if environ["REQUEST_METHOD"] != "HEAD" else []

    def _handle(
        self, environ: Mapping[str, Any], body: bytes, request: Request
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Answer from what moto lacks, else from moto; both learn of it."""

        def forward(changed: Any = None) -> tuple[str, list[tuple[str, str]], bytes]:
            data = body if changed is None else json.dumps(changed).encode()
            return self._ask(environ, data)

        with self.lacks.lock:
            own = self.lacks.answer(request.call, request.body, forward)
        if own is None:
            return forward()
        status, payload = own
        if isinstance(payload, bytes):
            return status, [("Content-Type", "application/x-amz-json-1.1")], payload
        data = json.dumps(payload).encode()
        return status, [("Content-Type", "application/x-amz-json-1.1")], data

    def _ask(
        self, environ: Mapping[str, Any], body: bytes
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Ask moto itself."""
        given: dict[str, Any] = {
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "QUERY_STRING": "",
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **environ,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        found: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            found.update(status=status, headers=headers)
            return lambda data: None

        answer = self._moto(given, start)
        try:
            data = b"".join(answer)
        finally:
            close = getattr(answer, "close", None)
            if close:
                close()
        return found["status"], found["headers"], data


class _Quiet(MotoRequestHandler):
    """Moto's handler without a line for every request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


def _broken(fault: Fault, environ: Mapping[str, Any], start: Any) -> Iterable[bytes]:
    """Answer with a fault."""
    if fault.kill:
        os.kill(fault.kill, signal.SIGKILL)
    if fault.kill or fault.drop:
        # What werkzeug still writes goes nowhere; the other side sees its connection end.
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        start("500 dropped", [("Connection", "close")])
        return []
    status = f"{fault.status} injected"
    service = _service(environ)
    if service == "s3":
        text = f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>"
        start(status, [("Content-Type", "application/xml")])
    elif service == "sts":
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{fault.code}</Code>"
            f"<Message>{fault.message}</Message></Error></ErrorResponse>"
        )
        start(status, [("Content-Type", "text/xml")])
    else:
        text = json.dumps({"__type": fault.code, "message": fault.message})
        start(
            status,
            [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", fault.code)],
        )
    return [text.encode()]


def _service(environ: Mapping[str, Any]) -> str:
    found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    return found.group(1) if found else "s3"


_S3 = {
    "GET": "GetObject",
    "PUT": "PutObject",
    "HEAD": "HeadObject",
    "DELETE": "DeleteObject",
    "POST": "PostObject",
}
_SCHEDULER = {
    ("GET", "schedules"): "ListSchedules",
    ("GET", "schedules/*"): "GetSchedule",
    ("POST", "schedules/*"): "CreateSchedule",
    ("PUT", "schedules/*"): "UpdateSchedule",
    ("DELETE", "schedules/*"): "DeleteSchedule",
    ("GET", "schedule-groups"): "ListScheduleGroups",
    ("GET", "schedule-groups/*"): "GetScheduleGroup",
    ("POST", "schedule-groups/*"): "CreateScheduleGroup",
    ("DELETE", "schedule-groups/*"): "DeleteScheduleGroup",
    ("GET", "tags/*"): "ListTagsForResource",
    ("POST", "tags/*"): "TagResource",
    ("DELETE", "tags/*"): "UntagResource",
}


def name_of(environ: Mapping[str, Any], body: bytes) -> str:
    """Return a request's name: ``service:Operation``."""
    service = _service(environ)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "").strip("/")
    if target:
        return f"{service}:{target.rpartition('.')[2]}"
    if service == "scheduler":
        head, _, rest = path.partition("/")
        return "scheduler:" + _SCHEDULER.get((method, head + ("/*" if rest else "")), method)
    if service == "s3":
        _, _, key = path.partition("/")
        if key:
            return f"s3:{_S3.get(method, method)}"
        if method == "GET":
            return (
                "s3:ListObjectsV2"
                if "list-type" in environ.get("QUERY_STRING", "")
                else "s3:GetBucket"
            )
        return f"s3:{'HeadBucket' if method == 'HEAD' else method.capitalize() + 'Bucket'}"
    action = parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
    return f"{service}:{action or method}"


def _parsed(environ: Mapping[str, Any], body: bytes) -> Any:
    if environ.get("HTTP_X_AMZ_TARGET") or _service(environ) == "scheduler":
        try:
            return json.loads(body or b"{}")
        except ValueError:
            return body
    return body


def main() -> None:
    """Serve until standard input ends; the first line printed is the address."""
    server = AwsServer()
    print(server.url, flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
