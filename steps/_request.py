"""A step in the API's words, as kinds and the language make it; standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Retry:
    """One retry policy.

    Args:
        on: API exception types, such as ``Step.THROTTLING``.
        interval: seconds before the first retry.
        backoff: the factor by which the interval grows.
        attempts: how often at most; None where ``expire`` is given.
        expire: minutes after which no retry starts.
    """

    on: tuple[str, ...]
    interval: int = 1
    backoff: float = 2.0
    attempts: int | None = None
    expire: int | None = None


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in an output that conditions and references can read."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class Comparison:
    """One comparison of a condition: ``operator`` is SageMaker's ``Type``; ``In`` takes a list."""

    operator: str
    left: Any
    right: Any
    negated: bool = False


Clause = tuple[Comparison, ...]
"""Comparisons of which one must hold; a condition is a list of clauses that all must hold."""


@dataclass(frozen=True)
class StepRequest:
    """A step in the API's words, before the SDK's classes.

    Args:
        name: the step's name.
        type: the API's step type, such as ``Processing`` or ``Model``.
        arguments: the step's ``Arguments``, with expressions in them.
        clauses: a Condition's clauses.
        then, otherwise: a Condition's branches.
        body: a ForEach's steps.
        members: members of the step object beside the arguments, as the kind writes them.
        fields: members of the step object that the definition gives (``step_fields``).
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    depends_on: tuple[Any, ...] = ()
    display_name: str = ""
    description: str = ""
    cache: str = ""
    retries: tuple[Retry, ...] = ()
    property_files: tuple[PropertyFile, ...] = ()
    clauses: tuple[Clause, ...] = ()
    then: tuple[StepRequest, ...] = ()
    otherwise: tuple[StepRequest, ...] = ()
    body: tuple[StepRequest, ...] = ()
    members: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
