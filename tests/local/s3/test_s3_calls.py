"""boto3's own client against the local S3: what scripts do with objects, as they do it."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from pipelines.local.objects import ObjectStore
from pipelines.local.s3 import LocalS3


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "s3", tmp_path)


@pytest.fixture
def address(objects: ObjectStore) -> Iterator[dict[str, str]]:
    local = LocalS3(objects)
    yield local.environment()
    local.close()


@pytest.fixture(scope="session")
def core() -> boto3.Session:
    """One session: it reads the API's model, which takes longer than all calls here."""
    return boto3.Session(region_name="us-east-1")


def client_of(core: boto3.Session, address: dict[str, str], **settings: Any) -> Any:
    key = settings.pop("key", address["AWS_ACCESS_KEY_ID"])
    return core.client(
        "s3",
        aws_access_key_id=key,
        aws_secret_access_key=address["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=address["AWS_ENDPOINT_URL_S3"],
        config=Config(retries={"total_max_attempts": 1}, **settings),
    )


@pytest.fixture
def s3(core: boto3.Session, address: dict[str, str]) -> Any:
    return client_of(core, address)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def keys(answer: dict[str, Any]) -> list[str]:
    return [each["Key"] for each in answer.get("Contents", [])]


def test_put_get_head_delete(s3: Any, objects: ObjectStore) -> None:
    body = b"a,b\n1,2\n"
    put = s3.put_object(Bucket="bucket", Key="data/ä b+c.csv", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert objects.get("s3://bucket/data/ä b+c.csv") == body
    got = s3.get_object(Bucket="bucket", Key="data/ä b+c.csv")
    assert got["Body"].read() == body
    head = s3.head_object(Bucket="bucket", Key="data/ä b+c.csv")
    assert (head["ContentLength"], head["ETag"]) == (len(body), put["ETag"])
    assert got["LastModified"] == head["LastModified"]
    s3.delete_object(Bucket="bucket", Key="data/ä b+c.csv")
    s3.delete_object(Bucket="bucket", Key="data/ä b+c.csv")
    with pytest.raises(ClientError) as gone:
        s3.get_object(Bucket="bucket", Key="data/ä b+c.csv")
    assert code_of(gone) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as head_gone:
        s3.head_object(Bucket="bucket", Key="data/ä b+c.csv")
    assert code_of(head_gone) == ("404", 404)
    # The name is free again: nothing of the folder is left.
    s3.put_object(Bucket="bucket", Key="data", Body=b"")
    assert objects.get("s3://bucket/data") == b""


def test_ranges_and_conditions(s3: Any, objects: ObjectStore) -> None:
    objects.put("s3://bucket/k", b"0123456789")

    def get(span: str) -> tuple[bytes, int, str]:
        answer = s3.get_object(Bucket="bucket", Key="k", Range=span)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return answer["Body"].read(), status, answer.get("ContentRange", "")

    assert get("bytes=2-4") == (b"234", 206, "bytes 2-4/10")
    assert get("bytes=7-") == (b"789", 206, "bytes 7-9/10")
    assert get("bytes=-3") == (b"789", 206, "bytes 7-9/10")
    assert get("bytes=0-99") == (b"0123456789", 206, "bytes 0-9/10")
    assert get("bytes=5-2") == (b"0123456789", 200, "")
    with pytest.raises(ClientError) as beyond:
        get("bytes=10-")
    assert code_of(beyond) == ("InvalidRange", 416)
    tag = s3.head_object(Bucket="bucket", Key="k")["ETag"]
    assert s3.get_object(Bucket="bucket", Key="k", IfMatch=tag)["Body"].read() == b"0123456789"
    for condition in ({"IfMatch": '"other"'}, {"IfNoneMatch": tag}):
        with pytest.raises(ClientError):
            s3.get_object(Bucket="bucket", Key="k", **condition)
    with pytest.raises(ClientError) as exists:
        s3.put_object(Bucket="bucket", Key="k", Body=b"x", IfNoneMatch="*")
    assert code_of(exists) == ("PreconditionFailed", 412)
    assert objects.get("s3://bucket/k") == b"0123456789"


def test_listing(s3: Any, objects: ObjectStore) -> None:
    names = ["a", "dir/1", "dir/2", "dir/sub/3", "e&<ü>", "z"]
    for name in names:
        objects.put(f"s3://bucket/{name}", name.encode())
    for method in ("list_objects_v2", "list_objects"):
        found: list[str] = []
        pages = 0
        for page in s3.get_paginator(method).paginate(
            Bucket="bucket", PaginationConfig={"PageSize": 2}
        ):
            pages += 1
            found += keys(page)
        assert (found, pages) == (names, 3), method
        rolled: list[str] = []
        prefixes: list[str] = []
        for page in s3.get_paginator(method).paginate(
            Bucket="bucket", Delimiter="/", PaginationConfig={"PageSize": 1}
        ):
            rolled += keys(page)
            prefixes += [each["Prefix"] for each in page.get("CommonPrefixes", [])]
        assert (rolled, prefixes) == (["a", "e&<ü>", "z"], ["dir/"]), method
    below = s3.list_objects_v2(Bucket="bucket", Prefix="dir/", Delimiter="/")
    assert keys(below) == ["dir/1", "dir/2"]
    assert below["CommonPrefixes"] == [{"Prefix": "dir/sub/"}]
    assert (below["KeyCount"], below["IsTruncated"]) == (3, False)
    first = s3.list_objects_v2(Bucket="bucket", Prefix="dir/")["Contents"][0]
    assert (first["Size"], first["ETag"]) == (5, f'"{hashlib.md5(b"dir/1").hexdigest()}"')
    assert keys(s3.list_objects_v2(Bucket="bucket", StartAfter="dir/2")) == names[3:]
    after = s3.list_objects_v2(Bucket="bucket", StartAfter="dir/1", Delimiter="/")
    assert [each["Prefix"] for each in after["CommonPrefixes"]] == ["dir/"]
    assert keys(s3.list_objects_v2(Bucket="nobody")) == []
    assert keys(s3.list_objects_v2(Bucket="bucket", Prefix="../")) == []
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["bucket"]
    s3.head_bucket(Bucket="bucket")
    s3.create_bucket(Bucket="new")
    assert s3.get_bucket_location(Bucket="bucket")["LocationConstraint"] is None


def test_multipart_as_boto3_does_it(s3: Any, objects: ObjectStore, tmp_path: Path) -> None:
    content = os.urandom(11 << 20)
    (tmp_path / "big").write_bytes(content)
    transfer = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    s3.upload_file(str(tmp_path / "big"), "bucket", "big", Config=transfer)
    assert objects.get("s3://bucket/big") == content
    s3.download_file("bucket", "big", str(tmp_path / "again"), Config=transfer)
    assert (tmp_path / "again").read_bytes() == content
    s3.upload_fileobj(io.BytesIO(content[:100]), "bucket", "small")
    assert objects.get("s3://bucket/small") == content[:100]
    assert not [each for each in objects.scratch.rglob("*") if each.is_file()]


def test_multipart_step_by_step(s3: Any, objects: ObjectStore) -> None:
    where = {"Bucket": "bucket", "Key": "k"}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    tags = [
        s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        for number, body in ((2, b"two"), (1, b"old"), (1, b"one"))
    ]
    listed = s3.list_parts(**where, UploadId=upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, 3), (2, 3)]
    assert s3.list_multipart_uploads(Bucket="bucket")["Uploads"][0]["UploadId"] == upload
    assert objects.find("s3://bucket/k") is None

    def complete(*parts: tuple[int, str]) -> None:
        listed = [{"PartNumber": number, "ETag": tag} for number, tag in parts]
        s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": listed})

    for wrong in ([(1, tags[1])], [(3, tags[2])], [(2, tags[0]), (1, tags[2])]):
        with pytest.raises(ClientError) as refused:
            complete(*wrong)
        assert code_of(refused) == ("InvalidPart", 400)
    complete((1, tags[2]), (2, tags[0]))
    assert objects.get("s3://bucket/k") == b"onetwo"
    other = s3.create_multipart_upload(**where)["UploadId"]
    copied = s3.upload_part_copy(
        **where, UploadId=other, PartNumber=1, CopySource="bucket/k", CopySourceRange="bytes=3-5"
    )
    assert copied["CopyPartResult"]["ETag"] == tags[0]
    s3.abort_multipart_upload(**where, UploadId=other)
    with pytest.raises(ClientError) as gone:
        s3.upload_part(**where, UploadId=other, PartNumber=1, Body=b"x")
    assert code_of(gone) == ("NoSuchUpload", 404)


def test_copying_and_deleting_several(s3: Any, objects: ObjectStore) -> None:
    objects.put("s3://bucket/from ä", b"content")
    s3.copy_object(Bucket="other", Key="to", CopySource={"Bucket": "bucket", "Key": "from ä"})
    s3.copy({"Bucket": "bucket", "Key": "from ä"}, "other", "managed")
    assert objects.get("s3://other/to") == objects.get("s3://other/managed") == b"content"
    wanted = [{"Key": key} for key in ("to", "managed", "none", "../x")]
    answer = s3.delete_objects(Bucket="other", Delete={"Objects": wanted})
    assert [each["Key"] for each in answer["Deleted"]] == ["to", "managed", "none"]
    assert [each["Key"] for each in answer["Errors"]] == ["../x"]
    assert objects.search("s3://other") == ()


def test_hostile_names_reach_nothing(s3: Any, objects: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    objects.put("s3://bucket/a", b"1")
    (objects.root / "bucket" / "link").symlink_to(tmp_path)
    for key in ("../secret", "../../secret", "a/../../../secret", "/etc/passwd", "x" * 300, "a\0b"):
        with pytest.raises(ClientError) as refused:
            s3.get_object(Bucket="bucket", Key=key)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404), key
        with pytest.raises(ClientError):
            s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    with pytest.raises(ClientError) as through:
        s3.get_object(Bucket="bucket", Key="link/secret")
    assert "symbolic link" in str(through.value)
    listed = s3.list_objects_v2(Bucket="bucket")
    assert [each["Key"] for each in listed["Contents"]] == ["a"]
    with pytest.raises(ClientError) as below:
        s3.list_objects_v2(Bucket="bucket", Prefix="link/")
    assert code_of(below)[1] == 403
    with pytest.raises(ClientError) as copied:
        s3.copy_object(Bucket="bucket", Key="c", CopySource="bucket/../../secret")
    assert code_of(copied)[1] in (400, 404)
    for key in ("a/below", "a/"):
        with pytest.raises(ClientError):
            s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s3", "secret"]


def test_only_this_run_s_key_is_answered(core: boto3.Session, address: dict[str, str]) -> None:
    from botocore import UNSIGNED

    with pytest.raises(ClientError) as other:
        client_of(core, address, key="AKIAIOSFODNN7EXAMPLE").list_buckets()
    assert code_of(other) == ("InvalidAccessKeyId", 403)
    with pytest.raises(ClientError) as unsigned:
        client_of(core, address, signature_version=UNSIGNED).list_objects_v2(Bucket="b")
    assert code_of(unsigned) == ("AccessDenied", 403)


def test_presigned_urls(core: boto3.Session, address: dict[str, str], objects: ObjectStore) -> None:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    objects.put("s3://bucket/k", b"content")
    for version in ("s3", "s3v4"):
        client = client_of(core, address, signature_version=version)
        where = {"Bucket": "bucket", "Key": "k"}
        url = client.generate_presigned_url("get_object", Params=where)
        assert urlopen(url).read() == b"content"
        up = client.generate_presigned_url("put_object", Params={"Bucket": "b", "Key": version})
        urlopen(Request(up, b"put", method="PUT"))
        assert objects.get(f"s3://b/{version}") == b"put"
        with pytest.raises(HTTPError) as refused:
            urlopen(url.replace(address["AWS_ACCESS_KEY_ID"], "SAGEDAGSOMEBODYELSE"))
        assert refused.value.code == 403


def test_what_is_not_kept_says_so(s3: Any, objects: ObjectStore) -> None:
    objects.put("s3://bucket/k", b"")
    for call in (s3.get_object_tagging, s3.get_object_acl):
        with pytest.raises(ClientError) as refused:
            call(Bucket="bucket", Key="k")
        assert code_of(refused)[0] == "NotImplemented"


def test_many_at_once_leave_whole_objects(s3: Any, objects: ObjectStore) -> None:
    bodies = [bytes([number]) * 200_000 for number in range(8)]

    def work(number: int) -> bool:
        for _ in range(6):
            s3.put_object(Bucket="bucket", Key="shared/one", Body=bodies[number])
            s3.put_object(Bucket="bucket", Key=f"own/{number}", Body=bodies[number])
            s3.delete_object(Bucket="bucket", Key=f"own/{number}")
        return s3.get_object(Bucket="bucket", Key="shared/one")["Body"].read() in bodies

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert [entry.uri for entry in objects.search("s3://bucket")] == ["s3://bucket/shared/one"]
