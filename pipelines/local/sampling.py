"""Quick tries: jobs get the first rows of what comes from outside, not the whole.

Sampled are CSV and Parquet files of inputs that no step of the execution writes. What a step hands
to the next is made of a sample already.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import ExecutionFailed
from pipelines.local.buckets import Entry
from pipelines.local.objects import ObjectStore

CSV = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")

_LINE_ENDS = "\r\n"
_LONGEST_ROW = 1 << 20


class SampledObjects(ObjectStore):
    """Objects whose downloads hold the first rows only.

    Args:
        whole: the objects.
        rows: how many rows of each file are kept, besides a header.
    """

    def __init__(self, whole: ObjectStore, rows: int) -> None:
        super().__init__(whole.root, whole.base, whole.external, whole.upstream)
        self._rows = rows
        self._made: list[str] = []

    def made(self, uris: list[str]) -> None:
        """Note that a step of this execution writes below some URIs; they stay whole."""
        self._made += [uri.rstrip("/") for uri in uris]

    def download(self, uri: str, folder: Path) -> tuple[Entry, ...]:
        """Copy what stands at a URI into a folder, files from outside cut to their first rows."""
        found = super().download(uri, folder)
        plain = uri.rstrip("/")
        if any(plain == made or plain.startswith(made + "/") for made in self._made):
            return found
        for entry in found:
            cut(folder / entry.name, self._rows)
        return found


def cut(path: Path, rows: int) -> None:
    """Cut a CSV or Parquet file to its first rows; any other file stays.

    Raises:
        ExecutionFailed: it is a Parquet file and pyarrow is missing, or the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        _cut_parquet(path, rows)
    elif suffix in CSV:
        _cut_csv(path, rows)


def _cut_csv(path: Path, rows: int) -> None:
    """Keep the first rows, and a header besides. Line ends may be of any kind, quotes may hold any.

    A first row counts as a header where none of its fields is a number and the second row has one.
    """
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        kept = list(_first(stream, rows + 1))
    headed = len(kept) > rows and _is_header(kept)
    text = "".join(kept[: rows + headed])
    path.write_bytes(text.encode("utf-8", "surrogateescape"))


def _first(stream: io.TextIOBase, count: int) -> Iterator[str]:
    """Yield the first records of a CSV text as they stand, line ends and quotes included."""
    record: list[str] = []
    quoted, length = False, 0
    while chunk := stream.read(1 << 16):
        position = 0
        while position < len(chunk):
            sign = chunk[position]
            position += 1
            record.append(sign)
            length += 1
            if sign == '"':
                quoted = not quoted
            if (sign in _LINE_ENDS and not quoted) or length > _LONGEST_ROW:
                if sign == "\r":
                    following = chunk[position : position + 1] or stream.read(1)
                    if position >= len(chunk):
                        chunk, position = following, 0
                    if following == "\n":
                        record.append("\n")
                        position += 1
                yield "".join(record)
                count -= 1
                if count == 0:
                    return
                record, length, quoted = [], 0, False
    if record:
        yield "".join(record)


def _is_header(records: list[str]) -> bool:
    first, second = (_fields(record) for record in records[:2])
    return not any(map(_is_number, first)) and any(map(_is_number, second))


def _fields(record: str) -> list[str]:
    text = record.strip()
    try:
        dialect = csv.Sniffer().sniff(text, ",;\t |")
        return next(csv.reader(io.StringIO(text, newline=""), dialect), [])
    except csv.Error:
        return text.split(",")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cut_parquet(path: Path, rows: int) -> None:
    try:
        from pyarrow import Table, parquet
    except ImportError:
        raise ExecutionFailed(
            f"{path.name} cannot be sampled: pyarrow is not installed", "pip install pyarrow"
        ) from None
    try:
        source = parquet.ParquetFile(path)
        batches = []
        left = rows
        for batch in source.iter_batches(batch_size=max(1, min(rows, 65536))):
            batches.append(batch.slice(0, left))
            left -= batches[-1].num_rows
            if left <= 0:
                break
        table = Table.from_batches(batches, schema=source.schema_arrow)
        source.close()
        parquet.write_table(table, path)
    except (OSError, ValueError) as error:
        raise ExecutionFailed(f"{path.name} cannot be sampled: {error}") from None
