"""Input files cut into records, records packed into payloads."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MAX_RECORD = 1 << 30
"""A longer record is a broken file's, not a record."""

_RECORDIO_MAGIC = 0xCED7230A


class BadInput(Exception):
    """An input file that cannot be cut into records, or has one that is too long."""


def read_records(path: Path, split: str, compression: str) -> Iterator[bytes]:
    """Yield the records of a file.

    Args:
        path: the file.
        split: SplitType: ``None`` (the file is one record), ``Line``, ``RecordIO`` or ``TFRecord``.
        compression: CompressionType: ``None`` or ``Gzip``.

    Raises:
        BadInput: the file is broken.
    """
    try:
        with path.open("rb") as plain:
            stream: BinaryIO = gzip.GzipFile(fileobj=plain) if compression == "Gzip" else plain  # type: ignore[assignment]
            yield from _SPLITS[split](stream)
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise BadInput(f"the file is no sound Gzip file: {problem}") from None


def _whole(stream: BinaryIO) -> Iterator[bytes]:
    content = stream.read()
    if content:
        yield content


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines without their ends; empty ones are no records."""
    for line in stream:
        record = line.rstrip(b"\r\n")
        if record:
            yield record


def _recordio(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the parts of MXNet's RecordIO as they are, framing included.

    Source: Apache MXNet, "RecordIO": magic number, length in 29 bits, content padded to 4 bytes.
    """
    while head := stream.read(8):
        if len(head) < 8 or struct.unpack("<I", head[:4])[0] != _RECORDIO_MAGIC:
            raise BadInput("the file is no RecordIO")
        length = struct.unpack("<I", head[4:])[0] & ((1 << 29) - 1)
        yield head + _exactly(stream, (length + 3) // 4 * 4)


def _tfrecord(stream: BinaryIO) -> Iterator[bytes]:
    """Yield TensorFlow's records as they are, framing included.

    Source: TensorFlow, "TFRecord and tf.train.Example": length, its checksum, content, checksum.
    """
    while head := stream.read(12):
        if len(head) < 12:
            raise BadInput("the file is no TFRecord")
        length = struct.unpack("<Q", head[:8])[0]
        if length > MAX_RECORD:
            raise BadInput("the file is no TFRecord")
        yield head + _exactly(stream, length + 4)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise BadInput("the file ends in the middle of a record")
    return found


_SPLITS = {"None": _whole, "Line": _lines, "RecordIO": _recordio, "TFRecord": _tfrecord}


def pack(
    records: Iterator[bytes], split: str, multi: bool, max_bytes: int
) -> Iterator[list[bytes]]:
    """Yield the records of each payload.

    Args:
        records: in their order.
        split: SplitType; a whole file is always a payload of its own.
        multi: whether as many records as fit go into one payload (MultiRecord).
        max_bytes: the longest payload; 0 for no limit.

    Raises:
        BadInput: a record alone is longer.
    """
    packed: list[bytes] = []
    size = 0
    ending = 1 if split == "Line" else 0
    for number, record in enumerate(records, 1):
        length = len(record) + ending
        if max_bytes and len(record) > max_bytes:
            what = "the file" if split == "None" else f"record {number}"
            raise BadInput(
                f"{what} has {len(record):,} bytes, the longest payload {max_bytes:,} "
                "(MaxPayloadInMB)"
            )
        if packed and (not multi or (max_bytes and size + length > max_bytes)):
            yield packed
            packed, size = [], 0
        packed.append(record)
        size += length
    if packed:
        yield packed


def join_records(records: list[bytes], split: str) -> bytes:
    """Return a payload: lines end with newlines, other records stand one behind the other."""
    if split == "Line":
        return b"".join(record + b"\n" for record in records)
    return b"".join(records)
