"""Multipart uploads: parts beside the store until they are put together."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.s3.bodies import CHUNK
from pipelines.local.s3.problems import S3Error

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Part:
    """One part that has arrived."""

    number: int
    etag: str
    size: int
    path: Path


class Uploads:
    """The multipart uploads that are open.

    Args:
        folder: where parts are kept; whoever opens the store next clears it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mutex = threading.Lock()
        self._open: dict[str, tuple[str, str, dict[int, Part]]] = {}

    def begin(self, bucket: str, key: str) -> str:
        """Open an upload of one object and return its id."""
        name = secrets.token_hex(16)
        (self._folder / name).mkdir(parents=True)
        with self._mutex:
            self._open[name] = (bucket, key, {})
        return name

    def receive(
        self, name: str, bucket: str, key: str, number: int, chunks: Iterable[bytes]
    ) -> str:
        """Keep a part, in place of an earlier one of its number; return its ETag.

        Raises:
            S3Error: there is no such upload of this object.
        """
        parts = self._parts(name, bucket, key)
        digest, size = hashlib.md5(usedforsecurity=False), 0
        path = self._folder / name / f"{number}.{secrets.token_hex(4)}"
        try:
            with path.open("xb") as stream:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    stream.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        etag = digest.hexdigest()
        with self._mutex:
            before = parts.get(number)
            parts[number] = Part(number, etag, size, path)
        if before is not None:
            before.path.unlink(missing_ok=True)
        return etag

    def parts(self, name: str, bucket: str, key: str) -> list[Part]:
        """Return the parts of an upload that have arrived, by number."""
        return [part for _, part in sorted(self._parts(name, bucket, key).items())]

    def of(self, bucket: str) -> list[tuple[str, str]]:
        """Return (key, id) of the uploads that are open in a bucket."""
        with self._mutex:
            return sorted((key, name) for name, (at, key, _) in self._open.items() if at == bucket)

    def assemble(
        self, name: str, bucket: str, key: str, wanted: list[tuple[int, str]], target: Path
    ) -> None:
        """Write the listed parts, one after the other, to a file.

        Raises:
            S3Error: a part did not arrive, or is another than the client believes.
        """
        parts = self._parts(name, bucket, key)
        for number, etag in wanted:
            part = parts.get(number)
            if part is None or (etag and etag != part.etag):
                raise S3Error("InvalidPart", f"part {number} did not arrive as it is listed")
        with target.open("wb") as stream:
            for number, _ in wanted:
                with parts[number].path.open("rb") as source:
                    shutil.copyfileobj(source, stream, CHUNK)

    def end(self, name: str, bucket: str, key: str) -> None:
        """Forget an upload and its parts.

        Raises:
            S3Error: there is no such upload of this object.
        """
        self._parts(name, bucket, key)
        with self._mutex:
            self._open.pop(name, None)
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def _parts(self, name: str, bucket: str, key: str) -> dict[int, Part]:
        with self._mutex:
            found = self._open.get(name) if _ID.fullmatch(name) else None
        if found is None or found[:2] != (bucket, key):
            raise S3Error("NoSuchUpload", "there is no such upload of this object")
        return found[2]
