"""A pipeline definition as frozen data, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

ParameterType = Literal["String", "Integer", "Float", "Boolean"]
PARAMETER_TYPES: tuple[ParameterType, ...] = ("String", "Integer", "Float", "Boolean")

Trigger = Literal["Completed", "Failed", "Stopped", "Any"]
TRIGGERS: tuple[Trigger, ...] = ("Completed", "Failed", "Stopped", "Any")

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter; ``default`` is None where a value must be given."""

    name: str
    type: ParameterType
    default: Scalar | None = None
    enum: tuple[Scalar, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Dependency:
    """One edge: a step waits until ``step`` has ended in the way ``trigger`` names."""

    step: str
    trigger: Trigger = "Completed"


@dataclass(frozen=True)
class Branch:
    """The branch a step stands in: of which Condition step, and which of the two."""

    condition: str
    taken_when: bool


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file that a processing step writes and others read values from."""

    name: str
    output: str
    path: str


@dataclass(frozen=True)
class CacheConfig:
    """A step's cache setting; ``expire_after`` as written, None where there is none."""

    enabled: bool
    expire_after: str | None = None


@dataclass(frozen=True)
class RetryPolicy:
    """A step's retry policy for some exception types.

    Exactly one of ``max_attempts`` and ``expire_after_minutes`` is usually set.
    """

    exception_types: tuple[str, ...]
    interval_seconds: float = 1.0
    backoff_rate: float = 2.0
    max_attempts: int | None = None
    expire_after_minutes: float | None = None


@dataclass(frozen=True)
class Step:
    """One step, those of branches included.

    Attributes:
        name: unique in the definition.
        type: the API's word: ``Processing``, ``Training``, ``Condition``, ….
        arguments: what stands in the JSON, without a Condition's branches and a ForEach's body.
        pointer: where the step stands in the JSON (a JSON pointer).
        depends_on: the explicit ``DependsOn``, not what its references imply.
        branch: the branch it stands in; None at the top level.
        members: further members beside the arguments: ``FunctionArn``, ``OutputParameters``, ….
        body: the steps that a ForEach runs for each item; they stand nowhere else.
    """

    name: str
    type: str
    arguments: Mapping[str, object]
    pointer: str
    depends_on: tuple[Dependency, ...] = ()
    branch: Branch | None = None
    display_name: str = ""
    description: str = ""
    property_files: tuple[PropertyFile, ...] = ()
    cache: CacheConfig | None = None
    retries: tuple[RetryPolicy, ...] = ()
    members: Mapping[str, object] = field(default_factory=dict)
    body: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A pipeline definition.

    Attributes:
        steps: all steps in the order of the document; those of a branch after their Condition.
            The body of a ForEach is not among them: its steps run under names of their own.
        source: the JSON document itself.
    """

    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    experiment: Mapping[str, object] | None
    source: Mapping[str, object] = field(repr=False)

    @cached_property
    def by_name(self) -> Mapping[str, Step]:
        """The steps by their names."""
        return {step.name: step for step in self.steps}
