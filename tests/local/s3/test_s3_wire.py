"""Below boto3: framings of bodies, checksums, broken requests, jobs that are killed, pages."""

from __future__ import annotations

import base64
import http.client
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.objects import ObjectStore
from pipelines.local.s3 import LocalS3
from pipelines.local.s3.listing import Found, list_objects


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return ObjectStore(tmp_path / "s3", tmp_path)


@pytest.fixture
def local(objects: ObjectStore) -> Iterator[LocalS3]:
    made = LocalS3(objects)
    yield made
    made.close()


class Wire:
    """A signed connection."""

    def __init__(self, local: LocalS3) -> None:
        variables = local.environment()
        self.port = int(variables["AWS_ENDPOINT_URL_S3"].rpartition(":")[2])
        self.key = variables["AWS_ACCESS_KEY_ID"]
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"AWS4-HMAC-SHA256 Credential={self.key}/20260101/x, Signature=0"
        chunked = isinstance(body, list)
        self.connection.request(method, path, body, named, encode_chunked=chunked)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def wire(local: LocalS3) -> Wire:
    return Wire(local)


def signed(*chunks: bytes, trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x;chunk-signature=%064d\r\n%b\r\n" % (len(c), 0, c) for c in chunks)
    return framed + b"0;chunk-signature=%064d\r\n" % 0 + trailer + b"\r\n"


def test_signed_chunks_are_unwrapped(wire: Wire, objects: ObjectStore) -> None:
    pieces = (b"one" * 40_000, b"\r\n0;x\r\n", b"three")
    body = signed(*pieces, trailer=b"x-amz-checksum-crc32:AAAAAA==\r\n")
    for number, kind in enumerate(("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "UNSIGNED")):
        headers = {"x_amz_content_sha256": kind, "Content_Encoding": "aws-chunked"}
        assert wire.call("PUT", f"/bucket/{number}", body, **headers)[0] == 200
        assert objects.get(f"s3://bucket/{number}") == b"".join(pieces)
    assert wire.call("PUT", "/bucket/c", [b"ab", b"cd"], Transfer_Encoding="chunked")[0] == 200
    assert objects.get("s3://bucket/c") == b"abcd"


def test_a_damaged_body_leaves_nothing(wire: Wire, objects: ObjectStore) -> None:
    objects.put("s3://bucket/k", b"before")
    crc = base64.b64encode(zlib.crc32(b"content").to_bytes(4, "big")).decode()
    assert wire.call("PUT", "/bucket/ok", b"content", x_amz_checksum_crc32=crc)[0] == 200
    for headers in (
        {"x_amz_checksum_crc32": crc},
        {"Content_MD5": base64.b64encode(bytes(16)).decode()},
        {"x_amz_checksum_sha256": base64.b64encode(bytes(32)).decode()},
    ):
        status, text = wire.call("PUT", "/bucket/k", b"damaged", **headers)
        assert (status, b"BadDigest" in text) == (400, True)
    cut = signed(b"x" * 100)[:60]
    status, text = wire.call("PUT", "/bucket/k", cut, Content_Encoding="aws-chunked")
    assert (status, b"IncompleteBody" in text) == (400, True)
    assert objects.get("s3://bucket/k") == b"before"
    assert not list(objects.scratch.iterdir())


def test_a_client_that_dies_in_the_middle_leaves_nothing(wire: Wire, objects: ObjectStore) -> None:
    with socket.create_connection(("127.0.0.1", wire.port)) as half:
        head = (
            "PUT /bucket/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            f"Authorization: AWS {wire.key}:x\r\n\r\n"
        )
        half.sendall(head.encode() + b"only this")
        for _ in range(100):
            if objects.scratch.exists() and list(objects.scratch.iterdir()):
                break
            time.sleep(0.02)
    for _ in range(100):
        if not list(objects.scratch.iterdir()):
            break
        time.sleep(0.02)
    assert not list(objects.scratch.iterdir())
    assert objects.find("s3://bucket/half") is None
    assert wire.call("PUT", "/bucket/whole", b"x")[0] == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not xml", b"MalformedXML"),
        (b"<Delete><Object></Object></Delete>", b"MalformedXML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Delete>&b;</Delete>', b"MalformedXML"),
        (b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>", b"MalformedXML"),
        (b"x" * (5 << 20), b"EntityTooLarge"),
    ],
    ids=["text", "keyless", "entities", "many", "long"],
)
def test_broken_documents(wire: Wire, body: bytes, code: bytes) -> None:
    status, text = wire.call("POST", "/bucket?delete", body)
    assert status == 400
    assert code in text
    # The connection, and the server, go on.
    assert wire.call("PUT", "/bucket/k", b"x")[0] == 200


def test_wrong_arguments_are_told(wire: Wire) -> None:
    for path in (
        "/bucket?list-type=2&max-keys=many",
        "/bucket?list-type=2&continuation-token=%FF",
        "/BAD..NAME/k",
        "/bucket/k?uploadId=../../x",
        "/bucket?policy",
    ):
        status, text = wire.call("GET", path)
        assert 400 <= status < 600, path
        assert text.startswith(b"<?xml"), path
        assert b"<Code>" in text
    assert wire.call("PATCH", "/bucket/k")[0] == 501


def test_a_socket_is_bound_only_when_a_job_needs_it(objects: ObjectStore) -> None:
    idle = LocalS3(objects)
    idle.close()
    used = LocalS3(objects)
    first = used.environment()
    assert used.environment() == first
    assert LocalS3(objects).environment()["AWS_ACCESS_KEY_ID"] != first["AWS_ACCESS_KEY_ID"]
    used.close()
    used.close()
    port = int(first["AWS_ENDPOINT_URL_S3"].rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def pages_of(found: list[Found], query: dict[str, str]) -> tuple[list[str], list[str]]:
    from xml.etree import ElementTree

    space = "{http://s3.amazonaws.com/doc/2006-03-01/}"
    keys: list[str] = []
    prefixes: list[str] = []
    token = None
    for _ in range(1000):
        asked = query | ({"continuation-token": token} if token else {})
        matching = (each for each in found if each.key.startswith(query.get("prefix", "")))
        root = ElementTree.fromstring(
            list_objects("b", {"list-type": "2", **asked}, lambda _, found=matching: found)
        )
        keys += [e.findtext(f"{space}Key", "") for e in root.iter(f"{space}Contents")]
        prefixes += [e.findtext(f"{space}Prefix", "") for e in root.iter(f"{space}CommonPrefixes")]
        token = root.findtext(f"{space}NextContinuationToken")
        if token is None:
            return keys, prefixes
    raise AssertionError("the pages do not end")


@given(
    names=st.sets(st.text("ab/c", min_size=1, max_size=6), max_size=25),
    prefix=st.text("ab/", max_size=2),
    size=st.integers(1, 5),
)
def test_pages_hold_every_key_once(names: set[str], prefix: str, size: int) -> None:
    found = [Found(key, 1, 0, '"x"') for key in sorted(names)]
    matching = [key for key in sorted(names) if key.startswith(prefix)]
    query = {"prefix": prefix, "max-keys": str(size)}
    assert pages_of(found, query) == (matching, [])
    keys, prefixes = pages_of(found, query | {"delimiter": "/"})
    ends = [key[len(prefix) :] for key in matching]
    assert keys == [key for key, end in zip(matching, ends, strict=True) if "/" not in end]
    heads = {prefix + end.partition("/")[0] + "/" for end in ends if "/" in end}
    assert prefixes == sorted(heads)
