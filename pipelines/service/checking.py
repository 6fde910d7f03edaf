"""Judging a value by a shape of an AWS API."""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.service.model import Shape
from pipelines.service.nearest import nearest_names, suggest
from pipelines.service.patterns import matches

Path = tuple[str | int, ...]

# Two of SageMaker's shapes hold themselves; nothing sensible is nested deeper.
_DEEPEST = 64
# Looking for the nearest name takes milliseconds, and a hostile request may have any number.
_MOST = 200
_LISTED = 8
_INTEGER_BITS = {"integer": 32, "long": 64}
_WANTED = {
    "structure": "a mapping",
    "map": "a mapping",
    "list": "a list",
    "string": "a string",
    "integer": "an integer",
    "long": "an integer",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
    "timestamp": "a date and time",
    "blob": "bytes in Base64",
}
# Which pipeline expressions may stand where a type is wanted.
_FITTING = {
    "string": {"string"},
    "integer": {"integer"},
    "long": {"integer"},
    "float": {"integer", "float"},
    "double": {"integer", "float"},
    "boolean": {"boolean"},
    "timestamp": {"string", "integer", "float"},
    "blob": {"string"},
}
_EXPRESSION = {
    "string": "a string",
    "integer": "an integer",
    "float": "a float",
    "boolean": "a boolean",
}


@dataclass(frozen=True)
class Mismatch:
    """One thing that is wrong with a value.

    Attributes:
        path: where, as member names, map keys and list indexes. For a missing member it is the
            path of the structure that lacks it.
        message: what is wrong, in one sentence.
        hint: what to write instead; may be empty.
        at_key: whether the key at the end of `path` is wrong, not its value.
        kind: `unknown-member`, `missing-member`, `type`, `enum`, `length`, `range`, `pattern` or
            `count`.
    """

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False
    kind: str = "type"


@dataclass(frozen=True)
class _Judge:
    expression_type: Callable[[Any], str | None]
    ignored: frozenset[str]

    def judge(self, value: Any, shape: Shape, path: Path) -> Iterator[Mismatch]:
        if len(path) > _DEEPEST:
            yield Mismatch(path, f"{_subject(path, shape)} is nested too deeply", kind="count")
            return
        if shape.type == "document":
            return
        expression = self.expression_type(value)
        if expression is not None:
            yield from _judge_expression(expression, shape, path)
        elif shape.type == "structure":
            yield from self._judge_structure(value, shape, path)
        elif shape.type == "list":
            yield from self._judge_list(value, shape, path)
        elif shape.type == "map":
            yield from self._judge_map(value, shape, path)
        else:
            yield from _judge_scalar(value, shape, path)

    def _judge_structure(self, value: Any, shape: Shape, path: Path) -> Iterator[Mismatch]:
        if not isinstance(value, Mapping):
            yield _wrong_type(value, shape, path)
            return
        members = shape.members
        unknown = [str(name) for name in value if name not in members][:_LISTED]
        for name in shape.required:
            # A member that is only misspelt is not missing as well.
            meant = name in value or any(
                nearest_names(word, members, 1) == (name,) for word in unknown
            )
            if not meant and _dotted((*path, name)) not in self.ignored:
                message = f"{_subject(path, shape)} lacks `{name}`"
                yield Mismatch(path, message, kind="missing-member")
        for name, item in value.items():
            if name in members:
                yield from self.judge(item, members[name], (*path, name))
            else:
                yield _unknown_member(str(name), shape, path)
        if shape.is_union and len([name for name in value if name in members]) != 1:
            names = ", ".join(f"`{name}`" for name in members)
            message = f"{_subject(path, shape)} wants exactly one of {names}"
            yield Mismatch(path, message, kind="count")

    def _judge_list(self, value: Any, shape: Shape, path: Path) -> Iterator[Mismatch]:
        if isinstance(value, (str, bytes, bytearray)) or not isinstance(value, Sequence):
            yield _wrong_type(value, shape, path)
            return
        yield from _judge_size(len(value), shape, path, "count", "items")
        for index, item in enumerate(value):
            yield from self.judge(item, shape.member, (*path, index))

    def _judge_map(self, value: Any, shape: Shape, path: Path) -> Iterator[Mismatch]:
        if not isinstance(value, Mapping):
            yield _wrong_type(value, shape, path)
            return
        yield from _judge_size(len(value), shape, path, "count", "entries")
        for key, item in value.items():
            here = (*path, str(key))
            for found in _judge_scalar(key, shape.key, here, key=True):
                yield Mismatch(here, found.message, found.hint, at_key=True, kind=found.kind)
            yield from self.judge(item, shape.value, here)


