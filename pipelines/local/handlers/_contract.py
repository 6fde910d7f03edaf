"""What a handler is: the code that stands in for the service at one API type of step."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from pipelines.definition import Step
from pipelines.local.endpoints import Endpoints
from pipelines.local.identity import MAX_NAME, Identity
from pipelines.local.isolation import Isolation
from pipelines.local.jobs import Progress, Room
from pipelines.local.jobs.interpreters import CURRENT, Environments
from pipelines.local.lineage import Lineage
from pipelines.local.objects import ObjectStore
from pipelines.local.registry import Registry
from pipelines.local.s3 import LocalS3
from pipelines.local.stand_ins import StandIn, StandIns


@dataclass(frozen=True)
class Call:
    """What a step asks for, before it runs.

    Attributes:
        step: the step, as the definition has it.
        request: its arguments, as far as they are resolved.
        members: its further members, likewise.
        stand_in: what stands in for it, or for what it calls; None where nothing does.
        stand_ins: what stands in for the world.
    """

    step: Step
    request: Mapping[str, Any]
    members: Mapping[str, Any]
    stand_in: StandIn | None
    stand_ins: StandIns


@dataclass(frozen=True)
class StepContext:
    """Where and as what one step runs.

    Attributes:
        step: the step, as the definition has it.
        name: the name of the job, model, … the step makes.
        identity: the execution it belongs to.
        objects: the objects of ``s3://``.
        s3: S3's own API over them, for what jobs call themselves.
        registry: models and packages.
        endpoints: endpoints and what they consist of.
        lineage: where things come from.
        isolation: how its job is kept apart.
        environments: which Python and which libraries its job gets.
        folder: a scratch folder of its own, not made yet.
        log: the file for what its job prints.
        cancelled: set when the execution is being stopped.
        on_line: called with each line that is printed.
        members: the step's further members, references resolved: ``OutputParameters``, ….
        stand_ins: what stands in for the world.
        stand_in: what the handlers file names for this step, or for what it calls; None where it
            names nothing.
        earlier: gives the resolved arguments and the properties of a step that has run; None for
            either where it has none.
        job: gives the properties of a step of any execution by its API type, the member that holds
            its job's name, and that name; None where there is none.
        enter: told which phase of a job begins.
        advance: told how far a job is that consists of parts.
        variables: gives further variables of a job; asked with the name of its part, if any.
        shell: whether a shell is to take the place of the step's job.
    """

    step: Step
    name: str
    identity: Identity
    objects: ObjectStore
    s3: LocalS3
    registry: Registry
    endpoints: Endpoints
    lineage: Lineage
    isolation: Isolation
    folder: Path
    log: Path
    cancelled: threading.Event
    on_line: Callable[[str], None]
    environments: Environments = CURRENT
    members: Mapping[str, Any] = field(default_factory=dict)
    stand_ins: StandIns = field(default_factory=StandIns)
    stand_in: StandIn | None = None
    earlier: Callable[[str], tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]] = (
        lambda _name: (None, None)
    )
    job: Callable[[str, str, str], Mapping[str, Any] | None] = lambda _type, _member, _name: None
    enter: Callable[[str], None] = lambda _phase: None
    advance: Callable[[Progress], None] = lambda _progress: None
    variables: Callable[[str], Mapping[str, str]] = lambda _part: {}
    shell: bool = False
    room: Room = field(default_factory=Room)

    def call(self, request: Mapping[str, Any]) -> Call:
        """Return what the step asks for with these arguments."""
        return Call(self.step, request, self.members, self.stand_in, self.stand_ins)

    def say(self, text: str) -> None:
        """Add a line of our own to the step's log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(text + "\n")
        self.on_line(text)


@dataclass(frozen=True)
class StepResult:
    """What a step that succeeded leaves behind.

    Attributes:
        properties: what references to it see: the Describe response's shape.
        metadata: its entry in PipelineExecutionStep.Metadata.
        outcome: which branch a Condition step chose.
        outputs: URIs below which it may have written.
    """

    properties: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    outcome: bool | None = None
    outputs: tuple[str, ...] = ()


class StepError(Exception):
    """A step failed; the text is its FailureReason.

    Attributes:
        metadata: as :class:`StepResult`'s, for a step that fails by design.
    """

    def __init__(self, reason: str, metadata: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.metadata = dict(metadata or {})


class StepStopped(Exception):
    """A step's work was stopped before its end."""


class Handler(ABC):
    """Stands in for the service at one API type.

    Attributes:
        api_type: the word in the JSON's ``Type``.
        operation: the API's operation whose request the arguments are; empty where there is none.
        name_field: the argument that may carry the prefix of the job's name; empty where none may.
        longest_name: how long the name of what the step makes may be.
        cache_attributes: the arguments that count for the step cache, deeper ones with dots; empty:
            never cached.
    """

    api_type: ClassVar[str]
    operation: ClassVar[str] = ""
    name_field: ClassVar[str] = ""
    longest_name: ClassVar[int] = MAX_NAME
    cache_attributes: ClassVar[tuple[str, ...]] = ()

    def inputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs whose content counts for the step cache."""
        del request
        return []

    def counted(
        self, request: Mapping[str, Any], registry: Registry, objects: ObjectStore
    ) -> Mapping[str, Any]:
        """Return the arguments as the step cache compares them where contents count."""
        del registry, objects
        return request

    def counted_members(self, members: Mapping[str, Any], registry: Registry) -> Mapping[str, Any]:
        """Return the step's members beside its arguments that count for the step cache."""
        del registry
        return members

    def more_inputs(self, members: Mapping[str, Any], registry: Registry) -> list[str]:
        """Return further URIs whose content counts, which the members or the registry name."""
        del members, registry
        return []

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the thing a step calls: a function, a queue, an image."""
        del request, members, stand_ins
        return None

    def obstacle(self, call: Call) -> str:
        """Say what keeps a step from running on this machine; empty where nothing is known to."""
        del call
        return ""

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return what can be told of the step's properties before it runs."""
        del name, identity
        return request

    def outputs(self, request: Mapping[str, Any]) -> list[str]:
        """Return the URIs below which the step writes; ``request`` may be a Describe response."""
        del request
        return []

    @abstractmethod
    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Do the step's work.

        Args:
            request: the step's arguments, every reference resolved.
            context: where it runs.

        Raises:
            StepError: it failed.
            StepStopped: it was stopped.
            ServiceError: a fault of ours, which a retry policy may answer.
        """
