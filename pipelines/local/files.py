"""Files of this machine: copied without being shared, walked without following what is hostile."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pipelines.local.addresses import ObjectRefused

FICLONE = 0x40049409
"""The ioctl by which a file shares another's blocks until either is written (linux/fs.h)."""

_CHUNK = 1 << 20


def walk(folder: Path, *, refuse_links: bool = True) -> Iterator[tuple[str, Path]]:
    """Every regular file below a folder with its relative name, folder by folder.

    Args:
        folder: where to look.
        refuse_links: False passes symbolic links over.

    Raises:
        ObjectRefused: there is a symbolic link.
    """
    pending = [("", folder)]
    while pending:
        prefix, current = pending.pop()
        try:
            children = sorted(os.scandir(current), key=lambda child: child.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for child in children:
            name = prefix + child.name
            if child.is_symlink():
                if not refuse_links:
                    continue
                raise ObjectRefused(
                    f"{name!r} is a symbolic link", f"remove {child.path}, or put the file there"
                )
            if child.is_dir(follow_symlinks=False):
                pending.append((name + "/", Path(child.path)))
            elif child.is_file(follow_symlinks=False):
                yield name, Path(child.path)


def copy_file(source: Path, target: Path) -> None:
    """Copy a regular file's content, sharing its blocks where the file system can.

    The copy is a file of its own: writing to it leaves the source as it was. An existing target is
    replaced, never written through (it may be a link). The execute permission is kept.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW if not source.is_symlink() else os.O_RDONLY
    reader = os.open(source, flags | getattr(os, "O_CLOEXEC", 0))
    try:
        mode = os.fstat(reader).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "not a regular file", str(source))
        target.unlink(missing_ok=True)
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644 | (mode & 0o111))
        with os.fdopen(reader, "rb", closefd=False) as there, os.fdopen(writer, "wb") as here:
            if not _clone(reader, writer):
                shutil.copyfileobj(there, here, _CHUNK)
    finally:
        os.close(reader)


def _clone(reader: int, writer: int) -> bool:
    try:
        fcntl.ioctl(writer, FICLONE, reader)
    except OSError:
        return False
    return True


def hash_of(stream: BinaryIO) -> str:
    """Return the SHA-256 of what a stream still holds, in hexadecimal."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def is_link(path: Path) -> bool:
    """Return whether a path is a symbolic link; what can't be looked at is none."""
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False


def local_files(top: Path) -> list[Path]:
    """The user's own files below a folder, links followed, each folder entered once."""
    seen: set[tuple[int, int]] = set()
    found = []
    for current, folders, names in os.walk(top, followlinks=True):
        status = Path(current).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        found += [path for name in names if (path := Path(current, name)).is_file()]
    return sorted(found)
