"""Assets: content decides the key, and nothing else does."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import assets
from pipelines.assets import Asset, archive_of, make_asset
from pipelines.errors import DefinitionError

ROOT = "s3://bucket/prefix"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    code = tmp_path / "project/code"
    (code / "deep/er").mkdir(parents=True)
    (code / "train.py").write_text("print(1)\n")
    (code / "deep/a.txt").write_text("a")
    (code / "deep/er/b.txt").write_text("b")
    return tmp_path / "project"


def asset_of(project: Path, name: str = "code") -> Asset:
    return make_asset(project / name, ROOT, project)


def test_the_key_is_the_manifests_digest(project: Path) -> None:
    asset = asset_of(project)
    manifest = json.loads(asset.manifest)
    names = [entry["name"] for entry in manifest["files"]]
    assert names == ["deep/a.txt", "deep/er/b.txt", "train.py"]
    assert manifest["files"][2]["sha256"] == hashlib.sha256(b"print(1)\n").hexdigest()
    digest = hashlib.sha256(asset.manifest).hexdigest()
    assert asset.uri == f"s3://bucket/prefix/assets/sha256/{digest}"
    assert asset.size == len("print(1)\n") + 2


def touch(code: Path) -> None:
    os.utime(code / "train.py", (1, 1))


def change_modes(code: Path) -> None:
    (code / "train.py").chmod(0o755)
    (code / "deep").chmod(0o700)


def rename_the_folder(code: Path) -> None:
    code.rename(code.parent / "moved")
    (code.parent / "moved").rename(code)


def add_what_is_ignored(code: Path) -> None:
    for folder in sorted(assets.IGNORED_FOLDERS):
        (code / "deep" / folder).mkdir()
        (code / "deep" / folder / "some.py").write_text("ignored")
    (code / "train.pyc").write_bytes(b"\0")
    (code / "deep/train.pyo").write_bytes(b"\0")
    (code / ".DS_Store").write_bytes(b"\0")


def add_an_empty_folder(code: Path) -> None:
    (code / "empty/inside").mkdir(parents=True)


@pytest.mark.parametrize(
    "change", [touch, change_modes, rename_the_folder, add_what_is_ignored, add_an_empty_folder]
)
def test_what_does_not_change_the_key(project: Path, change: object) -> None:
    before = asset_of(project)
    assert callable(change)
    change(project / "code")
    after = asset_of(project)
    assert (after.digest, list(after.objects())) == (before.digest, list(before.objects()))


def test_the_place_of_the_project_does_not_change_the_key(project: Path, tmp_path: Path) -> None:
    before = list(asset_of(project).objects())
    project.rename(tmp_path / "elsewhere")
    assert list(asset_of(tmp_path / "elsewhere").objects()) == before


def test_content_changes_the_key(project: Path) -> None:
    before = asset_of(project).digest
    (project / "code/train.py").write_text("print(2)\n")
    assert asset_of(project).digest != before


def test_a_name_changes_the_key(project: Path) -> None:
    before = asset_of(project).digest
    (project / "code/train.py").rename(project / "code/fit.py")
    assert asset_of(project).digest != before


def test_equal_files_in_two_folders_have_one_key(project: Path) -> None:
    (project / "other").mkdir()
    (project / "other/train.py").write_text("print(1)\n")
    assert asset_of(project, "other").digest == asset_of(project, "code/train.py").digest


def test_the_archive_is_the_same_every_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = dict(asset_of(project).objects())
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    os.utime(project / "code/train.py", (5, 5))
    assert dict(asset_of(project).objects()) == first


def test_the_archive_holds_the_files_without_the_machine(project: Path) -> None:
    asset = asset_of(project)
    data = dict(asset.objects())[asset.archive_uri]
    assert data[4:8] == b"\0\0\0\0"  # gzip's time
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
        members = tar.getmembers()
        train = tar.extractfile("train.py")
        assert train is not None
        assert train.read() == b"print(1)\n"
    assert [m.name for m in members] == ["deep/a.txt", "deep/er/b.txt", "train.py"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}


def test_the_manifest_comes_last(project: Path) -> None:
    asset = asset_of(project)
    uris = [uri for uri, _ in asset.objects()]
    assert uris == [
        f"{asset.uri}/files/deep/a.txt",
        f"{asset.uri}/files/deep/er/b.txt",
        f"{asset.uri}/files/train.py",
        f"{asset.uri}/sourcedir.tar.gz",
        f"{asset.uri}/manifest.json",
    ]


def test_a_file_that_changed_since_is_not_published(project: Path) -> None:
    asset = asset_of(project)
    (project / "code/train.py").write_text("print(3)\n")
    with pytest.raises(DefinitionError, match="changed while"):
        next(iter(asset.objects()))


def test_a_file_that_went_away_is_told(project: Path) -> None:
    asset = asset_of(project)
    (project / "code/train.py").unlink()
    with pytest.raises(DefinitionError, match="can't be read"):
        list(asset.objects())


def test_a_link_out_of_the_project_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (project / "code/link.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(DefinitionError, match="link out of the project"):
        asset_of(project)


def test_a_link_inside_the_project_is_its_file(project: Path) -> None:
    (project / "shared.py").write_text("shared")
    (project / "code/shared.py").symlink_to(project / "shared.py")
    asset = asset_of(project)
    assert dict(asset.objects())[f"{asset.files_uri}/shared.py"] == b"shared"


def test_a_link_to_a_folder_is_refused(project: Path) -> None:
    (project / "lib").mkdir()
    (project / "code/lib").symlink_to(project / "lib")
    with pytest.raises(DefinitionError, match="link to a folder"):
        asset_of(project)


def test_a_loop_of_links_is_no_file(project: Path) -> None:
    (project / "code/loop").symlink_to(project / "code/loop")
    before = asset_of(project).digest
    (project / "code/loop").unlink()
    assert asset_of(project).digest == before


def test_too_many_files_are_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MAX_FILES", 2)
    with pytest.raises(DefinitionError, match="more than 2 files"):
        asset_of(project)


def test_too_much_is_refused_before_it_is_read(project: Path) -> None:
    with (project / "code/big.bin").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    with pytest.raises(DefinitionError, match="250 MiB"):
        asset_of(project)


def test_an_empty_folder_is_refused(project: Path) -> None:
    (project / "empty").mkdir()
    with pytest.raises(DefinitionError, match="no files"):
        asset_of(project, "empty")


def test_a_name_that_is_no_text_is_refused(project: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(project / "code") + b"/\xff.py")).write_text("x")
    except OSError:
        pytest.skip("this file system takes text only")
    with pytest.raises(DefinitionError, match="not UTF-8"):
        asset_of(project)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=150)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=5))
def test_any_files_come_back_from_the_archive(files: dict[str, bytes]) -> None:
    contents = sorted(files.items())
    data = archive_of(contents)
    assert archive_of(contents) == data
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        for member in tar.getmembers():
            stream = tar.extractfile(member)
            assert stream is not None
            assert stream.read() == files[member.name]
        assert sorted(tar.getnames()) == sorted(files)
