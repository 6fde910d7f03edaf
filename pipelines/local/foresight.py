"""Resolving a step's arguments before anything runs: what only a run can tell stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.definition import Join, JsonGet, Reference, parse_expression
from pipelines.local.identity import Identity
from pipelines.local.values import ResolutionError, Round, Values, as_text

EXECUTION = "EXECUTION-ID"
"""Stands for the execution's id, which a run makes up."""


class Unknown(str):
    """Text that stands for a value which only a run can tell: ``<Steps.train.…>``."""

    __slots__ = ()


class _NotYet(Exception):
    """A reference has no value before its step has run."""


@dataclass(frozen=True)
class ForeseenIdentity(Identity):
    """An execution that does not take place; what it would make has names without chance."""

    def job_name(self, step: str, longest: int = 63) -> str:
        """Return a name that says whose it is."""
        del longest
        return f"pipelines-{self.execution}-{step}"

    def custom_job_name(self, prefix: str, longest: int = 63) -> str:
        """Return a name that says whose it is."""
        del longest
        return f"{prefix}-{self.execution}"


@dataclass
class ForeseenValues(Values):
    """What references resolve against while nothing runs.

    Attributes:
        real: the steps whose properties are those of a result that exists.
    """

    real: set[str] = field(default_factory=set)

    def resolve(
        self, value: object, job: tuple[str, str] | None = None, within: Round | None = None
    ) -> object:
        """Resolve what is known; the rest becomes :class:`Unknown`."""
        expression = parse_expression(value)
        if isinstance(expression, Join):
            parts = [self.resolve(item, job, within) for item in expression.values]
            text = expression.on.join(as_text(part) for part in parts)
            return Unknown(text) if any(isinstance(part, Unknown) for part in parts) else text
        try:
            return super().resolve(value, job, within)
        except _NotYet as error:
            return Unknown(f"<{error}>")

    def _property(self, reference: Reference, within: Round | None) -> object:
        name = within.names.get(reference.name, reference.name) if within else reference.name
        try:
            found = super()._property(reference, within)
        except ResolutionError:
            if name in self.real:
                raise
            raise _NotYet(reference.text) from None
        if isinstance(found, Unknown):
            raise _NotYet(reference.text)
        return found

    def _json_get(
        self, expression: JsonGet, job: tuple[str, str] | None, within: Round | None
    ) -> object:
        if expression.property_file is not None:
            whose = expression.property_file.name
            if whose not in self.real:
                raise _NotYet(f"Steps.{whose}.{expression.property_file.property_file}: "
                              f"{expression.path}")  # fmt: skip
        elif isinstance(self.resolve(expression.s3_uri, job, within), Unknown):
            raise _NotYet(f"JsonGet {expression.path}")
        return super()._json_get(expression, job, within)


def holds_unknown(value: object) -> bool:
    """Whether there is an unknown value anywhere in some JSON."""
    if isinstance(value, Mapping):
        return any(map(holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(holds_unknown, value))
    return isinstance(value, Unknown) or (isinstance(value, str) and EXECUTION in value)


def expression_type(value: Any) -> str | None:
    """Tell a judge of requests that an unknown value may be of any type."""
    return "any" if isinstance(value, Unknown) else None
