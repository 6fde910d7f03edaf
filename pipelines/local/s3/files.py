"""The files that hold objects, as S3 shows them: ETags and ranges."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipelines.local.s3.bodies import CHUNK
from pipelines.local.s3.problems import S3Error

DIGESTED = 64 << 20
"""Up to this size an ETag is the content's MD5, as S3's is for what was put in one piece."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def etag(path: Path, status: os.stat_result | None = None) -> str:
    """Return an object's ETag, quoted.

    Small objects have their content's MD5, which scripts compare; big ones a value that changes
    with the file and is marked, as S3 marks those of multipart uploads, as no MD5.
    """
    known = status or path.stat()
    identity = (known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns)
    if known.st_size > DIGESTED:
        mixed = hashlib.md5(repr(identity).encode(), usedforsecurity=False).hexdigest()
        return f'"{mixed}-{known.st_size // (8 << 20) + 1}"'
    with _TAGS_MUTEX:
        found = _TAGS.get(identity)
    if found is None:
        digest = hashlib.md5(usedforsecurity=False)
        with open_object(path) as stream:
            fresh = os.fstat(stream.fileno())
            # What took the file's place meanwhile is known by its own identity.
            identity = (fresh.st_dev, fresh.st_ino, fresh.st_size, fresh.st_mtime_ns)
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
        found = digest.hexdigest()
        with _TAGS_MUTEX:
            if len(_TAGS) > 100_000:
                _TAGS.clear()
            _TAGS[identity] = found
    return f'"{found}"'


_TAGS: dict[tuple[int, int, int, int], str] = {}
_TAGS_MUTEX = threading.Lock()


def open_object(path: Path) -> BinaryIO:
    """Open an object's file; a link, or anything else that is none, is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise S3Error("AccessDenied", "the object is no regular file")
    return stream


def write_chunks(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a new file."""
    with path.open("xb") as stream:
        for chunk in chunks:
            stream.write(chunk)


def limited(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """Yield at most so many bytes of a stream."""
    while length and (chunk := stream.read(min(length, CHUNK))):
        length -= len(chunk)
        yield chunk


def byte_range(text: str | None, size: int) -> tuple[int, int, bool]:
    """Return where a range begins, how long it is, and whether the text is a range at all.

    What is none stands for the whole, as S3 takes it.

    Raises:
        S3Error: the range lies behind the end.
    """
    match = _RANGE.fullmatch(text.strip()) if text else None
    if match is None or match.group(0) == "bytes=-":
        return 0, size, False
    first, last = match.groups()
    if not first:
        start = max(0, size - int(last))
        end = size - 1
    else:
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return 0, size, False
    if start >= size or (not first and int(last) == 0):
        raise S3Error("InvalidRange", f"the object has {size} bytes")
    return start, end - start + 1, True
