"""Answers S3's HTTP requests from the object store."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import compare_digest
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, unquote

from pipelines.errors import SagedagError
from pipelines.local.objects import ObjectStore
from pipelines.local.s3.bodies import read_body
from pipelines.local.s3.documents import error_document
from pipelines.local.s3.messages import Answer, Request
from pipelines.local.s3.operations import answer
from pipelines.local.s3.problems import S3Error
from pipelines.local.s3.uploads import Uploads

IDLE_SECONDS = 120
"""A connection that says nothing for so long is closed."""

MAX_DRAINED = 64 << 20
"""Bytes of a refused body that are read, so that the client gets to read the refusal."""

_SIGNATURE = re.compile(r"AWS4-HMAC-SHA256 .*Credential=([^/,\s]+)/")
_OLD_SIGNATURE = re.compile(r"AWS ([^:\s]+):")


class ObjectServer(ThreadingHTTPServer):
    """An HTTP server over an object store.

    Args:
        listening: a socket that listens already.
        objects: what is read and written.
        key: the access key id that requests must be signed with.
    """

    daemon_threads = True

    def __init__(self, listening: socket.socket, objects: ObjectStore, key: str) -> None:
        super().__init__(listening.getsockname(), _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.objects = objects
        self.key = key
        self.uploads = Uploads(objects.scratch / "uploads")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a client that went away in the middle."""


class _Connection(BaseHTTPRequestHandler):
    """One connection; the methods' names are those that the base class looks for."""

    protocol_version = "HTTP/1.1"
    server_version = "sagedag"
    sys_version = ""
    timeout = IDLE_SECONDS
    # Answers are short or whole files: waiting for more to send only costs time.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: ObjectServer

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def handle_expect_100(self) -> bool:
        """Tell the client to send the body; without the flush it would wait a second first."""
        going = super().handle_expect_100()
        self.wfile.flush()
        return going

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Print nothing: the terminal shows the run."""

    def _answer(self) -> None:
        path, _, text = self.path.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True, errors="surrogateescape"))
        path = unquote(path, errors="surrogateescape")
        body = read_body(cast("BinaryIO", self.rfile), self.headers)
        try:
            self._admit(query)
            bucket, _, key = path.removeprefix("/").partition("/")
            request = Request(self.command, bucket, key, query, self.headers, body)
            answered = answer(request, self.server.objects, self.server.uploads)
        except S3Error as error:
            answered = _refusal(error, path)
        except SagedagError as error:
            answered = _refusal(S3Error("InvalidArgument", error.message), path)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            return
        except OSError as error:
            answered = _refusal(S3Error("InternalError", f"the store: {error.strerror}"), path)
        with answered.content:
            self._drain(body)
            self._send(answered)

    def _admit(self, query: Mapping[str, str]) -> None:
        """Refuse what is not signed with this run's key."""
        header = self.headers.get("Authorization") or ""
        found = _SIGNATURE.match(header) or _OLD_SIGNATURE.match(header)
        given = found.group(1) if found else ""
        given = given or query.get("X-Amz-Credential", "").partition("/")[0]
        given = given or query.get("AWSAccessKeyId", "")
        if not given:
            raise S3Error("AccessDenied", "requests must be signed; unsigned ones are refused here")
        if not compare_digest(given.encode(), self.server.key.encode()):
            raise S3Error(
                "InvalidAccessKeyId",
                "the access key is not the one this job was given (AWS_ACCESS_KEY_ID)",
            )

    def _drain(self, body: Any) -> None:
        """Read what the request still brings; the next request follows it."""
        read = 0
        try:
            for chunk in body:
                read += len(chunk)
                if read > MAX_DRAINED:
                    break
            else:
                return
        except (S3Error, OSError):
            # Where its end cannot be found there is no next request either.
            self.close_connection = True
            return
        self.close_connection = True

    def _send(self, answered: Answer) -> None:
        self.send_response(answered.status)
        for name, value in answered.headers.items():
            self.send_header(name, value)
        if answered.status != 204 and "Content-Length" not in answered.headers:
            self.send_header("Content-Length", str(answered.length))
        self.send_header("x-amz-request-id", "local")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            left = answered.length
            while left and (chunk := answered.content.read(min(left, 1 << 18))):
                self.wfile.write(chunk)
                left -= len(chunk)
        self.wfile.flush()


def _refusal(error: S3Error, resource: str) -> Answer:
    text = error_document(error.code, error.message, resource)
    return Answer.of_text(text, status=error.status)
