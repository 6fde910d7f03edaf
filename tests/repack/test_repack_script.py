"""The script that puts code into a model's archive, on archives good, odd and hostile."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steps import _repack_script as script

SCRIPT = Path(script.__file__)
Member = tuple[str, bytes, str]
"""Name, tarfile's type, and the content or what a link names."""
FILE, LINK, HARD, FOLDER = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


def archive(path: Path, members: Iterable[Member], mode: str = "w:gz") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, kind, text in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            data = b""
            if kind in (LINK, HARD):
                info.linkname = text
            elif kind == FILE:
                data = text.encode()
            info.size, info.mode = len(data), 0o755 if name.endswith(".sh") else 0o4644
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    (code / "more").mkdir(parents=True)
    (code / "inference.py").write_text("serve")
    (code / "more" / "words.txt").write_text("words")
    return tmp_path


def run(place: Path) -> subprocess.CompletedProcess[str]:
    words = [str(place / name) for name in ("model", "code", "out")]
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *words], capture_output=True, text=True, check=False
    )


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("mode", ["w:gz", "w", "w:bz2"])
def test_the_model_stays_and_the_code_comes_in(place: Path, mode: str) -> None:
    members = [
        ("./", FOLDER, ""),
        ("./model.pth", FILE, "weights"),
        ("./code/old.py", FILE, "old"),
        ("./code", FOLDER, ""),
        ("empty", FOLDER, ""),
        ("bin/run.sh", FILE, "run"),
        ("bin/same", HARD, "bin/run.sh"),
        ("bin/again", HARD, "bin/same"),
        ("old", HARD, "code/old.py"),
        ("latest", LINK, "bin/../model.pth"),
    ]
    archive(place / "model" / "model.tar.gz", members, mode)
    done = run(place)
    assert done.returncode == 0, done.stderr
    assert files(place / "out") == {
        "bin/again": "run",
        "bin/run.sh": "run",
        "bin/same": "run",
        "code/inference.py": "serve",
        "code/more/words.txt": "words",
        "latest": "weights",
        "model.pth": "weights",
        "old": "old",
    }
    assert (place / "out" / "latest").is_symlink()
    assert (place / "out" / "empty").is_dir()
    modes = {name: (place / "out" / name).stat().st_mode & 0o7777 for name in files(place / "out")}
    assert (modes["bin/run.sh"], modes["model.pth"]) == (0o755, 0o644)
    assert "model.tar.gz repacked: 8 files" in done.stdout


HOSTILE: dict[str, tuple[list[Member], str]] = {
    "up": ([("../out-of-it", FILE, "x")], "'../out-of-it' leads out of it"),
    "inner up": ([("a/../../out-of-it", FILE, "x")], "'a/../../out-of-it' leads out of it"),
    "absolute": ([("/tmp/out-of-it", FILE, "x")], "'/tmp/out-of-it' leads out of it"),
    "link up": ([("a", LINK, "../secret")], "link 'a' leads out of it"),
    "absolute link": ([("a", LINK, "/etc")], "link 'a' leads out of it"),
    "through a link": (
        [("a", LINK, "."), ("b", LINK, "a/../../secret")],
        "link 'b' leads out of it",
    ),
    "by a later link": (
        [("x", LINK, "e/../secret"), ("e", LINK, ".")],
        "link 'x' leads out of it",
    ),
    "file below a link": (
        [("a", LINK, "b"), ("a/file", FILE, "x")],
        "'a' twice, as a link and as something else",
    ),
    "link below a link": (
        [("b", FOLDER, ""), ("a", LINK, "b"), ("a/c", LINK, "d")],
        "'a/c' lies below a link",
    ),
    "hard link up": ([("a", HARD, "../secret")], "'../secret' leads out of it"),
    "hard link to nothing": ([("a", HARD, "missing")], "is a link to no file before it"),
    "hard link to itself": ([("a", HARD, "a")], "is a link to no file before it"),
    "loop": ([("a", LINK, "b"), ("b", LINK, "a")], "link 'a' leads to itself"),
    "device": ([("a", tarfile.CHRTYPE, "")], "'a' is a device or a pipe"),
    "pipe": ([("a", tarfile.FIFOTYPE, "")], "'a' is a device or a pipe"),
    "file over a folder": ([("a", FOLDER, ""), ("a", FILE, "x")], "can't be unpacked"),
}


@pytest.mark.parametrize("case", HOSTILE, ids=list(HOSTILE))
def test_a_hostile_archive_ends_the_job_and_writes_nothing_outside(case: str, place: Path) -> None:
    members, message = HOSTILE[case]
    (place / "secret").write_text("secret")
    archive(place / "model" / "model.tar.gz", members)
    before = {path for path in place.rglob("*") if place / "out" not in path.parents}
    done = run(place)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    after = {path for path in place.rglob("*") if place / "out" not in path.parents}
    assert after - before <= {place / "out"}
    assert (place / "secret").read_text() == "secret"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "there is nothing"),
        ({"a.tar.gz": b"x", "b.tar.gz": b"x"}, "there is a.tar.gz, b.tar.gz"),
        ({"model.tar.gz": b"no archive at all"}, "model.tar.gz can't be unpacked"),
        ({"model.tar.gz": b"\x1f\x8b\x08\x00 damaged"}, "model.tar.gz can't be unpacked"),
    ],
)
def test_what_is_no_archive_is_told(content: dict[str, bytes], message: str, place: Path) -> None:
    (place / "model").mkdir()
    for name, data in content.items():
        (place / "model" / name).write_bytes(data)
    done = run(place)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_archive_cut_off_is_told(place: Path) -> None:
    whole = archive(place / "model" / "model.tar.gz", [("model.pth", FILE, "weights" * 5000)])
    whole.write_bytes(whole.read_bytes()[:-20])
    done = run(place)
    assert done.returncode == 1
    assert "model.tar.gz can't be unpacked" in done.stderr


NAMES = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=3).map("/".join)
MEMBERS = st.lists(st.tuples(NAMES, st.sampled_from([FILE, LINK, HARD, FOLDER]), NAMES), max_size=6)


@settings(max_examples=150, deadline=None)
@given(MEMBERS)
def test_nothing_of_any_archive_leaves_the_folder(members: list[Member]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        around = Path(folder)
        target = around / "out"
        target.mkdir()
        (around / "a").write_text("mine")
        packed = archive(around / "model.tar.gz", members)
        try:
            script.unpack(packed, target)
            refused = False
        except script.Refused:
            refused = True
        assert sorted(path.name for path in around.iterdir()) == ["a", "model.tar.gz", "out"]
        assert (around / "a").read_text() == "mine"
        if not refused:
            top = target.resolve()
            for path in target.rglob("*"):
                assert path.resolve().is_relative_to(top)
