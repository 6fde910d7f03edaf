"""What the schema means beyond JSON Schema.

:func:`conform` brings data to the language's canonical form before references are read: numbers
where text is wanted keep the way they were written, the API's words get the API's spelling.
:func:`judge` looks at data after references became expressions: what stands for an S3 URI, a model
name or a number must fit its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipelines.language.diagnostics import as_clause, nearest
from pipelines.language.schema import resolve_ref
from pipelines.language.validation import option_for
from pipelines.service.instances import check_instance_type
from steps._contract import Problem
from steps._durations import DurationError, parse
from steps._expressions import UNKNOWN, Join, Path, SourceFloat, SourceInt, is_expression

_INSTANCE = re.compile(
    r"(?:ml\.)?[a-z][a-z0-9-]*\.[a-z0-9-]*(?:large|medium|small|metal|nano|micro)"
)
"""An instance type: family and size; a development machine's ``local`` is no type of the API."""


def select(schema: Any, value: Any) -> Any:
    """Return the schema that holds for a value: references followed, the form chosen."""
    schema = resolve_ref(schema)
    if isinstance(schema, dict) and "anyOf" in schema:
        chosen = option_for(schema, value)
        extra = {k: v for k, v in schema.items() if k.startswith("x-")}
        return {**resolve_ref(chosen), **extra} if chosen is not None else extra
    return schema if isinstance(schema, dict) else {}


def below(schema: Any, key: str | int) -> Any:
    """Return the schema of a member or item."""
    if isinstance(key, int):
        return schema.get("items", {})
    properties = schema.get("properties", {})
    if key in properties:
        return properties[key]
    extra = schema.get("additionalProperties", {})
    return extra if isinstance(extra, dict) else {}


