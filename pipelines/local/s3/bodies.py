"""The body of a request: its framing taken off, its checksums compared."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Protocol

from pipelines.local.s3.problems import S3Error

CHUNK = 1 << 18
_MAX_FRAME_LINE = 4096


class Headers(Protocol):
    """What is needed of a request's headers; names are looked up whatever their case."""

    def get(self, name: str) -> str | None:
        """Return a header's value, or None."""


def read_body(stream: BinaryIO, headers: Headers) -> Iterator[bytes]:
    """Yield a body's content: plain, in HTTP chunks, or in the chunks of AWS's signing.

    Raises:
        S3Error: the body ends early, its framing is broken, or a checksum differs.
    """
    raw = _Framed(stream, headers)
    checks = _Checks(headers)
    wrapped = "aws-chunked" in (headers.get("Content-Encoding") or "") or (
        headers.get("x-amz-content-sha256") or ""
    ).startswith("STREAMING-")
    for chunk in _signed_chunks(raw) if wrapped else iter(raw.some, b""):
        checks.update(chunk)
        yield chunk
    raw.drain()
    checks.compare()


class _Framed:
    """A body with HTTP's own framing taken off."""

    def __init__(self, stream: BinaryIO, headers: Headers) -> None:
        self._stream = stream
        self._chunked = (headers.get("Transfer-Encoding") or "").lower() == "chunked"
        length = headers.get("Content-Length")
        if length is not None and not length.isdigit():
            raise S3Error("InvalidArgument", "the Content-Length is no number")
        self._left = 0 if self._chunked else int(length or 0)
        self._ended = False
        self._buffer = b""

    def some(self, most: int = CHUNK) -> bytes:
        """Return some bytes, or none at the end."""
        if self._buffer:
            given, self._buffer = self._buffer[:most], self._buffer[most:]
            return given
        if self._chunked and self._left == 0 and not self._ended:
            self._next_chunk()
        if self._left == 0:
            return b""
        found = self._stream.read(min(most, self._left))
        if not found:
            raise S3Error("IncompleteBody", "the body ended before its announced length")
        self._left -= len(found)
        if self._chunked and self._left == 0:
            self._stream.readline(8)
        return found

    def line(self) -> bytes:
        """Return a line without its end."""
        while b"\r\n" not in self._buffer:
            buffered, self._buffer = self._buffer, b""
            more = self.some()
            self._buffer = buffered + more
            if not more or len(self._buffer) > CHUNK * 2:
                raise S3Error("IncompleteBody", "the signed chunks are cut off")
        found, _, self._buffer = self._buffer.partition(b"\r\n")
        return found

    def drain(self) -> None:
        """Read to the end what is left."""
        while self.some():
            pass

    def _next_chunk(self) -> None:
        line = self._stream.readline(_MAX_FRAME_LINE)
        self._left = _hexadecimal(line.partition(b";")[0].strip())
        if self._left == 0:
            self._ended = True
            while self._stream.readline(_MAX_FRAME_LINE).strip():
                pass


def _signed_chunks(raw: _Framed) -> Iterator[bytes]:
    """Yield what stands in the chunks of AWS's signing: ``SIZE;chunk-signature=…``.

    The trailers behind the last chunk repeat checksums of what came on loopback; they are read and
    dropped with the rest.
    """
    while size := _hexadecimal(raw.line().partition(b";")[0].strip()):
        while size:
            chunk = raw.some(min(size, CHUNK))
            if not chunk:
                raise S3Error("IncompleteBody", "the signed chunks are cut off")
            size -= len(chunk)
            yield chunk
        raw.line()


def _hexadecimal(text: bytes) -> int:
    try:
        return int(text[:16], 16)
    except ValueError:
        raise S3Error("IncompleteBody", "the body's chunks are broken") from None


class _Checks:
    """The checksums a client sent along that the standard library can compute."""

    def __init__(self, headers: Headers) -> None:
        self._wanted: dict[str, str] = {}
        self._digests = {}
        names: Mapping[str, str] = {
            "Content-MD5": "md5",
            "x-amz-checksum-sha1": "sha1",
            "x-amz-checksum-sha256": "sha256",
        }
        for header, algorithm in names.items():
            value = headers.get(header)
            if value:
                self._wanted[header] = value
                self._digests[header] = hashlib.new(algorithm, usedforsecurity=False)
        self._crc32 = headers.get("x-amz-checksum-crc32")
        self._crc = 0

    def update(self, chunk: bytes) -> None:
        for digest in self._digests.values():
            digest.update(chunk)
        if self._crc32:
            self._crc = zlib.crc32(chunk, self._crc)

    def compare(self) -> None:
        found = {name: digest.digest() for name, digest in self._digests.items()}
        if self._crc32:
            self._wanted["x-amz-checksum-crc32"] = self._crc32
            found["x-amz-checksum-crc32"] = self._crc.to_bytes(4, "big")
        for name, digest in found.items():
            if base64.b64encode(digest).decode() != self._wanted[name]:
                raise S3Error("BadDigest", f"{name} is not that of the body that arrived")
