"""Expressions: values that are known only when the pipeline runs; standard library only.

Also numbers that remember how they were written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

Path = tuple[Union[str, int], ...]
"""Where a value stands, from the step (or the document) down: map keys and list indexes."""

ExprType = Literal["string", "integer", "float", "boolean", "any"]
"""The type an expression has when the pipeline runs; ``any`` is known only then."""

Meaning = Literal[
    "", "s3", "model-name", "model-package", "endpoint", "endpoint-config", "arn", "outcome"
]
"""What a string stands for; the empty text where nothing is known."""


# --- Expressions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ParameterRef:
    """A pipeline parameter: ``{"Get": "Parameters.NAME"}``."""

    name: str
    type: ExprType = "string"
    meaning: Meaning = ""


@dataclass(frozen=True)
class ExecutionRef:
    """An execution variable, by its API name: ``{"Get": "Execution.PipelineExecutionId"}``."""

    name: str
    type: ExprType = "string"
    meaning: Meaning = ""


@dataclass(frozen=True)
class PropertyRef:
    """A field of a step's Describe response: ``{"Get": "Steps.NAME.A.B['key'][0]"}``.

    Args:
        step: the step's name.
        path: member names (text), list indexes (numbers), and map keys (text after ``keyed``).
        keyed: the positions in ``path`` that are map keys, written ``['key']``.
    """

    step: str
    path: Path
    keyed: frozenset[int] = frozenset()
    type: ExprType = "string"
    meaning: Meaning = ""

    @property
    def text(self) -> str:
        """The path below the step's name, as the definition JSON writes it."""
        written = ""
        for position, segment in enumerate(self.path):
            if isinstance(segment, int):
                written += f"[{segment}]"
            elif position in self.keyed:
                written += f"['{segment}']"
            else:
                written += f".{segment}" if written else segment
        return written


@dataclass(frozen=True)
class JsonGet:
    """A value in a property file of a Processing step (``Std:JsonGet``), or in a file on S3.

    Args:
        uri: the S3 URI of the file, text or an expression; then ``step`` and ``file`` are empty.
    """

    step: str
    file: str
    path: str
    type: ExprType = "any"
    meaning: Meaning = ""
    uri: Any = None


@dataclass(frozen=True)
class Join:
    """Values written one after the other (``Std:Join``)."""

    values: tuple[Any, ...]
    on: str = ""
    type: ExprType = "string"
    meaning: Meaning = ""


@dataclass(frozen=True)
class LoopRef:
    """A value that differs between the rounds of a ForEach: the item, or what ``select`` compares.

    Args:
        text: as the definition JSON writes it: ``ForEach.CurrentItem.night``.
    """

    text: str
    type: ExprType = "any"
    meaning: Meaning = ""


@dataclass(frozen=True)
class DocumentRef:
    """The S3 URI of a file that a step's kind makes while compiling; known before any run.

    Args:
        step: the step whose kind makes it.
        name: which of the kind's documents.
    """

    step: str
    name: str
    type: ExprType = "string"
    meaning: Meaning = "s3"


UNKNOWN = JsonGet("", "", "")
"""Stands where a reference is wrong, so that one mistake is told once."""

Expr = Union[ParameterRef, ExecutionRef, PropertyRef, JsonGet, Join, LoopRef, DocumentRef]
EXPRESSIONS = (ParameterRef, ExecutionRef, PropertyRef, JsonGet, Join, LoopRef, DocumentRef)


def is_expression(value: object) -> bool:
    """Say whether ``value`` is known only when the pipeline runs."""
    return isinstance(value, EXPRESSIONS)


class SourceInt(int):
    """A whole number that remembers how it was written (``007`` never gets here, ``1e3`` does)."""

    text: str

    def __new__(cls, value: int, text: str) -> SourceInt:
        """Make the number ``value`` written as ``text``."""
        made = super().__new__(cls, value)
        made.text = text
        return made


class SourceFloat(float):
    """A number that remembers how it was written: ``2.10`` stays ``2.10`` where text is wanted."""

    text: str

    def __new__(cls, value: float, text: str) -> SourceFloat:
        """Make the number ``value`` written as ``text``."""
        made = super().__new__(cls, value)
        made.text = text
        return made


def as_text(value: Any) -> Any:
    """Return ``value`` as the API's string fields want it.

    Numbers keep the way they were written, booleans become ``true``/``false``, and an expression
    that is no string yet is joined to one, as the SDK's ``to_string()`` does.
    """
    if is_expression(value):
        if isinstance(value, Join) or value.type == "string":
            return value
        return Join((value,), meaning=value.meaning)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (SourceInt, SourceFloat)):
        return value.text
    return value if isinstance(value, str) else str(value)


def expressions_in(value: Any) -> Iterator[Expr]:
    """Yield every expression in plain data, those inside joins included."""
    if isinstance(value, Join):
        yield value
        for part in value.values:
            yield from expressions_in(part)
    elif isinstance(value, JsonGet):
        yield value
        yield from expressions_in(value.uri)
    elif isinstance(value, EXPRESSIONS):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from expressions_in(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from expressions_in(part)
