"""Asking the model that a check names; the runner serves it for the time of the job."""

from __future__ import annotations

import csv
import http.client
import io
import json
from collections.abc import Mapping
from typing import Any

from .problems import UserError
from .tables import flatten

VARIABLE = "SAGEDAG_ENDPOINT"
"""Ports of the model's containers on the loopback address, separated by commas."""

MAX_ROWS = 1000
"""Rows of one request."""

SECONDS = 300


class Endpoint:
    """Asks a model for answers.

    Args:
        variables: the job's.
        predictor: Clarify's ``predictor`` (Developer Guide, "Analysis Configuration Files").
        headers: the features' names.
    """

    def __init__(
        self, variables: Mapping[str, str], predictor: Mapping[str, Any], headers: list[str]
    ) -> None:
        ports = variables.get(VARIABLE, "")
        if not ports:
            raise UserError("this analysis asks a model, and none is served: a ClarifyCheck step "
                            "names it by ModelName")  # fmt: skip
        self._ports = [int(port) for port in ports.split(",")]
        self._predictor = predictor
        self._headers = headers
        self._content_type = str(predictor.get("content_type") or "text/csv")
        self._accept = str(predictor.get("accept_type") or self._content_type)
        self.asked = 0

    def answers(self, rows: Any) -> list[list[Any]]:
        """Return what the model says to rows of features: the values of each answer."""
        found: list[list[Any]] = []
        for start in range(0, len(rows), MAX_ROWS):
            part = rows[start : start + MAX_ROWS]
            made = self._read(self._send(self._write(part)))
            if len(made) != len(part):
                raise UserError(f"the model gave {len(made)} answers to {len(part)} rows")
            found += made
        self.asked += len(rows)
        return found

    def scores(self, rows: Any) -> Any:
        """Return numbers: by row, and by label where the model tells several."""
        import numpy

        place = self._predictor.get("probability", self._predictor.get("label"))
        try:
            return numpy.array([_numbers(pick(answer, place)) for answer in self.answers(rows)])
        except (TypeError, ValueError):
            raise UserError("the model's answers are no numbers; `probability` or `label` of "
                            "`predictor` says where they stand") from None  # fmt: skip

    def _write(self, rows: Any) -> bytes:
        plain = [[_plain(value) for value in row] for row in rows]
        if self._content_type == "text/csv":
            stream = io.StringIO()
            csv.writer(stream, lineterminator="\n").writerows(plain)
            return stream.getvalue().encode()
        template = str(self._predictor.get("content_template") or '{"features":$features}')
        if self._content_type == "application/jsonlines":
            return "\n".join(self._fill(template, row) for row in plain).encode()
        if self._content_type == "application/json":
            record = str(self._predictor.get("record_template") or "$features")
            records = [self._fill(record, row) for row in plain]
            whole = str(self._predictor.get("content_template") or '{"instances":$records}')
            if "$records" in whole:
                return whole.replace("$records", f"[{','.join(records)}]").encode()
            if len(records) == 1:
                return whole.replace("$record", records[0]).encode()
            raise UserError("content_template has no $records: it takes one record at a time")
        raise UserError(f"content_type {self._content_type} cannot be written here: text/csv, "
                        "application/jsonlines and application/json can")  # fmt: skip

    def _fill(self, template: str, row: list[Any]) -> str:
        pairs = json.dumps(dict(zip(self._headers, row, strict=True)))
        return template.replace("$features_kvp", pairs).replace("$features", json.dumps(row))

    def _send(self, body: bytes) -> bytes:
        """Call the model's containers one after the other."""
        kind = self._content_type
        for port in self._ports:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
            try:
                headers = {"Content-Type": kind, "Accept": self._accept}
                connection.request("POST", "/invocations", body, headers)
                answer = connection.getresponse()
                body, status = answer.read(), answer.status
                kind = answer.headers.get("Content-Type") or kind
            except (OSError, http.client.HTTPException) as error:
                raise UserError(f"the model does not answer: {error}") from None
            finally:
                connection.close()
            if status >= 300:
                text = body.decode("utf-8", "replace")[:500]
                raise UserError(f"the model answered {status}: {text}")
        return body

    def _read(self, body: bytes) -> list[list[Any]]:
        text = body.decode("utf-8", "replace").strip()
        try:
            if self._accept == "text/csv":
                return [list(row) for row in csv.reader(io.StringIO(text)) if row]
            if self._accept == "application/jsonlines":
                return [_values(json.loads(line)) for line in text.splitlines() if line.strip()]
            found = json.loads(text)
        except ValueError as error:
            raise UserError(f"the model's answer is no {self._accept}: {error}") from None
        while isinstance(found, dict):
            inner = [item for item in found.values() if isinstance(item, list)]
            if len(inner) != 1:
                raise UserError("the model's answer has no list of predictions")
            found = inner[0]
        return [_values(item) for item in found]


def _plain(value: Any) -> Any:
    import pandas

    if value is None or value is pandas.NA:
        return None
    return value.item() if hasattr(value, "item") else value


def _values(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [item]
    return list(item) if isinstance(item, list) else [item]


def pick(answer: list[Any], place: Any) -> Any:
    """Return what stands at a place of an answer: an index, or a path into a JSON object."""
    if place is None:
        return answer[0] if len(answer) == 1 and not isinstance(answer[0], dict) else answer
    if isinstance(answer[0], dict):
        value: Any = answer[0]
        for part in str(place).replace("[", ".").replace("]", "").split("."):
            if isinstance(value, list) and part.isdigit() and int(part) < len(value):
                value = value[int(part)]
            elif isinstance(value, dict) and part in value:
                value = value[part]
            else:
                known = ", ".join(flatten(answer[0])) or "nothing"
                raise UserError(f"the model's answer has no `{place}`; it has {known}")
        return value
    index = int(place) if str(place).isdigit() else -1
    if not 0 <= index < len(answer):
        raise UserError(f"the model's answer has no column {place!r}; it has {len(answer)}")
    return answer[index]


def _numbers(value: Any) -> list[float]:
    return [float(each) for each in value] if isinstance(value, list) else [float(value)]
