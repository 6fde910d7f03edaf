"""A request and its answer, free of HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from pipelines.local.s3.bodies import Headers
from pipelines.local.s3.problems import S3Error

MAX_DOCUMENT = 4 << 20
"""Bytes of an XML body: a thousand keys of a kilobyte each fit."""


@dataclass(frozen=True)
class Request:
    """A request that may be answered.

    Attributes:
        method: the HTTP method.
        bucket: empty for the service itself.
        key: empty for the bucket itself.
        query: the query's arguments, each once.
        headers: the headers.
        body: the content, its framing taken off.
    """

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Headers
    body: Iterator[bytes]

    @property
    def uri(self) -> str:
        """The object, or the bucket."""
        return f"s3://{self.bucket}/{self.key}"

    def document(self) -> bytes:
        """Return a small body whole."""
        found = bytearray()
        for chunk in self.body:
            found += chunk
            if len(found) > MAX_DOCUMENT:
                raise S3Error("EntityTooLarge", "the document is too long")
        return bytes(found)


@dataclass(frozen=True)
class Answer:
    """What is sent back; ``content`` is read up to ``length`` bytes and closed."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: BinaryIO = field(default_factory=lambda: io.BytesIO())
    length: int = 0

    @classmethod
    def of_text(cls, text: bytes, status: int = 200) -> Answer:
        """Return an XML answer."""
        return cls(status, {"Content-Type": "application/xml"}, io.BytesIO(text), len(text))
