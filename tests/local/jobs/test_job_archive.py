"""Archives: the same bytes every time, and nothing lands outside."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.local.jobs.archive import ArchiveRefused, Limits, pack, unpack


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, 0o6777
    return info


def test_same_files_same_bytes(tmp_path: Path) -> None:
    archives = []
    for number, order in enumerate((["a", "b/c", "b/d"], ["b/d", "b/c", "a"])):
        top = tmp_path / str(number)
        for name in order:
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_text(name, encoding="utf-8")
            os.utime(top / name, (time.time() - 1000 * number, 12345 * number))
        target = tmp_path / f"{number}.tar.gz"
        pack([(name, top / name) for name in order], target)
        archives.append(target.read_bytes())
    assert archives[0] == archives[1]
    names = unpack(tmp_path / "0.tar.gz", tmp_path / "out")
    assert names == ("a", "b/c", "b/d")
    assert (tmp_path / "out" / "b" / "c").read_text(encoding="utf-8") == "b/c"


def test_packing_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError):
        pack([("link", tmp_path / "link")], tmp_path / "x.tar.gz")
    assert not list(tmp_path.glob("*.tar.gz"))


@pytest.mark.parametrize(
    "members",
    [
        [member("/etc/absolute")],
        [member("../outside")],
        [member("a/../../outside")],
        [member("link", tarfile.SYMTYPE, "/etc/passwd")],
        [member("link", tarfile.SYMTYPE, "../../outside")],
        [member("link", tarfile.LNKTYPE, "../outside")],
        [member("link", tarfile.LNKTYPE, "/etc/passwd")],
        [member("dir", tarfile.SYMTYPE, ".."), member("dir/escaped")],
        [member("a", tarfile.SYMTYPE, "b"), member("b", tarfile.SYMTYPE, ".."), member("a/x")],
        [member("device", tarfile.CHRTYPE)],
        [member("block", tarfile.BLKTYPE)],
        [member("pipe", tarfile.FIFOTYPE)],
    ],
    ids=lambda members: members[-1].name + ">" + members[0].linkname,
)
def test_hostile_archives_are_refused(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    source = tar(tmp_path / "hostile.tar.gz", *((info, b"") for info in members))
    with pytest.raises(ArchiveRefused):
        unpack(source, tmp_path / "in" / "deep")
    outside = [path for path in tmp_path.rglob("*") if "deep" not in path.parts]
    assert sorted(path.name for path in outside) == ["hostile.tar.gz", "in"]


def test_a_link_cannot_be_turned_outward_after_it_was_checked(tmp_path: Path) -> None:
    # `way` leads nowhere when `out` is checked, and would lead outside once `a` exists.
    source = tar(
        tmp_path / "late.tar.gz",
        (member("out", tarfile.SYMTYPE, "a/b/../../.."), b""),
        (member("a", tarfile.DIRTYPE), b""),
        (member("a/b", tarfile.SYMTYPE, "."), b""),
        (member("out/escaped"), b"x"),
    )
    with pytest.raises(ArchiveRefused):
        unpack(source, tmp_path / "in" / "deep")
    assert not list(tmp_path.rglob("escaped"))


def test_a_link_whose_way_was_changed_later_is_found(tmp_path: Path) -> None:
    source = tar(
        tmp_path / "late.tar.gz",
        (member("out", tarfile.SYMTYPE, "a/.."), b""),
        (member("a", tarfile.SYMTYPE, "."), b""),
    )
    with pytest.raises(ArchiveRefused, match="'out' is a link that leaves"):
        unpack(source, tmp_path / "in")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_is_not_read_however_long(tmp_path: Path, kind: bytes) -> None:
    source = tar(tmp_path / "long.tar.gz", (member("long", kind), b"x" * (2 << 20)))
    with pytest.raises(ArchiveRefused, match="header of the archive has 2,097,152 bytes"):
        unpack(source, tmp_path / "out")


def test_bombs(tmp_path: Path) -> None:
    big = tar(tmp_path / "big.tar.gz", (member("zeros"), b"\0" * 5_000_000))
    with pytest.raises(ArchiveRefused, match="more than 1,000,000 bytes"):
        unpack(big, tmp_path / "out", Limits(size=1_000_000))
    many = tar(tmp_path / "many.tar.gz", *((member(f"f{n}"), b"") for n in range(50)))
    with pytest.raises(ArchiveRefused, match="more than 20 entries"):
        unpack(many, tmp_path / "out2", Limits(entries=20))


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-40], lambda data: b"PK" + data, lambda data: b""]
)
def test_broken_archives(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    source = tar(tmp_path / "x.tar.gz", (member("a"), os.urandom(5000)))
    source.write_bytes(spoil(source.read_bytes()))
    with pytest.raises(ArchiveRefused):
        unpack(source, tmp_path / "out")


def test_links_inside_work_and_set_id_bits_are_lost(tmp_path: Path) -> None:
    source = tar(
        tmp_path / "x.tar.gz",
        (member("d/real"), b"content"),
        (member("soft", tarfile.SYMTYPE, "d/real"), b""),
        (member("hard", tarfile.LNKTYPE, "d/real"), b""),
    )
    unpack(source, tmp_path / "out")
    assert (tmp_path / "out" / "soft").read_bytes() == b"content"
    assert (tmp_path / "out" / "hard").read_bytes() == b"content"
    assert (tmp_path / "out" / "d" / "real").stat().st_mode & 0o7000 == 0