def check(
    value: Any,
    shape: Shape,
    *,
    expression_type: Callable[[Any], str | None] = lambda _: None,
    ignore_missing: Collection[str] = (),
) -> Iterator[Mismatch]:
    """Yields everything about `value` that AWS would refuse, judged by `shape`.

    Stricter than botocore's own validation, which knows no enums, patterns or upper limits.

    Args:
        value: a request or part of one: mappings, sequences and scalars.
        expression_type: returns None for a plain value, and for a pipeline expression the type it
            has when the pipeline runs: `string`, `integer`, `float`, `boolean`, or `any`. Only the
            type of an expression is judged.
        ignore_missing: required members that may be missing, for what the service fills in:
            `ProcessingJobName`, or with dots and no list indexes, `AppSpecification.ImageUri`.

    Returns:
        Mismatches in a stable order: depth first in the order of `value`, and what a structure
        lacks before what its members have wrong. After two hundred it ends.
    """
    found = _Judge(expression_type, frozenset(ignore_missing)).judge(value, shape, ())
    return itertools.islice(found, _MOST)


def _dotted(path: Path) -> str:
    return ".".join(segment for segment in path if isinstance(segment, str))


def _subject(path: Path, shape: Shape, *, key: bool = False) -> str:
    """Names the place `path` for a message: `` `Name` ``, or ``item 2 of `Names` ``."""
    if not path:
        return f"`{shape.name}`"
    last = path[-1]
    if isinstance(last, str):
        return f"The key `{_shorten(last)}`" if key else f"`{_shorten(last)}`"
    return f"Item {last + 1} of {_subject(path[:-1], shape)}" if path[:-1] else f"Item {last + 1}"


def _shorten(text: str, longest: int = 80) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _unknown_member(name: str, shape: Shape, path: Path) -> Mismatch:
    hint = suggest(name, shape.members)
    if not hint and len(shape.members) <= _LISTED:
        hint = "It has " + ", ".join(f"`{member}`" for member in shape.members) + "."
    message = f"`{_shorten(name)}` is not a member of {shape.name}"
    return Mismatch((*path, name), message, hint, at_key=True, kind="unknown-member")


def _judge_expression(expression: str, shape: Shape, path: Path) -> Iterator[Mismatch]:
    if expression == "any" or expression in _FITTING.get(shape.type, ()):
        return
    given = _EXPRESSION.get(expression, expression)
    message = f"{_subject(path, shape)} wants {_WANTED[shape.type]}, and the reference is {given}"
    yield Mismatch(path, message, kind="type")


def _describe(value: Any) -> str:
    if value is None:
        return "null"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (str, "a string"),
        (int, "an integer"),
        (float, "a number"),
        ((bytes, bytearray), "bytes"),
        (Mapping, "a mapping"),
        (Sequence, "a list"),
        ((datetime.datetime, datetime.date), "a date"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), type(value).__name__)


def _wrong_type(value: Any, shape: Shape, path: Path, *, key: bool = False) -> Mismatch:
    subject = _subject(path, shape, key=key)
    message = f"{subject} wants {_WANTED[shape.type]}, not {_describe(value)}"
    return Mismatch(path, message, _type_hint(value, shape), kind="type")


def _type_hint(value: Any, shape: Shape) -> str:
    """Returns how to write a value of the wrong type, where that is plain."""
    if shape.type == "list" and isinstance(value, (str, int, float, Mapping)):
        return "Put it in a list."
    if shape.type == "string" and isinstance(value, bool):
        return f'Put it in quotes: "{str(value).lower()}"'
    if shape.type == "string" and isinstance(value, (int, float)):
        return "Put it in quotes."
    if not isinstance(value, str):
        return ""
    if shape.type == "boolean" and value.lower() in {"true", "false"}:
        return f"Write it without quotes: {value.lower()}"
    wanted: type[int] | type[float] | None = {
        "integer": int,
        "long": int,
        "float": float,
        "double": float,
    }.get(shape.type)
    if wanted is None or len(value) > 20:
        return ""
    try:
        wanted(value)
    except ValueError:
        return ""
    return "Write it without quotes."


