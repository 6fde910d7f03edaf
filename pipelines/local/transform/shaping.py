"""Filters and joining: what of a record the model gets, what of record and prediction is kept.

Source: API reference, DataProcessing; Developer Guide, "Associate prediction results with input
records".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.transform.json_path import Path, PathError, parse

JSON_TYPES = ("application/json", "application/jsonlines", "application/x-jsonlines")
CSV = "text/csv"


class BadRecord(Exception):
    """A record that cannot be filtered or joined."""


@dataclass(frozen=True)
class Shaping:
    """A transform's DataProcessing.

    Attributes:
        input_filter: what of a record goes to the model.
        output_filter: what of the result is kept.
        join: whether each prediction is joined to its record.
        is_csv: whether records are CSV; else they are JSON.
        rows: whether each line of a payload is a record.
    """

    input_filter: Path
    output_filter: Path
    join: bool
    is_csv: bool
    rows: bool

    @property
    def changes_nothing(self) -> bool:
        """Whether files and predictions pass as they are."""
        return self.input_filter.whole and self.output_filter.whole and not self.join

    def for_model(self, record: bytes) -> bytes:
        """Return what the model gets of a record.

        Raises:
            BadRecord: it does not have what the filter names.
        """
        if self.input_filter.whole:
            return record
        return self._filtered(self.input_filter, self._read(record, "the record"), "InputFilter")

    def for_output(self, records: list[bytes], prediction: bytes) -> bytes:
        """Return what is stored for a payload: of each record's result, or of the one there is.

        Raises:
            BadRecord: the prediction has not as many lines as there were records, or lacks what
                the filter names.
        """
        sources = [line for each in records for line in lines_of(each)] if self.rows else records
        # One record's prediction may be JSON over several lines.
        alone = not self.is_csv and len(sources) == 1
        rows = [prediction] if alone else lines_of(prediction)
        if self.join and len(rows) != len(sources):
            raise BadRecord(
                f"the model answered {len(rows)} lines to {len(sources)} records, so that they "
                "cannot be joined; BatchStrategy SingleRecord sends one record at a time"
            )
        made = []
        for number, row in enumerate(rows):
            result = self._read(row, "the prediction")
            if self.join:
                result = self._joined(self._read(sources[number], "the record"), result)
            made.append(self._filtered(self.output_filter, result, "OutputFilter"))
        return b"\n".join(made)

    def _joined(self, record: Any, prediction: Any) -> Any:
        if self.is_csv:
            return [*record, *prediction]
        if isinstance(record, dict):
            return {**record, "SageMakerOutput": prediction}
        return {"SageMakerInput": record, "SageMakerOutput": prediction}

    def _read(self, text: bytes, what: str) -> Any:
        try:
            decoded = text.decode("utf-8-sig")
            if self.is_csv:
                return next(csv.reader(io.StringIO(decoded)), [])
            return json.loads(decoded)
        except (ValueError, csv.Error, RecursionError) as problem:
            kind = "CSV" if self.is_csv else "JSON"
            raise BadRecord(f"{what} is no {kind}: {problem}") from None

    def _filtered(self, path: Path, value: Any, name: str) -> bytes:
        try:
            found = path.select(value)
        except PathError as problem:
            raise BadRecord(f"{name} {path.text}: {problem}") from None
        if not self.is_csv:
            return json.dumps(found, ensure_ascii=False).encode()
        stream = io.StringIO()
        fields = found if isinstance(found, list) else [found]
        csv.writer(stream, lineterminator="").writerow(fields)
        return stream.getvalue().encode()


def read_shaping(request: Mapping[str, Any], split: str, content_type: str, accept: str) -> Shaping:
    """Return a request's shaping.

    Args:
        request: the arguments of CreateTransformJob.
        split: SplitType.
        content_type: the input's type.
        accept: the predictions' type; empty where any is taken.

    Raises:
        BadRecord: a filter is no expression, or the types can be neither filtered nor joined.
    """
    given = request.get("DataProcessing") or {}
    try:
        first = parse(str(given.get("InputFilter") or "$"))
        last = parse(str(given.get("OutputFilter") or "$"))
    except PathError as problem:
        raise BadRecord(str(problem)) from None
    join = given.get("JoinSource", "None") == "Input"
    kind = content_type.partition(";")[0].strip().lower()
    answered = accept.partition(";")[0].strip().lower() or kind
    # A whole CSV or JSON Lines file has a record in each line, too.
    rows = split == "Line" or kind != "application/json"
    shaping = Shaping(first, last, join, kind == CSV, rows)
    if shaping.changes_nothing:
        return shaping
    if kind != CSV and kind not in JSON_TYPES:
        raise BadRecord(
            f"records of the type {content_type!r} can be neither filtered nor joined; text/csv, "
            "application/json and application/jsonlines can"
        )
    if split not in ("Line", "None"):
        raise BadRecord(f"records split as {split} can be neither filtered nor joined")
    if (answered == CSV) != (kind == CSV) and (join or not last.whole):
        raise BadRecord(
            f"predictions of the type {answered!r} cannot be joined to records of the type "
            f"{kind!r}: both must be CSV, or both JSON"
        )
    return shaping


def lines_of(text: bytes) -> list[bytes]:
    """Return the lines that are not empty, without their ends."""
    return [line for line in text.replace(b"\r\n", b"\n").split(b"\n") if line]
