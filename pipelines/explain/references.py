"""What a kind's steps offer to references, found by asking the kind itself."""

from __future__ import annotations

from typing import Any

from steps._contract import Attribute, Kind, Step
from steps._expressions import Expr, JsonGet, PropertyRef

_MEANINGS = {
    "s3": "an S3 URI",
    "model-name": "the model's name",
    "model-package": "the model package's ARN",
    "arn": "an ARN",
    "endpoint": "the endpoint's name",
    "endpoint-config": "the endpoint configuration's name",
    "outcome": "`True` or `False`",
}
_TYPES = {"integer": "an integer", "any": "any value"}
_LISTS = {"outputs": "OUTPUT", "files": "FILE"}


def offered(kind: Kind) -> list[tuple[str, str]]:
    """Return the references into a step of a kind with what they give."""
    rows: list[tuple[str, str]] = list(kind.offers.items())
    for word, names in kind.attributes(Step("NAME", kind.name, {})).items():
        if any(each.startswith((f"{word}[", f"{word}.")) for each in kind.offers):
            continue
        if names:
            found = [_ask(kind, word, name) for name in names]
            rows += [row for row in found if row is not None]
            continue
        if word == "properties":
            call = kind.describe.removesuffix("Response").removesuffix("Output")
            answer = f"the answer of {call}"
            if kind.service != "sagemaker":
                answer = f"the shape {kind.describe} of {kind.service}"
            rows.append(("properties.…", f"any field of {answer}"))
            continue
        row = _ask(kind, word)
        if row is not None:
            rows.append(row)
    return [(f"`${{steps.NAME.{word}}}`", text) for word, text in rows]


def _ask(kind: Kind, word: str, name: str = "") -> tuple[str, str] | None:
    """Return a reference that begins with ``word``, in the first form that the kind resolves.

    Args:
        name: what may follow ``word``, where the kind says it.
    """
    name = name or _LISTS.get(word, "VALUE")
    sample: dict[str, Any] = {word: {name: f"{name}/x.json"}}
    forms: list[tuple[tuple[str | int, ...], str]] = [
        ((word,), word),
        ((word, name), f"{word}.{name}"),
        ((word, name, "a", "b"), f"{word}.{name}.a.b[0]"),
        ((word, 0), f"{word}[0]"),
    ]
    for path, written in forms:
        found = kind.attribute(Step("NAME", kind.name, sample), path)
        if isinstance(found, Attribute) and not found.rest:
            return written, _told(found.expression)
    return None


def _told(expression: Expr) -> str:
    if isinstance(expression, JsonGet):
        return "a value in a JSON file that `files` names"
    text = _MEANINGS.get(expression.meaning) or _TYPES.get(expression.type, f"a {expression.type}")
    if isinstance(expression, PropertyRef):
        return f"{text} (`{expression.text}`)"
    return text
