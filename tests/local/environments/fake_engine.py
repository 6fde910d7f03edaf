"""A Docker daemon that is none: it answers the client's calls and plays one container."""

from __future__ import annotations

import json
import re
import socketserver
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Container = dict[str, Any]
Play = Callable[[Container, Callable[[str], None]], int]


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Listens on a socket; `play` is called when a container is started, and ends it.

    It is given the request that made the container and a function that prints a line.
    """

    daemon_threads = True

    def __init__(self, path: Path, play: Play) -> None:
        super().__init__(str(path), _Handler)
        self.play = play
        self.created: Container = {}
        self.names: list[str] = []
        self.removed: list[str] = []
        self.signals: list[str] = []
        self.attached = threading.Event()
        self.attachment: Any = None
        self.ended = threading.Event()
        self.killed = threading.Event()
        self.status = 0
        self.refuses = ""

    def begin(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""

    def run(self) -> None:
        """Play the container that was created."""

        def say(line: str) -> None:
            text = (line + "\n").encode()
            self.attachment.write(struct.pack(">BxxxL", 1, len(text)) + text)
            self.attachment.flush()

        self.attached.wait(10)
        self.status = self.play(self.created, say)
        self.ended.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeEngine

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path = re.sub(r"^/v[\d.]+", "", parts.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        engine = self.server
        if path == "/_ping":
            self._send(200, b"OK")
        elif path == "/version":
            self._json(200, {"Version": "27.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.24"})
        elif path == "/containers/create" and engine.refuses:
            self._json(400, {"message": engine.refuses})
        elif path == "/containers/create":
            engine.created = json.loads(body)
            engine.names.append(query["name"])
            self._json(201, {"Id": "c0ffee", "Warnings": []})
        elif path.endswith("/attach"):
            self._attach()
        elif path.endswith("/wait"):
            self._wait()
        elif path.endswith("/start"):
            self._send(204)
            threading.Thread(target=engine.run, daemon=True).start()
        elif path.endswith("/kill"):
            engine.signals.append(query.get("signal", "KILL"))
            engine.killed.set()
            self._send(204)
        elif self.command == "DELETE":
            engine.removed.append(path.rpartition("/")[2])
            engine.killed.set()
            self._send(204)
        else:
            self._json(404, {"message": f"not played: {self.command} {path}"})

    def _attach(self) -> None:
        head = (
            "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
            "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
        )
        self.wfile.write(head.encode())
        self.wfile.flush()
        self.server.attachment = self.wfile
        self.server.attached.set()
        self.server.ended.wait(60)
        self.close_connection = True

    def _wait(self) -> None:
        # The client waits for the head before it starts the container.
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self._identify()
        self.end_headers()
        self.wfile.flush()
        self.server.ended.wait(60)
        text = json.dumps({"StatusCode": self.server.status}).encode()
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(text), text))

    def _identify(self) -> None:
        self.send_header("Api-Version", "1.43")
        self.send_header("Ostype", "linux")

    def _json(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        self._identify()
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
