"""What stands at a URI, for jobs: objects of buckets, and what stands in for them.

Written is into the store's own buckets alone. Where something is read, ``file://`` URIs and local
paths stand for S3 URIs, and so do the local folders that ``local.yaml`` names, and S3 itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipelines.local.addresses import (
    MAX_PART_BYTES,
    ObjectMissing,
    ObjectRefused,
    is_s3,
    split,
)
from pipelines.local.buckets import Buckets, Entry
from pipelines.local.files import copy_file, hash_of, local_files, walk
from pipelines.local.upstream import Remote, Upstream


class _NotThere(Exception):
    """There is nothing upstream to write."""


class ObjectStore(Buckets):
    """The buckets of a store, and what else can be read at a URI.

    Args:
        root: the folder that holds the buckets; made when first written.
        base: the folder against which relative local paths resolve; the current one when missing.
        external: local files and folders that stand for S3 prefixes, by prefix. They are read
            where the store itself holds nothing, and never written.
        upstream: S3 itself. What is read and neither here nor external is fetched from there once,
            and kept in the store.
    """

    def __init__(
        self,
        root: Path,
        base: Path | None = None,
        external: Mapping[str, Path] | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        super().__init__(root)
        self.base = Path(os.path.realpath(base if base is not None else Path.cwd()))
        # The longest prefix is the most particular one.
        self.external = dict(sorted((external or {}).items(), key=lambda each: -len(each[0])))
        self.upstream = upstream
        self._asked: set[str] = set()
        self._digests: dict[tuple[int, int, int, int], str] = {}

    def get(self, uri: str) -> bytes:
        """Read one object.

        Raises:
            ObjectMissing: there is none.
        """
        path = self._readable(uri)
        if is_s3(uri):
            self.find(uri)
        if is_s3(uri) and not path.is_file() and (stand_in := self._outside(uri)) is not None:
            path = stand_in
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ObjectMissing(f"there is no object {uri}") from None

    def find(self, uri: str) -> Entry | None:
        """The one object that has exactly this ``s3://`` URI; None where there is none.

        Raises:
            ObjectRefused: the URI names no object.
        """
        path = self._file(uri)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode):
                return Entry(uri, path.name, path, status.st_size)
        outside = self._outside(uri)
        if outside is None and self._fetch(uri):
            return Entry(uri, path.name, path, path.stat().st_size)
        if outside is None or not outside.is_file():
            return None
        real = Path(os.path.realpath(outside))
        return Entry(uri, path.name, real, real.stat().st_size)

    def search(self, uri: str) -> tuple[Entry, ...]:
        """All objects whose URI begins with this ``s3://`` one, sorted; names are whole keys.

        Symbolic links are no objects: they are left out here, and refused where they are read.
        """
        bucket, key = split(uri)
        mine = self._below(bucket, key, whole_names=False, refuse_links=False)
        found = {each.uri: each for each in mine}
        for prefix, place in self.external.items():
            if prefix.startswith(uri) or f"{uri}/".startswith(f"{prefix}/"):
                for each in self._entries_at(place, prefix):
                    if each.uri.startswith(uri):
                        whole = each.uri.removeprefix(f"s3://{bucket}/")
                        real = Path(os.path.realpath(each.path))
                        found.setdefault(each.uri, Entry(each.uri, whole, real, each.size))
        return tuple(found[each] for each in sorted(found))

    def upstream_keys(self, uri: str) -> Iterator[Remote]:
        """What S3 itself lists below an ``s3://`` URI, where this store may read it."""
        if self.upstream is not None:
            yield from self.upstream.keys(*split(uri))

    def exists(self, uri: str) -> bool:
        """Whether there is an object at the URI, or below it."""
        return next(iter(self.entries(uri)), None) is not None

    def list(self, uri: str) -> tuple[str, ...]:
        """The URIs of all objects whose URI begins with this one, sorted (S3 prefix semantics).

        For a local path: the file itself, or the files below the folder.
        """
        if not is_s3(uri):
            return tuple(entry.uri for entry in self.entries(uri))
        bucket, key = split(uri)
        return tuple(entry.uri for entry in self._below(bucket, key, whole_names=False))

    def entries(self, uri: str) -> tuple[Entry, ...]:
        """What a job that takes this URI as an input gets, sorted by name.

        One object has its base name as its name; objects below a folder are named relative to it.
        A URI that is neither stands for all objects it is a prefix of, named relative to the folder
        it lies in. **[U]** The service documents only that an S3Prefix is a key name prefix; that
        ``data`` leaves ``database/x`` out when ``data/`` exists is ours, to keep steps apart.
        """
        if not is_s3(uri):
            return tuple(self._local_entries(uri))
        self._fetch_below(uri)
        bucket, key = split(uri)
        if key and not key.endswith("/"):
            path = self._file(uri)
            if path.is_file():
                return (Entry(uri, path.name, path, path.stat().st_size),)
        folder = key if not key or key.endswith("/") else key + "/"
        return (
            self._below(bucket, folder, whole_names=True)
            or (self._below(bucket, key, whole_names=True) if key != folder else ())
            or tuple(self._outside_entries(uri))
        )

    def download(self, uri: str, folder: Path) -> tuple[Entry, ...]:
        """Copy what stands at a URI into a folder, which is made; nothing there is linked.

        Returns:
            What was copied.

        Raises:
            ObjectMissing: nothing stands at the URI.
        """
        found = self.entries(uri)
        if not found:
            raise ObjectMissing(f"there is nothing at {uri}", self._way_out(uri))
        folder.mkdir(parents=True, exist_ok=True)
        for entry in found:
            target = folder / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(entry.path, target)
        return found

    def upload(self, folder: Path, uri: str) -> tuple[str, ...]:
        """Copy every file below a folder to objects below a URI.

        The folder must hold no symbolic links; see ``pipelines.local.jobs.outputs``, which decides
        what to do with those a job left. Sockets and pipes are passed over.

        Returns:
            The objects' URIs, sorted.

        Raises:
            ObjectRefused: a link was found, a name cannot be a key, or the URI is not S3's.
        """
        split(uri)
        prefix = uri.rstrip("/")
        written = []
        for name, path in walk(folder):
            target = f"{prefix}/{name}"
            self.put(target, path)
            written.append(target)
        return tuple(sorted(written))

    def digest(self, uri: str) -> str:
        """A digest of names and contents of everything at a URI, in hexadecimal; for cache keys.

        Raises:
            ObjectMissing: nothing stands there.
        """
        found = self.entries(uri)
        if not found:
            raise ObjectMissing(f"there is nothing at {uri}")
        whole = hashlib.sha256()
        for entry in found:
            name = entry.name.encode("utf-8", "surrogateescape")
            whole.update(len(name).to_bytes(4, "big") + name)
            whole.update(bytes.fromhex(self._file_digest(entry.path)))
        return whole.hexdigest()

    def _file_digest(self, path: Path) -> str:
        status = path.stat()
        known = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if known not in self._digests:
            with path.open("rb") as stream:
                self._digests[known] = hash_of(stream)
        return self._digests[known]

    def _readable(self, uri: str) -> Path:
        return self._file(uri) if is_s3(uri) else self._local(uri)

    def _local(self, uri: str) -> Path:
        """The file or folder that a ``file://`` URI or a local path names."""
        if uri.startswith("file:"):
            parts = urlsplit(uri)
            if parts.netloc not in ("", "localhost"):
                raise ObjectRefused(f"{uri} names another machine")
            text = unquote(parts.path)
        elif "://" in uri:
            raise ObjectRefused(f"{uri} is neither an s3:// URI, a file:// URI nor a path")
        else:
            text = uri
        if not text or "\0" in text:
            raise ObjectRefused(f"{uri!r} names no file")
        if any(len(os.fsencode(part)) > MAX_PART_BYTES for part in text.split("/")):
            raise ObjectRefused(f"{uri[:80]!r}… has a part that is too long for a file's name")
        return self.base / Path(text).expanduser()

    def _fetch(self, uri: str) -> bool:
        """Fetch one object from S3 itself; whether it is there."""
        if self.upstream is None:
            return False
        bucket, key = split(uri)
        with contextlib.suppress(_NotThere), self.writing(uri) as temporary:
            if not self.upstream.fetch(bucket, key, temporary):
                raise _NotThere
            return True
        return False

    def _fetch_below(self, uri: str) -> None:
        """Fetch from S3 itself, once, what a job that takes this URI as an input would get."""
        if self.upstream is None or uri in self._asked or self._outside(uri) is not None:
            return
        self._asked.add(uri)
        bucket, key = split(uri)
        found = [each.key for each in self.upstream.keys(bucket, key)]
        folder = key if not key or key.endswith("/") else key + "/"
        chosen = [key] if key in found else [each for each in found if each.startswith(folder)]
        for each in chosen or found:
            # The empty objects that stand for folders are no files.
            if not each.endswith("/") and not self._file(f"s3://{bucket}/{each}").is_file():
                self._fetch(f"s3://{bucket}/{each}")

    def _outside(self, uri: str) -> Path | None:
        """The local file or folder that stands for an S3 URI."""
        split(uri)
        for prefix, place in self.external.items():
            if uri.rstrip("/") == prefix:
                return place
            if uri.startswith(prefix + "/"):
                return place / uri[len(prefix) + 1 :].rstrip("/")
        return None

    def _outside_entries(self, uri: str) -> Iterator[Entry]:
        place = self._outside(uri)
        if place is not None:
            yield from self._entries_at(place, uri)

    @staticmethod
    def _way_out(uri: str) -> str:
        if not is_s3(uri):
            return ""
        folder = uri.rstrip("/").rpartition("/")[2] or "data"
        return f"add to local.yaml:\n  s3:\n    {uri.rstrip('/')}:\n      data/{folder}"

    def _local_entries(self, uri: str) -> Iterator[Entry]:
        yield from self._entries_at(self._local(uri), uri)

    @staticmethod
    def _entries_at(top: Path, uri: str) -> Iterator[Entry]:
        if top.is_file():
            yield Entry(uri, top.name, top, top.stat().st_size)
        elif top.is_dir():
            for path in local_files(top):
                name = path.relative_to(top).as_posix()
                yield Entry(f"{uri.rstrip('/')}/{name}", name, path, path.stat().st_size)
