"""ListObjects and ListObjectsV2: pages of keys below a prefix, folders rolled up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pipelines.local.s3.documents import document, timestamp
from pipelines.local.s3.problems import S3Error

MAX_KEYS = 1000
"""Keys of one page. Source: API reference, ListObjectsV2, MaxKeys."""


@dataclass(frozen=True)
class Found:
    """An object as a listing shows it."""

    key: str
    size: int
    modified: float
    etag: str


@dataclass(frozen=True)
class _Page:
    objects: list[Found]
    prefixes: list[str]
    last: str
    truncated: bool


def list_objects(
    bucket: str, query: Mapping[str, str], objects: Callable[[str], Iterable[Found]]
) -> bytes:
    """Answer a listing.

    Args:
        bucket: the bucket's name.
        query: the request's query.
        objects: gives the objects whose key begins with a prefix, in the order of their keys.

    Raises:
        S3Error: an argument has no valid value.
    """
    second = query.get("list-type") == "2"
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    count = query.get("max-keys", "") or str(MAX_KEYS)
    if not count.isdigit():
        raise S3Error("InvalidArgument", f"max-keys is {count!r}, no number")
    most = min(int(count), MAX_KEYS)
    token = query.get("continuation-token") if second else None
    after = _untoken(token) if token else query.get("start-after" if second else "marker", "")
    page = _cut(objects(prefix), prefix, delimiter, after, most)

    def shown(text: str) -> str:
        encoded = query.get("encoding-type") == "url"
        return quote(text, safe="/", errors="surrogateescape") if encoded else text

    members: list[tuple[str, object]] = [("Name", bucket), ("Prefix", shown(prefix))]
    if second:
        members.append(("KeyCount", len(page.objects) + len(page.prefixes)))
        members += [("ContinuationToken", token)] if token else []
        members += [("StartAfter", shown(query["start-after"]))] if "start-after" in query else []
        if page.truncated:
            members.append(("NextContinuationToken", _token(page.last)))
    else:
        members.append(("Marker", shown(after)))
        if page.truncated:
            members.append(("NextMarker", shown(page.last)))
    members += [("MaxKeys", most), ("IsTruncated", str(page.truncated).lower())]
    members += [("Delimiter", shown(delimiter))] if delimiter else []
    members += [("EncodingType", "url")] if query.get("encoding-type") == "url" else []
    for each in page.objects:
        members.append(
            (
                "Contents",
                [
                    ("Key", shown(each.key)),
                    ("LastModified", timestamp(each.modified)),
                    ("ETag", each.etag),
                    ("Size", each.size),
                    ("StorageClass", "STANDARD"),
                ],
            )
        )
    members += [("CommonPrefixes", [("Prefix", shown(each))]) for each in page.prefixes]
    return document("ListBucketResult", members)


def _cut(found: Iterable[Found], prefix: str, delimiter: str, after: str, most: int) -> _Page:
    """Take one page: what comes after a key, keys below a folder counted as one."""
    objects: list[Found] = []
    prefixes: list[str] = []
    last = after
    for each in found:
        rolled = ""
        if delimiter:
            head, sign, _ = each.key[len(prefix) :].partition(delimiter)
            rolled = prefix + head + sign if sign else ""
        name = rolled or each.key
        if each.key <= after or (rolled and rolled in (after, prefixes[-1] if prefixes else "")):
            continue
        if len(objects) + len(prefixes) == most:
            # A page of none is the whole answer (max-keys=0), not the first of many.
            return _Page(objects, prefixes, last, most > 0)
        if rolled:
            prefixes.append(rolled)
        else:
            objects.append(each)
        last = name
    return _Page(objects, prefixes, last, False)


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode("utf-8", "surrogateescape")).decode("ascii")


def _untoken(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        raise S3Error("InvalidArgument", "the continuation token is none of ours") from None
