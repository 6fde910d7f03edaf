"""Whether what answers a call is AWS: a proxy's page or half an answer is told before it is read.

botocore asks for no complete body and reads text that is no JSON as an error's message, so that
both would look like an answer without members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_WITHOUT_ARN = {"DescribePipelineDefinitionForExecution"}
HTML = (b"<!doctype", b"<html")


class ForeignAnswer(Exception):
    """Something else answered: ``status`` is its HTTP status, ``title`` what its page is called."""

    def __init__(self, status: int, title: str = "") -> None:
        super().__init__(f"HTTP status {status}")
        self.status, self.title = status, title


class CutAnswer(Exception):
    """The answer is not whole."""


def check_answer(operation_model: Any, response_dict: Mapping[str, Any], **_: Any) -> None:
    """Look at an answer before botocore does (its event ``before-parse``).

    Raises:
        ForeignAnswer: it is an HTML page, or JSON that says nothing of what was asked for.
        CutAnswer: it ends before it should.
    """
    status, headers = int(response_dict["status_code"]), response_dict["headers"]
    body = response_dict["body"]
    if not isinstance(body, bytes):
        body = b""  # a stream: botocore itself sees that it is whole
    if status >= 500:
        return  # tried again by itself, whoever it was
    if body.lstrip(b"\xef\xbb\xbf \r\n\t")[:9].lower().startswith(HTML):
        raise ForeignAnswer(status, _title(body))
    is_html = "text/html" in headers.get("content-type", "")
    if is_html and not any("request" in name.lower() and "id" in name.lower() for name in headers):
        raise ForeignAnswer(status)
    length = headers.get("content-length", "")
    if body and length.isdigit() and len(body) < int(length):
        raise CutAnswer
    if status < 300 and body and "json" in operation_model.service_model.resolved_protocol:
        _check_json(body, operation_model)


def _check_json(body: bytes, operation: Any) -> None:
    shape = operation.output_shape
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise CutAnswer from None
    if not isinstance(found, dict):
        raise ForeignAnswer(200)
    if shape is None or not shape.members or "payload" in shape.serialization:
        return  # nothing is named in the text, or all of it is one member
    if set(found).isdisjoint(_names(shape)) and (found or _always_tells(operation)):
        raise ForeignAnswer(200)


def _always_tells(operation: Any) -> bool:
    """Whether AWS's own answer is never ``{}``: it names an ARN or must hold something.

    Source: the response elements of each operation in the API references, and `required` in
    botocore's model. A list of nothing may be left out.
    """
    shape = operation.output_shape
    names_one = any(name.endswith("Arn") for name in shape.members)
    return names_one or bool(shape.required_members) or operation.name in _WITHOUT_ARN


def _names(shape: Any) -> set[str]:
    """Return what an answer's members are called on the wire."""
    return {str(each.serialization.get("name", name)) for name, each in shape.members.items()}


def _title(page: bytes) -> str:
    """Return the title of an HTML page; empty where it has none."""
    _, _, rest = page.partition(b"<title>")
    title, found, _ = rest.partition(b"</title>")
    return " ".join(title.decode("utf-8", "replace").split())[:80] if found else ""
