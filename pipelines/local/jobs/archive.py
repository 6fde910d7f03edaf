"""Tar archives of models and code: packed the same every time, unpacked with suspicion."""

from __future__ import annotations

import gzip
import os
import secrets
import stat
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipelines.errors import ExecutionFailed

MAX_EXTENSION = 1 << 20
"""Longest extension of a header, in bytes; a path has at most a few thousand."""

_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class ArchiveRefused(ExecutionFailed):
    """An archive that could write outside its folder, or would not end."""


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold.

    Attributes:
        entries: files, folders and links.
        size: bytes of all files together.
    """

    entries: int = 200_000
    size: int = 64 << 30


class _Member(tarfile.TarInfo):
    """A header whose extension (a long name, further attributes) is read only where it is short.

    ``tarfile`` reads an extension into memory whole, and a few compressed bytes can hold gigabytes.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        """Read a header.

        Raises:
            ArchiveRefused: its extension is too long.
        """
        made = super().frombuf(buf, encoding, errors)
        if made.type in _EXTENSIONS and made.size > MAX_EXTENSION:
            raise ArchiveRefused(f"a header of the archive has {made.size:,} bytes")
        return made


def pack(files: Iterable[tuple[str, Path]], target: Path) -> None:
    """Write a ``.tar.gz`` whose bytes depend on the names and contents alone.

    Names are sorted; times, owners and modes (but for being executable) are fixed.

    Args:
        files: (name in the archive, file that holds it).
        target: the archive to write; replaced in one step.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    folders: set[str] = set()
    try:
        with (
            temporary.open("wb") as stream,
            gzip.GzipFile(
                fileobj=stream, mode="wb", mtime=0, filename="", compresslevel=6
            ) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, path in sorted(files):
                for parent in reversed(PurePosixPath(name).parents[:-1]):
                    if str(parent) not in folders:
                        folders.add(str(parent))
                        archive.addfile(_header(str(parent), tarfile.DIRTYPE, 0o755))
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                with os.fdopen(descriptor, "rb") as content:
                    status = os.fstat(descriptor)
                    header = _header(name, tarfile.REGTYPE, 0o644 | (status.st_mode & 0o111))
                    header.size = status.st_size
                    archive.addfile(header, content)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def unpack(source: Path, folder: Path, limits: Limits | None = None) -> tuple[str, ...]:
    """Unpack a tar archive, compressed or not, into a folder; nothing lands outside of it.

    Absolute names, names with ``..``, links that lead out, and devices are refused, and so is more
    than the limits allow. Owners, times and set-id bits are not taken over.

    Args:
        source: the archive.
        folder: where to unpack; made when missing.
        limits: how much it may hold.

    Returns:
        The names of the regular files, in the archive's order.

    Raises:
        ArchiveRefused: the archive is broken or hostile; what was unpacked so far stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    root = Path(os.path.realpath(folder))
    names: list[str] = []
    try:
        with tarfile.open(source, "r|*", tarinfo=_Member) as archive:
            _extract_all(archive, root, limits or Limits(), names)
    except (tarfile.TarError, EOFError, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:
            raise ArchiveRefused(f"{source.name}: {problem.strerror}") from None
        raise ArchiveRefused(f"{source.name} is not a sound tar archive: {problem}") from None
    return tuple(names)


def _extract_all(archive: tarfile.TarFile, root: Path, limits: Limits, names: list[str]) -> None:
    count = size = 0
    links: list[Path] = []
    for member in archive:
        count += 1
        if count > limits.entries:
            raise ArchiveRefused(f"the archive has more than {limits.entries:,} entries")
        target = _target(root, member.name)
        if target == root:
            continue
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
        elif member.isreg():
            size += member.size
            if size > limits.size:
                raise ArchiveRefused(f"the archive holds more than {limits.size:,} bytes")
            _extract_file(archive, member, target)
            names.append(target.relative_to(root).as_posix())
        elif member.issym() or member.islnk():
            _extract_link(member, target, root)
            links.append(target)
        else:
            raise ArchiveRefused(f"{member.name!r} is a device or a pipe")
    for link in links:
        # What came later may have given an earlier link another meaning.
        leads = Path(os.path.realpath(link))
        if leads != root and root not in leads.parents:
            raise ArchiveRefused(
                f"{link.relative_to(root).as_posix()!r} is a link that leaves the folder"
            )


def _target(root: Path, name: str) -> Path:
    """Where a member goes. Its folder is resolved first, so no planted link leads it away."""
    pieces = PurePosixPath(name)
    if pieces.is_absolute() or ".." in pieces.parts or "\0" in name:
        raise ArchiveRefused(f"{name!r} leaves the folder the archive is unpacked to")
    if not pieces.parts:
        return root
    parent = Path(os.path.realpath(root.joinpath(*pieces.parts[:-1])))
    if parent != root and root not in parent.parents:
        raise ArchiveRefused(f"{name!r} leaves the folder the archive is unpacked to")
    parent.mkdir(parents=True, exist_ok=True)
    return parent / pieces.name


def _extract_file(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    content = archive.extractfile(member)
    if content is None:
        raise ArchiveRefused(f"{member.name!r} has no content")
    if target.is_symlink() or target.exists():
        if target.is_dir() and not target.is_symlink():
            raise ArchiveRefused(f"{member.name!r} is a folder and a file")
        target.unlink()
    mode = 0o644 | (member.mode & stat.S_IXUSR and 0o111)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with content, os.fdopen(descriptor, "wb") as stream:
        while chunk := content.read(1 << 20):
            stream.write(chunk)


def _header(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode = kind, mode
    return header


def _extract_link(member: tarfile.TarInfo, target: Path, root: Path) -> None:
    """Make a link that stays inside; a hard link becomes a symbolic one of the same meaning."""
    if member.islnk():
        to = _target(root, member.linkname)
        text = os.path.relpath(to, target.parent)
    else:
        text = member.linkname
        if text.startswith("/"):
            raise ArchiveRefused(f"{member.name!r} is a link that leaves the folder")
    leads = Path(os.path.realpath(target.parent / text))
    if leads != root and root not in leads.parents:
        raise ArchiveRefused(f"{member.name!r} is a link that leaves the folder")
    if target.is_symlink() or target.is_file():
        target.unlink()
    target.symlink_to(text)
