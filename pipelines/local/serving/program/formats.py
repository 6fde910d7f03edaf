"""Default formats of AWS's serving images: CSV, JSON and npy, to and from arrays.

Source: the README of the SageMaker Scikit-learn Container and of the SageMaker Inference Toolkit
(github.com/aws), "default input_fn" and "default output_fn".
"""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from .refusals import Refused

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
JSON_LINES = ("application/jsonlines", "application/x-jsonlines")


def media_type(header: str) -> str:
    """Return a Content-Type's type alone, in lower case."""
    return header.partition(";")[0].strip().lower()


def decode(body: bytes, content_type: str) -> Any:
    """Read a request as a numpy array; text becomes float32, one row per record.

    **[U]** A single record is a row of its own (two dimensions) here; the images' CSV reader gives
    one dimension for it.

    Raises:
        Refused: 415 for another type, 400 for what is no such text.
    """
    import numpy as np

    kind = media_type(content_type)
    if kind == NPY:
        try:
            return np.load(io.BytesIO(body), allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise Refused(400, f"the request is no npy file: {error}") from None
    if kind == CSV:
        return np.array(parse_rows(text_of(body)), dtype=np.float32)
    if kind == JSON:
        try:
            return np.array(json.loads(text_of(body)), dtype=np.float32)
        except (ValueError, TypeError, RecursionError) as error:
            raise Refused(400, f"the request is no JSON array of numbers: {error}") from None
    raise Refused(
        415,
        f"content type {content_type!r} is none of {CSV}, {JSON}, {NPY}; the script has no "
        "input_fn that reads others",
    )


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Write predictions in the type that is accepted.

    Raises:
        Refused: 406, none of the types is known.
    """
    import numpy as np

    for wanted in accept.split(","):
        kind = media_type(wanted)
        if kind in (JSON, "*/*", "application/*", ""):
            plain = prediction.tolist() if hasattr(prediction, "tolist") else prediction
            return json.dumps(plain).encode(), JSON
        if kind in (CSV, "text/*"):
            rows = np.asarray(prediction)
            rows = rows.reshape(-1, 1) if rows.ndim < 2 else rows
            lines = (",".join(map(str, row)) for row in rows.tolist())
            return "".join(line + "\n" for line in lines).encode(), CSV
        if kind == NPY:
            stream = io.BytesIO()
            np.save(stream, np.asarray(prediction), allow_pickle=False)
            return stream.getvalue(), NPY
    raise Refused(406, f"none of the accepted types {accept!r} is {JSON}, {CSV} or {NPY}")


def text_of(body: bytes) -> str:
    """Return a request's text.

    Raises:
        Refused: 400, it is no UTF-8.
    """
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the request is no UTF-8 text: {error}") from None


def parse_rows(text: str) -> list[list[float]]:
    """Read CSV of numbers; an empty field is a missing value.

    Raises:
        Refused: 400, naming the row and the column.
    """
    rows: list[list[float]] = []
    for number, fields in enumerate(csv.reader(io.StringIO(text)), 1):
        if not fields:
            continue
        rows.append([_number(each, number, place) for place, each in enumerate(fields, 1)])
        if len(rows[-1]) != len(rows[0]):
            raise Refused(
                400, f"row {number} has {len(fields)} columns, the first has {len(rows[0])}"
            )
    if not rows:
        raise Refused(400, "the request has no rows")
    return rows


def _number(text: str, row: int, column: int) -> float:
    stripped = text.strip()
    if not stripped:
        return math.nan
    try:
        return float(stripped)
    except ValueError:
        raise Refused(400, f"row {row}, column {column}: {text[:40]!r} is no number") from None
