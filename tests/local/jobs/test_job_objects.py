"""The object store: S3's semantics where a file system can have them, refusal elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.addresses import ObjectMissing, ObjectRefused, split
from pipelines.local.files import copy_file
from pipelines.local.objects import ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    made = ObjectStore(tmp_path / "s3", tmp_path / "base")
    for key in ("data/a.csv", "data/sub/b.csv", "data-2/c.csv", "database/d.csv", "one"):
        made.put(f"s3://bucket/{key}", key.encode())
    return made


def test_put_get_replace(store: ObjectStore) -> None:
    store.put("s3://bucket/one", b"new")
    assert store.get("s3://bucket/one") == b"new"
    assert not list((store.root / ".writing").iterdir())
    with pytest.raises(ObjectMissing):
        store.get("s3://bucket/none")


def test_sweeping_removes_half_written_objects_alone(store: ObjectStore) -> None:
    (store.root / ".writing" / "left").write_bytes(b"half")
    before = store.list("s3://bucket")
    store.sweep()
    assert not (store.root / ".writing").exists()
    assert store.list("s3://bucket") == before
    store.put("s3://bucket/one", b"again")


def test_list_is_a_prefix_search(store: ObjectStore) -> None:
    assert store.list("s3://bucket/data") == (
        "s3://bucket/data-2/c.csv",
        "s3://bucket/data/a.csv",
        "s3://bucket/data/sub/b.csv",
        "s3://bucket/database/d.csv",
    )
    assert store.list("s3://bucket/data/") == (
        "s3://bucket/data/a.csv",
        "s3://bucket/data/sub/b.csv",
    )
    assert len(store.list("s3://bucket")) == 5
    assert store.list("s3://nobody") == ()


def test_download_names(store: ObjectStore, tmp_path: Path) -> None:
    def names(uri: str) -> list[str]:
        folder = tmp_path / str(abs(hash(uri)))
        store.download(uri, folder)
        return sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        )

    assert names("s3://bucket/data") == ["a.csv", "sub/b.csv"]
    assert names("s3://bucket/data/") == ["a.csv", "sub/b.csv"]
    assert names("s3://bucket/data/a.csv") == ["a.csv"]
    assert names("s3://bucket/dat") == [
        "data-2/c.csv",
        "data/a.csv",
        "data/sub/b.csv",
        "database/d.csv",
    ]
    with pytest.raises(ObjectMissing, match="nothing at s3://bucket/zzz"):
        names("s3://bucket/zzz")


def test_what_a_job_gets_is_a_copy(store: ObjectStore, tmp_path: Path) -> None:
    store.download("s3://bucket/one", tmp_path / "job")
    with (tmp_path / "job" / "one").open("wb") as stream:
        stream.write(b"overwritten by the job")
    assert store.get("s3://bucket/one") == b"one"


def test_local_paths_stand_for_uris_when_reading(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "base" / "in").mkdir(parents=True)
    (tmp_path / "base" / "in" / "x").write_bytes(b"1")
    for uri in ("in", "./in", str(tmp_path / "base/in"), f"file://{tmp_path}/base/in"):
        entries = store.entries(uri)
        assert [entry.name for entry in entries] == ["x"]
        assert store.digest(uri) == store.digest("in")
        assert store.get(f"{uri}/x") == b"1"
    assert store.exists("in/x")
    assert not store.exists("out")
    with pytest.raises(ObjectRefused, match=r"s3:// URIs only|not an s3://"):
        store.put("in/y", b"")
    with pytest.raises(ObjectRefused, match="another machine"):
        store.exists("file://elsewhere/x")
    with pytest.raises(ObjectRefused, match="neither"):
        store.exists("https://example.org/x")


def test_digest_follows_names_and_contents(store: ObjectStore) -> None:
    before = store.digest("s3://bucket/data")
    assert before == store.digest("s3://bucket/data/")
    store.put("s3://bucket/data/a.csv", b"other")
    changed = store.digest("s3://bucket/data")
    assert changed != before
    store.put("s3://bucket/data/a.csv", b"data/a.csv")
    assert store.digest("s3://bucket/data") == before
    store.put("s3://bucket/data/z.csv", b"")
    assert store.digest("s3://bucket/data") not in (before, changed)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/../outside",
        "s3://bucket/a/../../outside",
        "s3://bucket//etc/passwd",
        "s3://bucket/./x",
        "s3://../x",
        "s3://.writing/x",
        "s3:///x",
        "s3://bu\0cket/x",
        "s3://bucket/a\0b",
        "s3://bucket/" + "x" * 300,
        "s3://bucket/" + "x/" * 600 + "y",
        "s3://bucket/folder/",
        "s3://bucket",
        "/etc/passwd",
        "plain",
    ],
)
def test_hostile_uris_are_refused(store: ObjectStore, uri: str) -> None:
    with pytest.raises(ObjectRefused):
        store.put(uri, b"x")


@given(key=st.text(max_size=60))
def test_no_key_leaves_its_bucket(key: str) -> None:
    root = Path("/nowhere/root")
    try:
        _, parsed = split(f"s3://bucket/{key}")
    except ObjectRefused:
        return
    path = Path(os.path.normpath(root / "bucket" / parsed))
    assert path == root / "bucket" or (root / "bucket") in path.parents


def test_links_in_the_store_are_not_followed(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (store.root / "bucket" / "link").symlink_to(tmp_path / "outside")
    (store.root / "other").symlink_to(tmp_path / "outside")
    for uri in ("s3://bucket/link/secret", "s3://other/secret"):
        with pytest.raises(ObjectRefused, match="symbolic link"):
            store.get(uri)
        with pytest.raises(ObjectRefused, match="symbolic link"):
            store.put(uri, b"x")
    for uri in ("s3://bucket/link/", "s3://other/", "s3://bucket/"):
        with pytest.raises(ObjectRefused, match="symbolic link"):
            store.list(uri)


def test_an_object_cannot_be_a_folder_too(store: ObjectStore) -> None:
    with pytest.raises(ObjectRefused, match="same name"):
        store.put("s3://bucket/one/below", b"")
    with pytest.raises(ObjectRefused, match="same name"):
        store.put("s3://bucket/data", b"")
    assert store.get("s3://bucket/one") == b"one"


def test_upload(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "up" / "deep").mkdir(parents=True)
    (tmp_path / "up" / "deep" / "f").write_bytes(b"1")
    assert store.upload(tmp_path / "up", "s3://bucket/up/") == ("s3://bucket/up/deep/f",)
    (tmp_path / "up" / "bad").symlink_to("/etc/passwd")
    with pytest.raises(ObjectRefused, match="symbolic link"):
        store.upload(tmp_path / "up", "s3://bucket/up2")


def test_copying_never_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"new")
    (tmp_path / "precious").write_bytes(b"old")
    (tmp_path / "target").symlink_to(tmp_path / "precious")
    copy_file(tmp_path / "source", tmp_path / "target")
    assert (tmp_path / "precious").read_bytes() == b"old"
    assert (tmp_path / "target").read_bytes() == b"new"
