"""Data sets as tables: CSV, JSON, JSON Lines, Parquet and what endpoints capture."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .problems import UserError

MAX_DEPTH = 32
"""How deep JSON may nest."""


@dataclass(frozen=True)
class Format:
    """How a data set is written.

    Attributes:
        kind: ``csv``, ``json``, ``parquet`` or ``capture``.
        header: whether the first line of CSV has names.
        outputs_last: whether the model's answers stand behind its inputs.
        lines: whether every line of JSON is a record.
        names: the columns' names, where they are told; CSV may still have its own line of them.
        features: a JMESPath-like path to the list of features in a JSON record.
    """

    kind: str
    header: bool = True
    outputs_last: bool = False
    lines: bool = True
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CapturedData:
    """One side of a captured request (the scripts' ``endpoint_input`` and ``endpoint_output``)."""

    data: Any = ""
    encoding: str = "CSV"
    observed_content_type: str = ""
    mode: str = ""


@dataclass(frozen=True)
class EventMetadata:
    """Which request was captured (the scripts' ``event_metadata``)."""

    event_id: str = ""
    inference_time: str = ""


@dataclass(frozen=True)
class Record:
    """What a preprocessor is called with.

    Source: Developer Guide, "Preprocessing and Postprocessing": ``inference_record``.
    """

    endpoint_input: CapturedData
    endpoint_output: CapturedData = field(default_factory=CapturedData)
    event_metadata: EventMetadata = field(default_factory=EventMetadata)
    event_version: str = "0"


Preprocessor = Callable[[Record], Iterable[Mapping[str, Any]]]


def read_format(text: str) -> Format:
    """Read Model Monitor's ``dataset_format``.

    Raises:
        UserError: it is none that is known here.
    """
    try:
        ((name, options),) = json.loads(text).items()
    except (ValueError, AttributeError, RecursionError):
        raise UserError(f"dataset_format is {text[:80]!r}, no format of Model Monitor") from None
    options = options if isinstance(options, dict) else {}
    if name == "csv":
        last = str(options.get("output_columns_position", "START")).upper() == "END"
        return Format("csv", bool(options.get("header", True)), last)
    if name == "json":
        return Format("json", lines=bool(options.get("lines", options.get("line", True))))
    if name == "parquet":
        return Format("parquet")
    if name == "sagemakerCaptureJson":
        return Format("capture")
    raise UserError(f"the data's format `{name}` cannot be read here: csv, json, parquet and "
                    "sagemakerCaptureJson can")  # fmt: skip


def read_table(folder: Path, form: Format, preprocess: Preprocessor | None = None) -> Any:
    """Read all files of a data set as one table.

    Args:
        folder: where they lie; below it they are read by name.
        form: how they are written.
        preprocess: turns a record into none or several; for every format but Parquet.

    Returns:
        A pandas DataFrame. Its numbers, texts and booleans have types that know missing values; a
        column of several types is text.

    Raises:
        UserError: there are no rows, or a file cannot be read.
    """
    import pandas

    files = list(_files(folder))
    if not files:
        raise UserError(f"there are no data in {folder}")
    parts = []
    for path in files:
        try:
            part = _read_file(path, form, preprocess)
        except (ValueError, OSError, RecursionError, pandas.errors.ParserError) as error:
            raise UserError(f"{path.name}: {error}") from None
        if part is not None and len(part.columns):
            parts.append(part)
    if not parts or not sum(map(len, parts)):
        raise UserError("the data have no rows")
    if form.kind in ("csv", "parquet") and preprocess is None:
        _refuse_unequal(parts, files)
    table = pandas.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return settle(table)


def settle(table: Any) -> Any:
    """Give every column one of four types: whole numbers, fractions, booleans, text."""
    import pandas

    made = {}
    for name in table.columns:
        column = table[name].convert_dtypes()
        kind = pandas.api.types
        if kind.is_bool_dtype(column.dtype):
            column = column.map({True: "true", False: "false"}).astype("string")
        elif not kind.is_numeric_dtype(column.dtype):
            column = column.map(_as_text, na_action="ignore").astype("string")
        made[name] = column
    return pandas.DataFrame(made)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, default=str) if isinstance(value, (list, dict)) else str(value)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith((".", "_")):
            yield path


def _refuse_unequal(parts: list[Any], files: list[Path]) -> None:
    widths = {len(part.columns) for part in parts}
    if len(widths) > 1:
        shown = ", ".join(path.name for path in files[:5])
        raise UserError(f"the files have different numbers of columns: {sorted(widths)} ({shown})")


