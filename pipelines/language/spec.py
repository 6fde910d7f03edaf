"""A checked definition: frozen data, ready to be compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from pipelines.language.nodes import MapNode
from pipelines.language.project import Project
from steps._contract import Clause, Environment, Kind, Retry, Step
from steps._expressions import ExprType, Path

PARAMETER_EXPRESSIONS: dict[str, ExprType] = {
    "String": "string",
    "Integer": "integer",
    "Float": "float",
    "Boolean": "boolean",
}


@dataclass(frozen=True)
class ParameterSpec:
    """A pipeline parameter; ``default`` is None where a start must give a value."""

    name: str
    type: str
    default: Any = None
    enum: tuple[Any, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Dependency:
    """A step that must have ended, and how; ``when`` is empty for the ordinary way."""

    step: str
    when: str = ""


@dataclass(frozen=True)
class StepSpec:
    """A step, resolved.

    Args:
        step: its name and fields, with expressions.
        path: where it stands in the tree of its pipeline.
        clauses: a Condition's comparisons.
        then, otherwise: a Condition's branches.
        body: a ForEach's steps.
        cache: how old a cached result may be, as the API writes it; empty: no cache.
        branch: the conditions and loops around it, outermost first, each with its field.
        sound: its fields have the form that its kind expects; False where mistakes were told that
            keep its request from being built.
    """

    step: Step
    kind: Kind
    path: Path
    depends_on: tuple[Dependency, ...] = ()
    clauses: tuple[Clause, ...] = ()
    then: tuple[StepSpec, ...] = ()
    otherwise: tuple[StepSpec, ...] = ()
    cache: str = ""
    retries: tuple[Retry, ...] = ()
    branch: tuple[tuple[str, str], ...] = ()
    sound: bool = True
    stand_ins: frozenset[Path] = frozenset()
    body: tuple[StepSpec, ...] = ()

    @property
    def name(self) -> str:
        """The step's name."""
        return self.step.name


@dataclass(frozen=True)
class PipelineSpec:
    """A definition, checked.

    Args:
        name: the SageMaker pipeline's name.
        path: the definition's file.
        tree: the merged and rendered definition, for places.
        experiment: ExperimentName and TrialName; None for none.
        request: further members of CreatePipeline (``pipeline_fields``).
        files: every YAML file that was read, the definition first.
    """

    name: str
    path: FilePath
    project: Project
    environment: Environment
    tree: MapNode = field(repr=False)
    parameters: tuple[ParameterSpec, ...] = ()
    steps: tuple[StepSpec, ...] = ()
    description: str = ""
    display_name: str = ""
    parallelism: int | None = None
    experiment: Mapping[str, Any] | None = None
    mlflow: Mapping[str, Any] | None = None
    schedules: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[FilePath, ...] = ()

    @property
    def base(self) -> FilePath:
        """The folder that local paths in the definition JSON start from."""
        return self.path.parent

    def walk(self) -> Iterator[StepSpec]:
        """Yield every step, branches included, in the order of the file."""
        yield from walk_steps(self.steps)


def walk_steps(steps: tuple[StepSpec, ...]) -> Iterator[StepSpec]:
    """Yield the steps and those in their branches, in the order of the file."""
    for step in steps:
        yield step
        yield from walk_steps(step.then)
        yield from walk_steps(step.otherwise)
        yield from walk_steps(step.body)
