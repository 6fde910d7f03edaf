"""URIs of objects: which are S3's, and what bucket and key they name.

URIs come from definitions and from what jobs wrote, so they are hostile: a key that could name a
file outside its bucket is refused.
"""

from __future__ import annotations

import os
import re

from pipelines.errors import ExecutionFailed

MAX_KEY_BYTES = 1024
"""Longest object key. Source: Amazon S3 User Guide, "Naming Amazon S3 objects"."""

MAX_PART_BYTES = 255
"""Longest name of a file (NAME_MAX of Linux and macOS)."""

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class ObjectRefused(ExecutionFailed):
    """A URI that names no object this store may hold."""


class ObjectMissing(ExecutionFailed):
    """Nothing stands at a URI that was to be read."""


def is_s3(uri: str) -> bool:
    """Whether a URI is an ``s3://`` one."""
    return uri.startswith("s3://")


def split(uri: str) -> tuple[str, str]:
    """The bucket and the key (may be empty) of an ``s3://`` URI.

    Raises:
        ObjectRefused: it is none, or its key could name a file outside the bucket.
    """
    if not is_s3(uri):
        raise ObjectRefused(
            f"{uri!r} is not an s3:// URI", "Objects are written to s3:// URIs only."
        )
    bucket, _, key = uri[5:].partition("/")
    if not BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ObjectRefused(f"{uri!r} has no valid bucket name")
    parts = key.removesuffix("/").split("/") if key else []
    for part in parts:
        if part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > MAX_PART_BYTES:
            raise ObjectRefused(f"{uri!r}: the part {part!r} of its key cannot be a file's name")
    if len(os.fsencode(key)) > MAX_KEY_BYTES:
        raise ObjectRefused(f"{uri[:80]!r}…: the key is longer than {MAX_KEY_BYTES} bytes")
    return bucket, key
