"""S3 itself, as far as a run that may read it asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Remote(Protocol):
    """An object as S3 itself lists it; ``modified`` is in seconds since 1970."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def modified(self) -> float:
        """When it was written."""

    @property
    def etag(self) -> str:
        """Its ETag, quoted."""


class Upstream(Protocol):
    """S3 itself, for runs that may read it."""

    def keys(self, bucket: str, prefix: str) -> Iterator[Remote]:
        """Yield the objects whose key begins with a prefix."""

    def fetch(self, bucket: str, key: str, target: Path) -> bool:
        """Write an object's content to a file; whether there is such an object."""