def open_text(path: Path) -> IO[str]:
    """Open a file of text; one that is packed by Gzip is unpacked on the way."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _read_file(path: Path, form: Format, preprocess: Preprocessor | None) -> Any:
    import pandas

    if form.kind == "parquet":
        return _named(_parquet(path), form)
    with open_text(path) as stream:
        if preprocess is not None:
            rows = [dict(row) for record in _records(stream, form) for row in preprocess(record)]
            return pandas.DataFrame(rows)
        if form.kind == "csv":
            return _csv(stream, form)
        if form.kind == "capture":
            return pandas.DataFrame([_captured(record) for record in _records(stream, form)])
        return _named(pandas.DataFrame([flatten(item) for item in _items(stream, form)]), form)


def _parquet(path: Path) -> Any:
    import pandas

    try:
        return pandas.read_parquet(path, dtype_backend="numpy_nullable")
    except ImportError:
        raise UserError("reading Parquet needs the package pyarrow: pip install pyarrow") from None


def _csv(stream: IO[str], form: Format) -> Any:
    import pandas

    try:
        table = pandas.read_csv(
            stream,
            header=0 if form.header else None,
            # An empty field is the only missing value, as for the images.
            keep_default_na=False,
            na_values=[""],
            dtype_backend="numpy_nullable",
            low_memory=False,
            skipinitialspace=True,
        )
    except pandas.errors.EmptyDataError:
        return None
    if not form.header:
        table.columns = [f"_c{n}" for n in range(len(table.columns))]
    return _named(table, form)


def _named(table: Any, form: Format) -> Any:
    """Give the columns the names that are told."""
    if form.names:
        if len(form.names) != len(table.columns):
            raise UserError(
                f"there are {len(form.names)} headers, and the data have {len(table.columns)} "
                "columns"
            )
        table.columns = list(form.names)
    table.columns = [str(name).strip() for name in table.columns]
    return table


def _items(stream: IO[str], form: Format) -> Iterator[Any]:
    """The values of a JSON file: one a line, or the items of its list."""
    if form.lines:
        for number, line in enumerate(stream, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise UserError(f"line {number} is no JSON: {error}") from None
        return
    value = json.load(stream)
    yield from value if isinstance(value, list) else [value]


def flatten(value: Any) -> dict[str, Any]:
    """Make one row of a record: what nests gets its path as its name.

    [U] How the image names columns of nested JSON is not documented.
    """
    made: dict[str, Any] = {}

    def walk(part: Any, name: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise UserError("the JSON nests too deeply")
        if isinstance(part, Mapping):
            for key, item in part.items():
                walk(item, f"{name}.{key}" if name else str(key), depth + 1)
        elif isinstance(part, list):
            for index, item in enumerate(part):
                walk(item, f"{name}.{index}" if name else f"_c{index}", depth + 1)
        else:
            made[name or "_c0"] = part

    walk(value, "", 0)
    return made


def _records(stream: IO[str], form: Format) -> Iterator[Record]:
    """The records that a preprocessor sees; of other data than captures, each row is an input."""
    if form.kind == "capture":
        for item in _items(stream, Format("json")):
            yield _record(item)
    elif form.kind == "csv":
        if form.header:
            next(stream, None)
        for line in stream:
            if line.strip():
                yield Record(CapturedData(line.rstrip("\r\n"), "CSV", "text/csv", "INPUT"))
    else:
        for item in _items(stream, form):
            yield Record(CapturedData(json.dumps(item), "JSON", "application/json", "INPUT"))


def _record(item: Any) -> Record:
    """Read one captured request (Developer Guide, "Capture data from real-time endpoint")."""
    if not isinstance(item, Mapping) or "captureData" not in item:
        raise UserError("the data hold what is no captured request: it lacks `captureData`")
    captured, event = item["captureData"], item.get("eventMetadata") or {}
    return Record(
        _side(captured.get("endpointInput") or captured.get("batchTransformInput")),
        _side(captured.get("endpointOutput") or captured.get("batchTransformOutput")),
        EventMetadata(str(event.get("eventId", "")), str(event.get("inferenceTime", ""))),
        str(item.get("eventVersion", "0")),
    )


def _side(given: Any) -> CapturedData:
    if not isinstance(given, Mapping):
        return CapturedData()
    data, encoding = given.get("data", ""), str(given.get("encoding", "CSV"))
    if encoding == "BASE64":
        data = base64.b64decode(str(data)).decode("utf-8", "replace")
    kind = str(given.get("observedContentType", ""))
    return CapturedData(data, encoding, kind, str(given.get("mode", "")))


def _captured(record: Record) -> dict[str, Any]:
    """Make one row of a captured request, the answer first.

    [U] Which columns the image makes of a capture is not documented; its default for CSV
    (``output_columns_position``) has the answer first as well.
    """
    row: dict[str, Any] = {}
    for side in (record.endpoint_output, record.endpoint_input):
        text = str(side.data).strip()
        if not text:
            continue
        if side.encoding == "JSON" or "json" in side.observed_content_type:
            row.update(flatten(json.loads(text)))
        else:
            for value in text.split(","):
                row[f"_c{len(row)}"] = _number(value.strip())
    return row


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:  # noqa: PERF203 - two tries
            continue
    return text or None
