"""Puts serving code into a model's archive; runs in a training job. Standard library only.

Usage: _repack_script.py MODEL_FOLDER CODE_FOLDER TARGET

MODEL_FOLDER holds one archive. Its content goes to TARGET, of which SageMaker makes the new
archive, and the files of CODE_FOLDER to TARGET/code, in place of what the archive had there. It
runs in whatever Python 3.8 or newer the image has, so it stays simple.

An archive may come from anywhere. Nothing of it is written outside TARGET: members that lead out,
links that lead out and devices end the job, and links are made when all files are written, so that
no file is ever written through one.
"""

from __future__ import annotations

import errno
import os
import posixpath
import shutil
import sys
import tarfile
from pathlib import Path
from typing import NoReturn

FAILURE = Path("/opt/ml/output/failure")
"""What a training job leaves here is its failure reason."""

CODE = "code"


class Refused(Exception):
    """The archive can't be repacked."""


def fail(message: str) -> NoReturn:
    """End the job with a reason."""
    if FAILURE.parent.is_dir():
        FAILURE.write_text(message[:1024], encoding="utf-8")
    sys.exit(message)


def find_archive(folder: Path) -> Path:
    """Return the one archive in the model's channel."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if len(files) != 1:
        found = ", ".join(str(path.relative_to(folder)) for path in files[:5]) or "nothing"
        raise Refused(f"the model must be one archive (.tar.gz), and there is {found}")
    return files[0]


def place_of(name: str) -> str:
    """Return a member's place below the target; empty for the archive's own top folder."""
    if "\0" in name or posixpath.isabs(name) or ".." in name.split("/"):
        raise Refused(f"the archive's member {name!r} leads out of it")
    place = posixpath.normpath(name)
    return "" if place == "." else place


def is_code(place: str) -> bool:
    """Whether a place is that of the code, which the new code takes over."""
    return place == CODE or place.startswith(CODE + "/")


def unpack(archive: Path, target: Path) -> None:
    """Unpack an archive below a folder, its own code left out.

    Raises:
        Refused: it is no archive, it is damaged, or it has a member that must not be written.
    """
    links = []
    files: dict[str, tarfile.TarInfo] = {}
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                place = place_of(member.name)
                if member.islnk():
                    member = file_of(member, files)
                if member.isreg():
                    files[place] = member
                if is_code(place) or not place:
                    continue
                if member.issym():
                    links.append((place, member.linkname))
                elif member.isdir():
                    (target / place).mkdir(parents=True, exist_ok=True)
                elif member.isreg():
                    write(tar, member, target / place)
                else:
                    raise Refused(f"the archive's member {member.name!r} is a device or a pipe")
        make_links(links, target)
    except (tarfile.TarError, EOFError, OSError, KeyError) as error:
        raise Refused(f"{archive.name} can't be unpacked: {error}") from error


def file_of(link: tarfile.TarInfo, files: dict[str, tarfile.TarInfo]) -> tarfile.TarInfo:
    """Return the file before it that a hard link names; the link becomes a copy of it."""
    known = files.get(place_of(link.linkname))
    if known is None:
        raise Refused(f"the archive's member {link.name!r} is a link to no file before it")
    return known


def write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    """Write one file."""
    content = tar.extractfile(member)
    if content is None:
        raise Refused(f"the archive's member {member.name!r} is no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file, 1024 * 1024)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def make_links(links: list[tuple[str, str]], target: Path) -> None:
    """Make symbolic links; every one must stay below the target when all are there."""
    top = os.path.realpath(target)
    for place, aim in links:
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.realpath(path.parent) != str(Path(top, place).parent):
            raise Refused(f"the archive's member {place!r} lies below a link")
        if os.path.lexists(path):
            raise Refused(f"the archive has {place!r} twice, as a link and as something else")
        if posixpath.isabs(aim):
            raise Refused(f"the archive's link {place!r} leads out of it: {aim!r}")
        path.symlink_to(aim)
    for place, aim in links:
        real = os.path.realpath(target / place)
        if goes_round(target / place):
            raise Refused(f"the archive's link {place!r} leads to itself")
        if real != top and not real.startswith(top + os.sep):
            raise Refused(f"the archive's link {place!r} leads out of it: {aim!r}")


def goes_round(path: Path) -> bool:
    """Whether a link leads to itself, directly or by others."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def main(words: list[str]) -> None:
    """Unpack the model, put the code beside it."""
    model, code, target = (Path(word) for word in words[:3])
    target.mkdir(parents=True, exist_ok=True)
    try:
        archive = find_archive(model)
        unpack(archive, target)
    except Refused as refusal:
        fail(str(refusal))
    shutil.copytree(code, target / CODE)
    names = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    print(f"{archive.name} repacked: {len(names)} files")
    for name in names[:100]:
        print(f"  {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
