"""One worker's HTTP: ``/ping``, ``/invocations``, ``/execution-parameters``.

Source of the contract: Amazon SageMaker Developer Guide, "Use Your Own Inference Code with Hosting
Services" and "… with Batch Transform".
"""

from __future__ import annotations

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from . import formats
from .refusals import Refused
from .settings import Settings

IDLE_SECONDS = 75
MAX_DRAINED = 64 << 20
"""Bytes of a request that is too long which are read so that the client sees the answer."""

# The path of the runtime API, so that its clients (boto3's sagemaker-runtime) can call as well.
_INVOCATIONS = re.compile(r"/invocations|/endpoints/[^/]{1,63}/invocations")


class Model(Protocol):
    """What makes predictions."""

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the prediction for one request, and its type; raise Refused for none."""


class ModelServer(ThreadingHTTPServer):
    """The HTTP server of one worker.

    A connection has a thread of its own, so that idle ones hold up nobody; predictions are made one
    at a time, as in the images' workers.

    Args:
        listening: a socket that listens already.
        model: what makes predictions.
        settings: how to serve.
        accept: the type of an answer when the request accepts anything.
    """

    daemon_threads = True

    def __init__(
        self, listening: socket.socket, model: Model, settings: Settings, accept: str
    ) -> None:
        super().__init__(listening.getsockname(), _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.model = model
        self.settings = settings
        self.accept = accept
        self.turn = threading.Lock()
        self.draining = False
        self._answering = 0
        self._idle = threading.Condition()

    def begin_answer(self) -> None:
        """Note that a request is being answered."""
        with self._idle:
            self._answering += 1

    def end_answer(self) -> None:
        """Note that a request was answered."""
        with self._idle:
            self._answering -= 1
            self._idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until nothing is being answered; False when that takes too long."""
        self.draining = True
        with self._idle:
            return self._idle.wait_for(lambda: self._answering == 0, seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a client that went away."""


class _Connection(BaseHTTPRequestHandler):
    """One connection; the methods' names are those that the base class looks for."""

    protocol_version = "HTTP/1.1"
    server_version = "sagedag"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: ModelServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/ping":
            # A worker takes connections when it has loaded the model, so it is healthy.
            self._send(200, b"", "text/plain")
        elif path == "/execution-parameters":
            self._send(200, json.dumps(self._parameters()).encode(), formats.JSON)
        elif _INVOCATIONS.fullmatch(path):
            self._send_refusal(Refused(405, f"{path} takes POST"))
        else:
            self._send_refusal(Refused(404, f"there is no {path[:200]}"))

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.server.begin_answer()
        try:
            self._check_path(path)
            made, kind = self._answer(self._body())
            self._send(200, made, kind)
        except Refused as refused:
            self._send_refusal(refused)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            self.server.end_answer()

    def _check_path(self, path: str) -> None:
        if not _INVOCATIONS.fullmatch(path):
            # The body stays unread, so nothing can follow on this connection.
            self.close_connection = True
            known = path in ("/ping", "/execution-parameters")
            raise Refused(405 if known else 404, f"there is no POST {path[:200]}")

    def handle_expect_100(self) -> bool:
        """Tell the client to send the body; without the flush it would wait a second first."""
        going = super().handle_expect_100()
        self.wfile.flush()
        return going

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Print nothing for each request: the log is the model's."""

    def _answer(self, body: bytes) -> tuple[bytes, str]:
        content_type = self.headers.get("Content-Type") or formats.JSON
        kind = formats.media_type(content_type)
        allowed = self.server.settings.content_types
        if allowed and kind not in allowed:
            raise Refused(415, f"content type {content_type!r} is none of {', '.join(allowed)}")
        accept = self.headers.get("Accept") or ""
        if accept in ("", "*/*"):
            accept = self.server.accept
        try:
            with self.server.turn:
                return self.server.model.answer(body, content_type, accept)
        except Refused:
            raise
        except (Exception, SystemExit) as error:
            # Whatever a model does, the server answers and lives on.
            raise Refused(500, f"{type(error).__name__}: {error}") from error

    def _body(self) -> bytes:
        most = self.server.settings.max_bytes
        if (self.headers.get("Transfer-Encoding") or "").lower() == "chunked":
            return self._chunks(most)
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit():
            self.close_connection = True
            raise Refused(411, "the request says no Content-Length")
        if most and int(length) > most:
            self._skip(int(length))
            raise _too_long(most)
        found = self.rfile.read(int(length))
        if len(found) < int(length):
            raise ConnectionResetError
        return found

    def _chunks(self, most: int) -> bytes:
        found, total = bytearray(), 0
        while True:
            line = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                size = int(line, 16)
            except ValueError:
                self.close_connection = True
                raise Refused(400, "the request's chunks are broken") from None
            total += size
            if size == 0:
                while self.rfile.readline(1024).strip():
                    pass
                break
            if (most and total > MAX_DRAINED + most) or size > MAX_DRAINED:
                self.close_connection = True
                raise _too_long(most or MAX_DRAINED)
            piece = self.rfile.read(size)
            self.rfile.readline(8)
            if not most or total <= most:
                found += piece
        if most and total > most:
            raise _too_long(most)
        return bytes(found)

    def _skip(self, length: int) -> None:
        self.close_connection = True
        left = min(length, MAX_DRAINED)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 18))):
            left -= len(chunk)

    def _parameters(self) -> dict[str, object]:
        settings = self.server.settings
        return {
            "MaxConcurrentTransforms": settings.workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": settings.max_bytes >> 20,
        }

    def _send_refusal(self, refused: Refused) -> None:
        print(f"{self.command} {self.path[:200]} {refused.status}: {refused.reason}", flush=True)
        body = json.dumps({"error": refused.reason}).encode()
        self._send(refused.status, body, formats.JSON)

    def _send(self, status: int, body: bytes, kind: str) -> None:
        if self.server.draining:
            self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", " ".join(kind.split()) or "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


def _too_long(most: int) -> Refused:
    return Refused(413, f"the request is longer than {most:,} bytes")
