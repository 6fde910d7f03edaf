"""The three functions a definition's values may hold: ``Get``, ``Std:Join`` and ``Std:JsonGet``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.definition.references import PathSyntaxError, Reference, parse_get

GET = "Get"
JOIN = "Std:Join"
JSON_GET = "Std:JsonGet"


class ExpressionError(ValueError):
    """A mapping that is meant as an expression and is not a valid one."""


@dataclass(frozen=True)
class Get:
    """``{"Get": PATH}``: a parameter, an execution variable or a step's property."""

    reference: Reference


@dataclass(frozen=True)
class Join:
    """``{"Std:Join": {"On": …, "Values": […]}}``; the values may be expressions."""

    on: str
    values: tuple[object, ...]


@dataclass(frozen=True)
class JsonGet:
    """``{"Std:JsonGet": …}``: a value of a property file, or of a JSON file on S3.

    Exactly one of ``property_file`` (a reference ``Steps.X.PropertyFiles.NAME``) and ``s3_uri``
    (text or an expression) is set. ``path`` is text or an expression.
    """

    path: object
    property_file: Reference | None
    s3_uri: object | None


Expression = Get | Join | JsonGet


def parse_expression(value: object) -> Expression | None:
    """Read one JSON value.

    Returns:
        The expression, or None where ``value`` is plain data (a mapping is an expression when
        its only key is one of the three names).

    Raises:
        ExpressionError: it looks like an expression and its form is wrong.
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((name, body),) = value.items()
    if name == GET:
        return Get(_reference(body, "Get"))
    if name == JOIN:
        return _join(body)
    if name == JSON_GET:
        return _json_get(body)
    return None


def _reference(body: object, where: str) -> Reference:
    if not isinstance(body, str):
        raise ExpressionError(f"`{where}` needs a path as text, not {describe(body)}")
    try:
        return parse_get(body)
    except PathSyntaxError as error:
        raise ExpressionError(str(error)) from None


def _join(body: object) -> Join:
    if not isinstance(body, Mapping):
        raise ExpressionError(f"`Std:Join` needs an object, not {describe(body)}")
    on, values = body.get("On", ""), body.get("Values")
    if not isinstance(on, str):
        raise ExpressionError(f"`On` of `Std:Join` must be text, not {describe(on)}")
    if not isinstance(values, list):
        raise ExpressionError(f"`Values` of `Std:Join` must be a list, not {describe(values)}")
    unknown = sorted(str(key) for key in body if key not in ("On", "Values"))
    if unknown:
        raise ExpressionError(f"`Std:Join` does not know `{unknown[0]}`")
    return Join(on, tuple(values))


def _json_get(body: object) -> JsonGet:
    if not isinstance(body, Mapping):
        raise ExpressionError(f"`Std:JsonGet` needs an object, not {describe(body)}")
    if "Path" not in body:
        raise ExpressionError("`Std:JsonGet` lacks `Path`")
    file, uri = body.get("PropertyFile"), body.get("S3Uri")
    if (file is None) == (uri is None):
        raise ExpressionError("`Std:JsonGet` needs exactly one of `PropertyFile` and `S3Uri`")
    if file is None:
        return JsonGet(body["Path"], None, uri)
    parsed = parse_expression(file)
    if not isinstance(parsed, Get) or parsed.reference.property_file is None:
        raise ExpressionError(
            "`PropertyFile` of `Std:JsonGet` must be a Get of `Steps.STEP.PropertyFiles.FILE`"
        )
    return JsonGet(body["Path"], parsed.reference, None)


def walk(value: object, pointer: str = "") -> Iterator[tuple[str, Expression]]:
    """Find every expression inside a JSON value, those inside other expressions included.

    Args:
        value: any JSON value, of bounded depth.
        pointer: the JSON pointer of ``value``, put before those that are yielded.

    Yields:
        The JSON pointer of an expression and the expression, in document order.

    Raises:
        ExpressionError: the first malformed expression; its text starts with its pointer.
    """
    try:
        expression = parse_expression(value)
    except ExpressionError as error:
        raise ExpressionError(f"{pointer or '/'}: {error}") from None
    if expression is not None:
        yield pointer, expression
        if isinstance(expression, Get):
            return
        if isinstance(expression, JsonGet):
            # The property file's own Get is part of this expression, not one more.
            yield from walk(expression.path, f"{pointer}/{escape(JSON_GET)}/Path")
            yield from walk(expression.s3_uri, f"{pointer}/{escape(JSON_GET)}/S3Uri")
            return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, f"{pointer}/{escape(str(key))}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, f"{pointer}/{index}")


def references(value: object, pointer: str = "") -> Iterator[tuple[str, Reference]]:
    """Find every reference inside a JSON value, property files included.

    Raises:
        ExpressionError: as :func:`walk`.
    """
    for where, expression in walk(value, pointer):
        if isinstance(expression, Get):
            yield where, expression.reference
        elif isinstance(expression, JsonGet) and expression.property_file is not None:
            yield where, expression.property_file


def escape(key: str) -> str:
    """Escape a key for a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def describe(value: object) -> str:
    """Name a JSON value's type for a message: ``a number``, ``an object``, …."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    return "an object"