def _judge_scalar(value: Any, shape: Shape, path: Path, *, key: bool = False) -> Iterator[Mismatch]:
    if not _has_type(value, shape.type):
        yield _wrong_type(value, shape, path, key=key)
    elif shape.type == "string":
        yield from _judge_string(value, shape, path, key=key)
    elif shape.type == "blob":
        yield from _judge_size(len(value), shape, path, "length", "bytes")
    elif shape.type in {"integer", "long", "float", "double"}:
        yield from _judge_number(value, shape, path)


def _has_type(value: Any, wanted: str) -> bool:
    if wanted == "string":
        return isinstance(value, str)
    if wanted == "boolean":
        return isinstance(value, bool)
    if wanted in _INTEGER_BITS:
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted in {"float", "double"}:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted == "blob":
        return isinstance(value, (str, bytes, bytearray))
    return _is_time(value)


def _is_time(value: Any) -> bool:
    """Whether botocore could make a timestamp of `value`: a date, seconds, or ISO 8601."""
    if isinstance(value, str):
        # Python 3.10 reads neither `Z` nor a fraction of other than 3 or 6 digits.
        text = value[:-1] + "+00:00" if value[-1:] in {"Z", "z"} else value
        try:
            datetime.datetime.fromisoformat(text)
        except ValueError:
            return False
        return True
    return isinstance(value, (int, float, datetime.date)) and not isinstance(value, bool)


def _judge_string(value: str, shape: Shape, path: Path, *, key: bool) -> Iterator[Mismatch]:
    subject = _subject(path, shape, key=key)
    if shape.enum:
        if value not in shape.enum:
            yield _not_in_enum(value, shape, path, subject)
        return
    sized = list(_judge_size(len(value), shape, path, "length", "characters", subject))
    yield from sized
    # A value far too long is not worth a pattern's time.
    if not sized and shape.pattern is not None and not matches(shape.pattern, value):
        if "\n" in value and matches(shape.pattern, value.replace("\n", " ")):
            message, hint = f"{subject} holds a line break", "The API takes one line here."
        else:
            message, hint = f"{subject} does not match `{_shorten(shape.pattern, 120)}`", ""
        yield Mismatch(path, message, hint, kind="pattern")


def _not_in_enum(value: str, shape: Shape, path: Path, subject: str) -> Mismatch:
    same = [one for one in shape.enum if one.lower() == value.lower()]
    near = same or list(nearest_names(value, shape.enum))
    if same:
        hint = f"The API spells it `{same[0]}`."
    elif near:
        hint = suggest(value, shape.enum)
    elif len(shape.enum) <= _LISTED:
        hint = "It may be " + ", ".join(f"`{one}`" for one in shape.enum) + "."
    else:
        some = ", ".join(f"`{one}`" for one in shape.enum[:3])
        hint = f"It may be one of {len(shape.enum)} values, such as {some}."
    message = f"{subject} may not be `{_shorten(value)}`"
    return Mismatch(path, message, hint, kind="enum")


def _judge_size(
    size: int, shape: Shape, path: Path, kind: str, unit: str, subject: str = ""
) -> Iterator[Mismatch]:
    subject = subject or _subject(path, shape)
    if shape.minimum is not None and size < shape.minimum:
        wanted = f"wants at least {_count(shape.minimum, unit)}, not {size}"
        yield Mismatch(path, f"{subject} {wanted}", kind=kind)
    elif shape.maximum is not None and size > shape.maximum:
        wanted = f"wants at most {_count(shape.maximum, unit)}, not {size}"
        yield Mismatch(path, f"{subject} {wanted}", kind=kind)


def _count(number: float, unit: str) -> str:
    singular = {"entries": "entry"}.get(unit, unit[:-1])
    return f"{number:.0f} {singular if number == 1 else unit}"


def _judge_number(value: float, shape: Shape, path: Path) -> Iterator[Mismatch]:
    subject = _subject(path, shape)
    least, most = shape.minimum, shape.maximum
    bits = _INTEGER_BITS.get(shape.type)
    if bits is not None:
        least = -(2 ** (bits - 1)) if least is None else least
        most = 2 ** (bits - 1) - 1 if most is None else most
    elif not _is_finite(value):
        yield Mismatch(path, f"{subject} wants a finite number", kind="range")
        return
    if least is not None and value < least:
        yield Mismatch(path, f"{subject} must be at least {least}", kind="range")
    elif most is not None and value > most:
        yield Mismatch(path, f"{subject} must be at most {most}", kind="range")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer too big for a float
        return False
