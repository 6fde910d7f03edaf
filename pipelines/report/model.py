"""What a report says about a run, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Phase:
    """A part of a step's time: ``waiting``, ``preparing``, ``running`` or ``storing``."""

    name: str
    start: float
    seconds: float


@dataclass(frozen=True)
class Picture:
    """A picture that a job wrote.

    Attributes:
        name: its path below the output.
        output: the output it lies in.
        data: a ``data:`` URI.
    """

    name: str
    output: str
    data: str = field(repr=False)


@dataclass(frozen=True)
class Excerpt:
    """The first lines of a text that a job wrote; ``lines`` is how many there are in all."""

    name: str
    text: str = field(repr=False)
    lines: int


@dataclass(frozen=True)
class Output:
    """An output of a step: its name, its URI, where it lies on this machine, and its size."""

    name: str
    uri: str
    path: str
    files: int
    bytes: int


@dataclass(frozen=True)
class StepPart:
    """One step of the run.

    Attributes:
        state: ``Succeeded``, ``Reused``, ``Failed``, ``Stopped``, ``Executing`` or ``Skipped``.
        start: seconds after the run's start.
        seconds: how long it took.
        note: what it came to in a few words.
        request: its resolved request as JSON text.
        faults: why attempts failed that were made again.
        log: the end of its log.
        log_left_out: how many bytes of the log come before.
        table: rows under a heading of their own, such as a tuning job's training jobs.
        depth: how many loops it stands in.
    """

    name: str
    type: str
    state: str
    start: float
    seconds: float
    note: str = ""
    reason: str = ""
    attempts: int = 1
    faults: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    request: str = field(default="", repr=False)
    log: str = field(default="", repr=False)
    log_left_out: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    outputs: tuple[Output, ...] = ()
    table: Table | None = None
    depth: int = 0


@dataclass(frozen=True)
class Table:
    """A small table."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Setting:
    """A parameter: its value here, and in the run that is compared, where that differs."""

    name: str
    value: str
    before: str | None = None


@dataclass(frozen=True)
class Source:
    """Something that went into a model: a step's output, data from outside, or code.

    Attributes:
        kind: ``step``, ``data`` or ``code``.
        name: the step, or what the code or data are called.
        detail: the URI.
        sources: what went into it in turn.
    """

    kind: str
    name: str
    detail: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Made:
    """A model that the run registered or created, and where it comes from."""

    title: str
    arn: str
    metrics: Mapping[str, float]
    lineage: tuple[Source, ...]


@dataclass(frozen=True)
class Change:
    """Something that differs from the run that is compared."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """Another run of the same pipeline beside this one."""

    run: str
    started: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Report:
    """A run."""

    run: str
    pipeline: str
    status: str
    reason: str
    arn: str
    started: str
    seconds: float
    took: float
    isolation: str
    parallelism: int
    settings: tuple[Setting, ...]
    steps: tuple[StepPart, ...]
    made: tuple[Made, ...]
    comparison: Comparison | None
    picture: str = field(repr=False)
