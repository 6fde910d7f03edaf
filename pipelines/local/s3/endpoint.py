"""The address of the local S3: bound at once, served when the first job calls."""

from __future__ import annotations

import os
import secrets
import select
import socket
import threading
from typing import TYPE_CHECKING

from pipelines.local.objects import ObjectStore

if TYPE_CHECKING:
    from pipelines.local.s3.server import ObjectServer

LOOPBACK = "127.0.0.1"


class LocalS3:
    """An S3 endpoint over an object store, for the jobs of one run.

    Only requests signed with this run's random key are answered: other users of the machine, and
    pages in a browser, reach the loopback address too.

    Args:
        objects: what is read and written.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._mutex = threading.Lock()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._wakeup, self._wake = -1, -1
        # The shape of an access key id that botocore and others accept.
        self._key = "SAGEDAG" + secrets.token_hex(16).upper()

    def environment(self) -> dict[str, str]:
        """Return the variables that lead a job's S3 calls here; starts to listen.

        Source of the first: AWS SDKs and Tools Reference Guide, "Service-specific endpoints";
        boto3 reads it from version 1.28 on.
        """
        with self._mutex:
            if self._socket is None:
                self._listen()
            assert self._socket is not None
            port = self._socket.getsockname()[1]
        return {
            "AWS_ENDPOINT_URL_S3": f"http://{LOOPBACK}:{port}",
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": "local-run-not-a-real-secret",
        }

    def close(self) -> None:
        """Stop listening; what is being answered ends by itself, or with the process."""
        with self._mutex:
            if self._thread is None:
                return
            os.write(self._wake, b"x")
            self._thread.join()
            for descriptor in (self._wakeup, self._wake):
                os.close(descriptor)
            self._thread = self._socket = None

    def _listen(self) -> None:
        """Bind, and wait in a thread; importing the server takes longer than a job's start."""
        self._socket = socket.create_server((LOOPBACK, 0), backlog=128)
        # A caller that went away again must not hold up the next one.
        self._socket.setblocking(False)
        self._wakeup, self._wake = os.pipe()
        self._thread = threading.Thread(
            target=self._serve, args=(self._socket,), name="s3", daemon=True
        )
        self._thread.start()

    def _serve(self, listening: socket.socket) -> None:
        server: ObjectServer | None = None
        with listening:
            while True:
                waiting = [listening.fileno(), self._wakeup]
                ready, _, _ = select.select(waiting, [], [])
                if self._wakeup in ready:
                    return
                if server is None:
                    from pipelines.local.s3.server import ObjectServer

                    server = ObjectServer(listening, self._objects, self._key)
                server.handle_request()
