"""A server that answers as it is told: errors word by word, half answers, silence, resets, HTML.

::

    with Weather(lambda request: answer("HTTP/1.1 503 Slow Down", XML)) as weather:
        monkeypatch.setenv("AWS_ENDPOINT_URL", weather.url)

What the function returns is written to the connection as it is; ``None`` says nothing for ever,
``RESET`` breaks the connection.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RESET = b"reset"


@dataclass(frozen=True)
class Asked:
    """What was asked: method, path, headers by their names in small letters, body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[Asked], "bytes | None"]


def answer(status: str, body: str | bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """Return an answer; ``length`` is what it says its length is."""
    data = body.encode() if isinstance(body, str) else body
    size = len(data) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + data


class Weather:
    """A server on a free port.

    Args:
        hasty: don't wait for a request's body before it is answered.

    Attributes:
        url: its address.
        asked: what was asked so far.
    """

    def __init__(
        self, behaviour: Behaviour, certificate: Path | None = None, *, hasty: bool = False
    ) -> None:
        self.behaviour = behaviour
        self.hasty = hasty
        self.asked: list[Asked] = []
        self._ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        scheme = "https" if certificate is not None else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Weather:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        # Closing alone does not wake the thread that waits for connections.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            asked = _read(connection, self.hasty)
            if asked is None:
                return
            self.asked.append(asked)
            said = self.behaviour(asked)
            if said is None:
                self._ended.wait(60)
            elif said == RESET:
                # With no time to linger a closed connection is reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(said)


def _read(connection: socket.socket, hasty: bool) -> Asked | None:
    """Read a request; one that announces itself (``100-continue``) is asked to go on."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    if headers.get("expect") == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    left = 0 if hasty else int(headers.get("content-length", "0")) - len(body)
    while left > 0 and (more := connection.recv(65536)):
        body += more
        left -= len(more)
    method, path, *_ = first.split(" ")
    return Asked(method, path, headers, body)


def service_of(asked: Asked) -> str:
    """Return the service that a request is for, by its signature."""
    found = re.search(r"/([a-z0-9-]+)/aws4_request", asked.headers.get("authorization", ""))
    return found.group(1) if found else ""
