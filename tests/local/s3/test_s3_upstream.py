"""Reading S3 itself where a run may: what is here goes first, what is not is fetched once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from pipelines.local.addresses import ObjectMissing, ObjectRefused
from pipelines.local.objects import ObjectStore
from pipelines.local.s3 import LocalS3


class Listed:
    def __init__(self, key: str, size: int) -> None:
        self.key, self.size, self.modified, self.etag = key, size, 1e9, '"there"'


class There:
    """S3 itself, which counts what is asked of it."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.fetched: list[str] = []
        self.listed: list[str] = []

    def keys(self, bucket: str, prefix: str) -> Iterator[Listed]:
        self.listed.append(prefix)
        for key, content in sorted(self.contents.items()):
            if bucket == "bucket" and key.startswith(prefix):
                yield Listed(key, len(content))

    def fetch(self, bucket: str, key: str, target: Path) -> bool:
        if bucket != "bucket" or key not in self.contents:
            return False
        self.fetched.append(key)
        target.write_bytes(self.contents[key])
        return True


@pytest.fixture
def there() -> There:
    return There({"in/a": b"far", "in/b": b"far", "in/": b"", "other": b"o", "../evil": b"e"})


@pytest.fixture
def objects(tmp_path: Path, there: There) -> ObjectStore:
    made = ObjectStore(tmp_path / "s3", tmp_path, {"s3://bucket/mapped": tmp_path}, there)
    made.put("s3://bucket/in/a", b"here")
    made.put("s3://bucket/in/c", b"here")
    return made


def test_an_input_is_fetched_once_and_what_is_here_goes_first(
    objects: ObjectStore, there: There, tmp_path: Path
) -> None:
    for turn in range(2):
        objects.download("s3://bucket/in", tmp_path / f"job-{turn}")
    files = {path.name: path.read_bytes() for path in (tmp_path / "job-1").iterdir()}
    assert files == {"a": b"here", "b": b"far", "c": b"here"}
    assert there.fetched == ["in/b"]
    assert there.listed == ["in"]
    assert objects.get("s3://bucket/other") == objects.get("s3://bucket/other") == b"o"
    assert there.fetched == ["in/b", "other"]
    with pytest.raises(ObjectMissing):
        objects.get("s3://bucket/none")
    with pytest.raises(ObjectMissing):
        objects.download("s3://nobody/in", tmp_path / "none")
    with pytest.raises(ObjectRefused):
        objects.get("s3://bucket/../evil")
    assert not (objects.scratch.exists() and list(objects.scratch.iterdir()))


def test_a_mapped_prefix_is_not_asked_for(objects: ObjectStore, there: There) -> None:
    assert not objects.exists("s3://bucket/mapped/none")
    assert there.listed == []


def test_jobs_see_both_in_one_listing(objects: ObjectStore, there: There) -> None:
    local = LocalS3(objects)
    try:
        variables = local.environment()
        client = boto3.client(
            "s3",
            endpoint_url=variables["AWS_ENDPOINT_URL_S3"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key="x",
            region_name="us-east-1",
        )
        found = client.list_objects_v2(Bucket="bucket", Prefix="in/")["Contents"]
        assert [each["Key"] for each in found] == ["in/", "in/a", "in/b", "in/c"]
        assert there.fetched == []
        assert client.get_object(Bucket="bucket", Key="in/b")["Body"].read() == b"far"
        assert client.head_object(Bucket="bucket", Key="in/a")["ContentLength"] == 4
        assert there.fetched == ["in/b"]
    finally:
        local.close()


def test_without_leave_nothing_is_asked(tmp_path: Path) -> None:
    objects = ObjectStore(tmp_path / "s3")
    assert list(objects.upstream_keys("s3://bucket/in")) == []
    assert not objects.exists("s3://bucket/in")
