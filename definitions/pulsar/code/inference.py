"""Serving: class and probability for candidates, as CSV or JSON.

The four functions are those of script mode. A request holds rows of the eight features: as
``text/csv`` (a header row with their names is allowed), or as ``application/json``: a list of
rows, alone or under "instances", each row a list of numbers or an object with the features'
names.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from candidates import FEATURES, BadCandidatesError, parse_rows
from classifiers import Classifier, read_model_folder
from numpy.typing import NDArray

CSV, JSON = "text/csv", "application/json"


def model_fn(model_dir: str) -> Classifier:
    """Load the model from its unpacked folder; raise BadModelError."""
    return read_model_folder(Path(model_dir))


def input_fn(request_body: str | bytes, content_type: str) -> NDArray[np.float64]:
    """Read the rows of a request; raise BadCandidatesError that names the row and column."""
    kind = media_type(content_type)
    if kind not in (CSV, JSON):
        raise BadCandidatesError(f"content type {content_type!r}: {CSV} or {JSON} is wanted")
    try:
        text = request_body.decode("utf-8-sig") if isinstance(request_body, bytes) else request_body
    except UnicodeDecodeError as error:
        raise BadCandidatesError("the request is no UTF-8 text") from error
    rows = parse_rows(text, FEATURES, "request") if kind == CSV else parse_json(text)
    return np.array(rows, dtype=np.float64)


def predict_fn(rows: NDArray[np.float64], model: Classifier) -> NDArray[np.float64]:
    """Return class and probability of being a pulsar, one row each."""
    return np.column_stack([model.predict(rows), model.predict_proba(rows)[:, 1]])


def output_fn(prediction: NDArray[np.float64], accept: str) -> tuple[str, str]:
    """Format predictions; return the body and its media type. Raise for one not offered.

    CSV: a line ``class,probability`` for each row. JSON: the same under "predictions".
    """
    wanted = [media_type(kind) for kind in accept.split(",")]
    pairs = [(int(found), float(chance)) for found, chance in prediction.tolist()]
    for kind in wanted:
        if kind in (JSON, "*/*", "application/*", ""):
            found = [{"class": label, "probability": chance} for label, chance in pairs]
            return json.dumps({"predictions": found}), JSON
        if kind in (CSV, "text/*"):
            return "".join(f"{label},{chance!r}\n" for label, chance in pairs), CSV
    raise BadCandidatesError(f"accept {accept!r}: only {JSON} and {CSV} are offered")


def media_type(header: str) -> str:
    """Return the type of a Content-Type or Accept value, without its parameters."""
    return header.split(";")[0].strip().lower()


def parse_json(text: str) -> list[list[float]]:
    """Parse a JSON request to rows of features."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCandidatesError(f"request: not JSON: {error}") from error
    instances = body.get("instances") if isinstance(body, dict) else body
    if not isinstance(instances, list) or not instances:
        raise BadCandidatesError('request: a list of rows is wanted, alone or under "instances"')
    return [parse_instance(row, number) for number, row in enumerate(instances, 1)]


def parse_instance(row: object, number: int) -> list[float]:
    """Parse one row of a JSON request, a list or an object."""
    if isinstance(row, dict):
        unknown = sorted(set(row) - set(FEATURES))
        missing = [name for name in FEATURES if name not in row]
        if unknown or missing:
            problem = f"unknown column {unknown[0][:40]!a}" if unknown else f"no {missing[0]}"
            raise BadCandidatesError(f"request: row {number}: {problem}")
        row = [row[name] for name in FEATURES]
    if not isinstance(row, list):
        raise BadCandidatesError(f"request: row {number}: neither a list nor an object")
    if len(row) != len(FEATURES):
        wrong = f"{len(row)} columns instead of {len(FEATURES)}"
        raise BadCandidatesError(f"request: row {number}: {wrong}")
    return [parse_value(value, number, place) for place, value in enumerate(row, 1)]


def parse_value(value: object, row: int, column: int) -> float:
    """Return a JSON value as a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    place = f"request: row {row}, column {column} ({FEATURES[column - 1]})"
    raise BadCandidatesError(f"{place}: {str(value)[:40]!a} is not a finite number")
