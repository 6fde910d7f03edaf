"""Buckets as folders: objects of ``s3://`` URIs, kept as plain files.

An object ``s3://bucket/key`` is the file ``<root>/bucket/key``. Files are written under a
temporary name and renamed, so a run killed anywhere leaves whole objects only. URIs come from
definitions and from what jobs wrote, so they are hostile: a key that could name a file outside its
bucket is refused, and so is any symbolic link found inside.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.addresses import BUCKET, ObjectRefused, split
from pipelines.local.files import copy_file, is_link, walk


@dataclass(frozen=True)
class Entry:
    """One object found below a URI.

    Attributes:
        uri: where it is.
        name: its path below the URI that was asked for; ``/`` separates folders.
        path: the file that holds it.
        size: its length in bytes.
    """

    uri: str
    name: str
    path: Path
    size: int


class Buckets:
    """Objects of ``s3://`` URIs under ``<root>/<bucket>/<key>``.

    Args:
        root: the folder that holds the buckets; made when first written.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        # Held while folders come and go, so that none is removed under an object being placed.
        self._mutex = threading.Lock()

    def put(self, uri: str, data: bytes | Path) -> None:
        """Write one object.

        Args:
            uri: an ``s3://`` URI with a key.
            data: its content, or the file that holds it.

        Raises:
            ObjectRefused: the URI names no object, or the name is taken by a folder.
        """
        with self.writing(uri) as temporary:
            if isinstance(data, Path):
                copy_file(data, temporary)
            else:
                temporary.write_bytes(data)

    @contextlib.contextmanager
    def writing(self, uri: str) -> Iterator[Path]:
        """A file to write an object's content to; it becomes the object when the block ends well.

        Raises:
            ObjectRefused: the URI names no object, or the name is taken by a folder.
        """
        target = self._file(uri)
        temporary = self.scratch / secrets.token_hex(8)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            self._place(uri, target, temporary)
        finally:
            temporary.unlink(missing_ok=True)

    def delete(self, uri: str) -> None:
        """Remove one object, and the folders that this leaves empty; nothing there is no mistake.

        Raises:
            ObjectRefused: the URI names no object.
        """
        target = self._file(uri)
        bucket = self.root / split(uri)[0]
        with self._mutex:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                target.unlink()
            for folder in target.parents:
                if folder == bucket:
                    break
                try:
                    folder.rmdir()
                except OSError:
                    break

    def remove(self, uri: str) -> tuple[str, ...]:
        """Delete the object at a URI; where there is none, the objects of the folder it names.

        Returns:
            The URIs of what was deleted; none where nothing stood there.

        Raises:
            ObjectRefused: the URI names no object this store may hold, or a whole bucket.
        """
        bucket, key = split(uri)
        if not key:
            raise ObjectRefused(f"{uri} names a whole bucket")
        if not key.endswith("/") and self._file(uri).is_file():
            self.delete(uri)
            return (uri,)
        found = self._below(bucket, key.rstrip("/") + "/", whole_names=True)
        for entry in found:
            self.delete(entry.uri)
        return tuple(entry.uri for entry in found)

    def buckets(self) -> tuple[str, ...]:
        """The names of the buckets that something was written to, sorted."""
        with contextlib.suppress(FileNotFoundError):
            return tuple(
                sorted(
                    each.name
                    for each in os.scandir(self.root)
                    if each.is_dir(follow_symlinks=False) and BUCKET.fullmatch(each.name)
                )
            )
        return ()

    @property
    def scratch(self) -> Path:
        """The folder beside the buckets for what is being written; cleared by :meth:`sweep`."""
        return self.root / ".writing"

    def sweep(self) -> None:
        """Remove what killed runs left half written. Only for who holds the store alone."""
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _file(self, uri: str) -> Path:
        """The file of an S3 URI with a key; no component of it is a symbolic link."""
        bucket, key = split(uri)
        if not key or key.endswith("/"):
            raise ObjectRefused(f"{uri} names a folder, not an object")
        path = self.root / bucket
        for part in ("", *key.split("/")):
            path = path / part if part else path
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if stat.S_ISLNK(os.lstat(path).st_mode):
                    raise ObjectRefused(f"{uri} leads through a symbolic link in the store")
        return path

    def _below(
        self, bucket: str, prefix: str, *, whole_names: bool, refuse_links: bool = True
    ) -> tuple[Entry, ...]:
        """The objects of a bucket whose key begins with the prefix, sorted by key."""
        top = self.root / bucket
        parent, _, _ = prefix.rpartition("/")
        start = top / parent if parent else top
        if any(is_link(top.joinpath(*parent.split("/")[:n])) for n in range(parent.count("/") + 2)):
            raise ObjectRefused(
                f"s3://{bucket}/{prefix} leads through a symbolic link in the store"
            )
        cut = len(parent) + 1 if parent and whole_names else 0
        found = []
        for name, path in walk(start, refuse_links=refuse_links):
            key = f"{parent}/{name}" if parent else name
            if key.startswith(prefix):
                uri = f"s3://{bucket}/{key}"
                found.append(Entry(uri, key[cut:], path, path.stat().st_size))
        return tuple(sorted(found, key=lambda entry: entry.uri))

    def _place(self, uri: str, target: Path, temporary: Path) -> None:
        """Give a written file its object's name."""
        try:
            with self._mutex:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise ObjectRefused(
                f"{uri} cannot be written: an object and a folder would have the same name",
                "S3 allows that, files do not; choose another prefix.",
            ) from None
