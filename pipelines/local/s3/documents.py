"""S3's XML: what is answered, and the two documents that requests bring."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from pipelines.local.s3.problems import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_PARTS = 10_000
MAX_DELETIONS = 1000

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(root: str, members: Iterable[tuple[str, object]]) -> bytes:
    """Write an XML answer.

    Args:
        root: the outermost element.
        members: names and contents; a list as content nests.
    """
    body = "".join(_element(name, value) for name, value in members)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{body}</{root}>'
    ).encode()


def error_document(code: str, message: str, resource: str) -> bytes:
    """Write an error; it has no namespace."""
    members = (("Code", code), ("Message", message), ("Resource", resource), ("RequestId", "local"))
    body = "".join(_element(name, value) for name, value in members)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}</Error>'.encode()


def timestamp(seconds: float) -> str:
    """Write a time as S3 does in XML."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def read_deletions(body: bytes) -> tuple[list[str], bool]:
    """Read a DeleteObjects request: the keys, and whether only failures are to be told."""
    root = _parse(body)
    keys = [_text(each, "Key") for each in _all(root, "Object")]
    if len(keys) > MAX_DELETIONS:
        raise S3Error("MalformedXML", f"more than {MAX_DELETIONS} keys")
    return keys, _text(root, "Quiet", "false").lower() == "true"


def read_parts(body: bytes) -> list[tuple[int, str]]:
    """Read a CompleteMultipartUpload request: (number, ETag) of the parts, in ascending order."""
    parts = []
    for each in _all(_parse(body), "Part"):
        number = _text(each, "PartNumber")
        if not number.isdigit() or not 1 <= int(number) <= MAX_PARTS:
            raise S3Error("InvalidPart", f"{number!r} is no part number")
        parts.append((int(number), _text(each, "ETag", "").strip('"')))
    if not parts:
        raise S3Error("MalformedXML", "the upload lists no parts")
    if any(one[0] >= other[0] for one, other in itertools.pairwise(parts)):
        raise S3Error("InvalidPart", "the parts are not listed in ascending order")
    return parts


def _element(name: str, value: object) -> str:
    if isinstance(value, list):
        return f"<{name}>{''.join(_element(each, item) for each, item in value)}</{name}>"
    # What XML cannot hold reads as a question mark; with encoding-type=url it is escaped before.
    return f"<{name}>{escape(_UNFIT.sub('?', str(value)))}</{name}>"


def _parse(body: bytes) -> ElementTree.Element:
    # A document type is what entity bombs need, and no S3 client writes one.
    if b"<!" in body:
        raise S3Error("MalformedXML", "document types are not taken")
    try:
        return ElementTree.fromstring(body)  # noqa: S314 - no document type, so no entities
    except (ElementTree.ParseError, ValueError):
        raise S3Error("MalformedXML", "the body is no XML") from None


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in root if each.tag.rpartition("}")[2] == name]


def _text(parent: ElementTree.Element, name: str, default: str | None = None) -> str:
    for each in _all(parent, name):
        return each.text or ""
    if default is None:
        raise S3Error("MalformedXML", f"an element lacks {name}")
    return default
