"""Storing what a job left behind. Nothing of it is trusted: the job may have planted links."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pipelines.local.isolation import ML
from pipelines.local.objects import ObjectStore

MAX_LINKS = 40
"""How many symbolic links one path may lead through, as in the Linux kernel."""


class LinkLeaves(Exception):
    """A symbolic link among a job's outputs leads to something that is not the job's.

    Attributes:
        name: the link's name below the output folder.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is a symbolic link that leaves the job's folder")
        self.name = name


def upload_output(folder: Path, uri: str, objects: ObjectStore, ml: Path) -> tuple[str, ...]:
    """Copy a job's output folder to objects below a URI.

    Links that stay in the job's folder are followed, as a copy program in the container would;
    sockets and pipes are passed over.

    Args:
        folder: the output folder.
        uri: the S3 URI it goes to.
        objects: the store.
        ml: the job's ``/opt/ml``.

    Returns:
        The objects' URIs, sorted.

    Raises:
        LinkLeaves: a link leads elsewhere; nothing was written.
        ObjectRefused: a file's name cannot be a key.
    """
    found = sorted(output_files(folder, ml))
    prefix = uri.rstrip("/")
    for name, path in found:
        objects.put(f"{prefix}/{name}", path)
    return tuple(f"{prefix}/{name}" for name, _ in found)


def output_files(folder: Path, ml: Path) -> Iterator[tuple[str, Path]]:
    """The regular files below a folder: (name, real path), links resolved within the job's folder.

    Raises:
        LinkLeaves: a link leads elsewhere, or around in circles.
    """
    top = resolve_inside(folder, ml, folder.name)
    pending: list[tuple[str, Path, tuple[Path, ...]]] = [("", top, (top,))]
    while pending:
        prefix, current, above = pending.pop()
        if not current.is_dir():
            continue
        for child in list(os.scandir(current)):
            name = prefix + child.name
            path = resolve_inside(Path(child.path), ml, name)
            mode = _mode(path)
            if stat.S_ISDIR(mode):
                if path in above:
                    raise LinkLeaves(name)
                pending.append((name + "/", path, (*above, path)))
            elif stat.S_ISREG(mode):
                yield name, path


def resolve_inside(path: Path, ml: Path, name: str) -> Path:
    """The real path of something in a job's folder; ``/opt/ml`` in links means that folder.

    Args:
        path: a path below ``ml``.
        ml: the job's ``/opt/ml``; itself free of links.
        name: what to call the path in the error.

    Raises:
        LinkLeaves: it leads out of the folder, or through too many links.
    """
    root = Path(os.path.realpath(ml.parent)) / ml.name
    inside = Path(os.path.normpath(path))
    try:
        parts = list(reversed(inside.relative_to(ml).parts))
    except ValueError:
        parts = list(reversed(inside.relative_to(root).parts))
    current, links = root, 0
    while parts:
        part = parts.pop()
        if part == "..":
            if current == root:
                raise LinkLeaves(name)
            current = current.parent
            continue
        step = current / part
        if not stat.S_ISLNK(_mode(step)):
            current = step
            continue
        links += 1
        target = os.readlink(step)  # noqa: PTH115 - the text as it is
        if target.startswith("/"):
            within = _within_ml(target, root)
            if within is None:
                raise LinkLeaves(name)
            current, target = root, within
        if links > MAX_LINKS:
            raise LinkLeaves(name)
        parts.extend(reversed([piece for piece in target.split("/") if piece not in ("", ".")]))
    return current


def _within_ml(target: str, root: Path) -> str | None:
    """What an absolute link names below the job's folder; None when it lies elsewhere."""
    for top in (ML, str(root)):
        if target == top or target.startswith(top + "/"):
            return target[len(top) :]
    return None


def _mode(path: Path) -> int:
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:
        # Of a path that is too long, the beginning says enough.
        raise OSError(error.errno, error.strerror, f"{str(path)[-200:]}") from None
