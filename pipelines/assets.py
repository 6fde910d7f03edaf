"""Code as content-addressed assets: equal content, equal key, on every machine and every day.

An asset lies below ``…/assets/sha256/<digest>/``:

- ``files/…``: the files as they are (Processing mounts this prefix),
- ``sourcedir.tar.gz``: the same files as an archive (script mode and serving fetch it),
- ``manifest.json``: their names, sizes and digests.

The digest is that of the manifest, so it depends on names and content alone: neither on times,
owners and modes nor on the compressor.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.errors import DefinitionError

MAX_FILES = 5_000
MAX_BYTES = 250 * 1024 * 1024
"""What code may weigh; data do not belong into an asset."""

IGNORED_FOLDERS = frozenset(
    {
        ".git",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".sagedag",
        ".venv",
        "__pycache__",
    }
)
IGNORED_SUFFIXES = (".pyc", ".pyo")
IGNORED_FILES = frozenset({".DS_Store"})


@dataclass(frozen=True)
class Asset:
    """Files that a definition names, to be published below ``uri``.

    Args:
        root: the S3 prefix of the environment.
        files: the files' names (with ``/``), sorted, and where they lie on this machine; or
            their content, where they were made while compiling.
        digest: SHA-256 of the manifest, in hexadecimal.
        entries: name, size in bytes and SHA-256 of every file.
    """

    root: str
    files: tuple[tuple[str, Path | bytes], ...] = field(repr=False)
    digest: str
    entries: tuple[tuple[str, int, str], ...] = field(repr=False)

    @property
    def uri(self) -> str:
        """The asset's S3 prefix, without a slash at the end."""
        return f"{self.root}/assets/sha256/{self.digest}"

    @property
    def files_uri(self) -> str:
        """The S3 prefix of the files as they are."""
        return f"{self.uri}/files"

    @property
    def archive_uri(self) -> str:
        """The S3 URI of the files as an archive."""
        return f"{self.uri}/sourcedir.tar.gz"

    @property
    def size(self) -> int:
        """The files' size in bytes."""
        return sum(size for _, size, _ in self.entries)

    @cached_property
    def manifest(self) -> bytes:
        """The manifest as it is published."""
        return manifest_of(self.entries)

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Yield the URI and content of everything to publish; the manifest comes last.

        The manifest is the mark that an asset is complete.

        Raises:
            DefinitionError: a file changed since the digest was taken, or went away.
        """
        digests = {name: digest for name, _, digest in self.entries}
        contents = [
            (name, held if isinstance(held, bytes) else _unchanged(held, digests[name]))
            for name, held in self.files
        ]
        for name, data in contents:
            yield f"{self.files_uri}/{name}", data
        yield self.archive_uri, archive_of(contents)
        yield f"{self.uri}/manifest.json", self.manifest


def _unchanged(path: Path, digest: str) -> bytes:
    """Return a file's content, which must still have this digest."""
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path} can't be read any more: {error.strerror}"
        raise DefinitionError(message, "run it again") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise DefinitionError(f"{path} changed while it was being published", "run it again")
    return data


def make_asset(path: Path, root: str, project: Path) -> Asset:
    """Return the asset of a file or folder.

    Args:
        path: the file or folder, inside the project.
        root: the S3 prefix of the environment.
        project: the project's root; links that lead out of it are refused.

    Raises:
        DefinitionError: a link leads out of the project, a name is no text, there is too much or
            nothing at all.
    """
    return _asset_of(_files_of(path), root, project)


def bundle_assets(paths: Iterable[Path], root: str, project: Path) -> Asset:
    """Return one asset of several files and folders, each under its own name.

    Raises:
        DefinitionError: as :func:`make_asset`.
    """
    files: list[tuple[str, Path]] = []
    for path in paths:
        above = f"{path.name}/" if path.is_dir() else ""
        files += [(above + name, file) for name, file in _files_of(path)]
    return _asset_of(sorted(files), root, project)


def _files_of(path: Path) -> list[tuple[str, Path]]:
    files = [(path.name, path)] if path.is_file() else sorted(_below(path))
    if not files:
        # S3 knows no empty folders: a job that is given one fails because nothing is there.
        raise DefinitionError("the folder holds no files", "put one into it, or name another")
    return files


def _asset_of(files: list[tuple[str, Path]], root: str, project: Path) -> Asset:
    entries: list[tuple[str, int, str]] = []
    total = 0
    for name, file in files:
        _check_name(name)
        if not file.resolve().is_relative_to(project.resolve()):
            raise DefinitionError(f"{name} is a link out of the project", "copy the file into it")
        # The size is looked at before the content: it may be a file that fits no memory.
        total += file.stat().st_size
        if total > MAX_BYTES or len(entries) >= MAX_FILES:
            raise DefinitionError(
                f"the code holds more than {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB",
                "keep data out of code folders: they belong into S3",
            )
        data = file.read_bytes()
        entries.append((name, len(data), hashlib.sha256(data).hexdigest()))
    digest = hashlib.sha256(manifest_of(tuple(entries))).hexdigest()
    return Asset(root, tuple(files), digest, tuple(entries))


def make_document(name: str, content: bytes, root: str) -> Asset:
    """Return the asset of a single file that was made while compiling.

    Args:
        root: the S3 prefix of the environment.
    """
    entries = ((name, len(content), hashlib.sha256(content).hexdigest()),)
    digest = hashlib.sha256(manifest_of(entries)).hexdigest()
    return Asset(root, ((name, content),), digest, entries)


def _check_name(name: str) -> None:
    """Refuse a name that is not text: S3's keys are UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = name.encode("ascii", "backslashreplace").decode()
        raise DefinitionError(
            f"the file name {shown} is not UTF-8", "give the file another name"
        ) from error


def _below(folder: Path) -> Iterator[tuple[str, Path]]:
    for current, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in IGNORED_FOLDERS)
        for name in folders:
            if (Path(current) / name).is_symlink():
                # A linked folder's files would be left out silently: say so instead.
                raise DefinitionError(
                    f"{name} is a link to a folder", "put the folder itself into the code folder"
                )
        for name in sorted(names):
            if name not in IGNORED_FILES and not name.endswith(IGNORED_SUFFIXES):
                file = Path(current) / name
                if file.is_file():
                    yield file.relative_to(folder).as_posix(), file


def manifest_of(entries: tuple[tuple[str, int, str], ...]) -> bytes:
    """Return the manifest of files as canonical JSON."""
    files = [{"name": name, "size": size, "sha256": digest} for name, size, digest in entries]
    return (json.dumps({"files": files}, separators=(",", ":"), sort_keys=True) + "\n").encode()


def archive_of(contents: list[tuple[str, bytes]]) -> bytes:
    """Return files as a ``tar.gz`` without times, owners or the machine's modes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in contents:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=6) as stream:
        stream.write(plain.getvalue())
    return packed.getvalue()