def conform(value: Any, schema: Any) -> Any:
    """Return plain data in canonical form; what does not fit is left for the validation."""
    chosen = select(schema, value)
    if isinstance(value, dict):
        return {name: conform(item, below(chosen, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [conform(item, below(chosen, index)) for index, item in enumerate(value)]
    if isinstance(value, (SourceInt, SourceFloat)) and chosen.get("type") == "string":
        return value.text
    if isinstance(value, str) and "x-choice" in chosen and "${" not in value:
        return _spelled(value, chosen["x-choice"])
    if isinstance(value, float) and value.is_integer() and chosen.get("type") == "integer":
        return int(value)
    return value


def _spelled(value: str, options: list[str]) -> str:
    def fold(text: str) -> str:
        return re.sub(r"[-_ ]", "", text).lower()

    return next((option for option in options if fold(option) == fold(value)), value)


def judge(value: Any, schema: Any, path: Path = (), *, literal: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with data whose references are expressions.

    Args:
        literal: no expression may stand here, since a field further up forbids it.
    """
    literal = literal or bool(resolve_ref(schema).get("x-literal"))
    if is_expression(value):
        chosen = resolve_ref(schema)
        yield from _judge_expression(value, chosen, path, literal or _is_literal(chosen))
        return
    chosen = select(schema, value)
    literal = literal or bool(chosen.get("x-literal"))
    if isinstance(value, dict):
        for name, item in value.items():
            yield from judge(item, below(chosen, name), (*path, name), literal=literal)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from judge(item, below(chosen, index), (*path, index), literal=literal)
    elif isinstance(value, str):
        yield from _judge_text(value, chosen, path)


def _is_literal(schema: Any) -> bool:
    """Whether the text form of a field takes no reference."""
    text = select(schema, "")
    return bool(text.get("x-literal"))


def _judge_expression(value: Any, schema: Any, path: Path, literal: bool) -> Iterator[Problem]:
    if literal:
        yield Problem(
            "literal-wanted",
            path,
            "a reference can't stand here: the value must be known when the definition is compiled",
            "use a `{{ template }}`, or write it",
        )
        return
    text = select(schema, "")
    wanted = text.get("x-meaning", "")
    if value is UNKNOWN:
        return
    if wanted and not isinstance(value, Join) and not _fits(value, wanted):
        yield Problem(
            "wrong-reference",
            path,
            f"{_MEANINGS[wanted]} is wanted here, not "
            f"{_MEANINGS.get(value.meaning) or _TYPES[value.type]}",
            _REMEDIES.get((wanted, value.meaning), ""),
        )
    options = [resolve_ref(option) for option in schema.get("anyOf", [])]
    numeric = next(
        (o["type"] for o in options if o.get("type") in ("integer", "number", "boolean")), ""
    )
    if numeric and not any(o.get("type") == "string" and "pattern" not in o for o in options):
        fits = {
            "integer": ("integer", "any"),
            "number": ("integer", "float", "any"),
            "boolean": ("boolean", "any"),
        }[numeric]
        if value.type not in fits:
            kind = {"integer": "a whole number", "number": "a number"}.get(numeric, "a boolean")
            message = f"{kind} is wanted here, not {_TYPES[value.type]}"
            yield Problem("wrong-reference", path, message)


_TYPES = {
    "string": "a String", "integer": "an Integer", "float": "a Float", "boolean": "a Boolean",
    "any": "a value of a file",
}  # fmt: skip
_MEANINGS = {
    "s3": "an S3 URI",
    "model-name": "a model's name",
    "model-package": "a model package's ARN",
    "arn": "an ARN",
    "outcome": "a condition's outcome",
    "endpoint": "an endpoint's name",
    "endpoint-config": "an endpoint configuration's name",
}
_REMEDIES = {
    ("s3", "model-name"): "the archive is the training step's: `${steps.TRAIN.model}`",
    ("s3", "model-package"): "the archive is the training step's: `${steps.TRAIN.model}`",
    ("model-name", "s3"): "create the model first: `${steps.CREATE-MODEL.model}`",
    ("model-package", "model-name"): "register the model: `${steps.REGISTER.model_package}`",
}


def _fits(value: Any, wanted: str) -> bool:
    if value.meaning:
        return bool(value.meaning == wanted)
    return value.type in ("string", "any")


def _judge_text(value: str, schema: Any, path: Path) -> Iterator[Problem]:
    if schema.get("x-duration"):
        try:
            parse(value)
        except DurationError as error:
            message, _, hint = str(error).partition(". ")
            if value.lower() in ("yes", "no", "on", "off"):
                hint = "yes and no are `true` and `false` in YAML 1.2"
            yield Problem("bad-duration", path, as_clause(message), as_clause(hint))
    wanted = schema.get("x-meaning", "s3")
    if wanted != "s3" and value.startswith("s3://"):
        message = f"{_MEANINGS[wanted]} is wanted here, not an S3 URI"
        yield Problem("wrong-reference", path, message, _REMEDIES.get((wanted, "s3"), ""))
    if schema.get("x-instance") and not _INSTANCE.fullmatch(value):
        known = check_instance_type(value, "CreateTrainingJob")
        hint = as_clause(known.hint) if known is not None else "write it as `ml.m5.large`"
        yield Problem("bad-instance", path, f"`{value}` is not an instance type", hint)
    elif schema.get("x-instance") and not value.startswith("ml."):
        yield Problem(
            "bad-instance",
            path,
            f"`{value}` is not an instance type of SageMaker",
            f"did you mean `ml.{value}`?",
        )
    if "x-choice" in schema and value not in schema["x-choice"]:
        near = nearest(value, schema["x-choice"])
        yield Problem(
            "bad-value",
            path,
            f"`{value}` is not one of {', '.join(schema['x-choice'])}",
            f"did you mean `{near}`?" if near else "",
        )


def s3_places(value: Any, schema: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value that stands where an S3 URI is wanted, with its path."""
    if is_expression(value) or not isinstance(value, (dict, list)):
        if select(schema, "" if is_expression(value) else value).get("x-meaning") == "s3":
            yield path, value
        return
    chosen = select(schema, value)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield from s3_places(item, below(chosen, key), (*path, key))
