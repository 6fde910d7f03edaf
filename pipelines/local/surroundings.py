"""What the steps of one execution share, and what one that has ended leaves to the others."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.definition import Step
from pipelines.local.cache import Cache
from pipelines.local.history import History
from pipelines.local.identity import Identity
from pipelines.local.isolation import Isolation
from pipelines.local.jobs import Room
from pipelines.local.objects import ObjectStore
from pipelines.local.observer import Observer
from pipelines.local.options import RunOptions
from pipelines.local.registry import Registry
from pipelines.local.s3 import LocalS3
from pipelines.local.store import Store
from pipelines.local.values import Round, Values


@dataclass(frozen=True)
class Finished:
    """How a step ended, for the scheduler and for the references of later steps."""

    step: str
    status: str
    reason: str = ""
    outcome: bool | None = None
    properties: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Surroundings:
    """What all steps of one execution share.

    Attributes:
        cancelled: set when the execution is being stopped.
        requests: the resolved arguments of every step that got that far, by name.
        rounds: the round of each step that a ForEach put in, by name.
        room: how many jobs run at once.
        faults: for each step, service faults still to be raised, one an attempt.
    """

    store: Store
    history: History
    registry: Registry
    objects: ObjectStore
    s3: LocalS3
    isolation: Isolation
    identity: Identity
    values: Values
    cache: Cache
    observer: Observer
    options: RunOptions
    cancelled: threading.Event
    room: Room = field(default_factory=Room)
    faults: Mapping[str, list[str]] = field(default_factory=dict)
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    rounds: dict[str, Round] = field(default_factory=dict)

    def body_name(self, step: Step) -> str:
        """The name that a step has in the definition: a round's without its number."""
        within = self.rounds.get(step.name)
        if within is None:
            return step.name
        return next(name for name, here in within.names.items() if here == step.name)
