"""What a run can be asked for, beyond the definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipelines.local.identity import ACCOUNT, REGION
from pipelines.local.jobs.interpreters import CURRENT, Environments
from pipelines.local.stand_ins import StandIns
from pipelines.local.upstream import Upstream

Caching = Literal["definition", "all", "off"]


@dataclass(frozen=True)
class Selection:
    """Which steps run; the others' results come from another execution.

    Attributes:
        only: these, with the branches of a Condition among them.
        start: these and all that comes after them.
        end: these and all they need. With ``start``, what lies between.
        source: the execution that the others' results come from: its id, ARN or ``latest``; empty
            for the latest that succeeded.
    """

    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.only or self.start or self.end)


@dataclass(frozen=True)
class RunOptions:
    """How a definition is run.

    Attributes:
        parameters: values as text, the form in which the API takes them.
        parallelism: how many steps may run at once; by default one a processor, at least two.
        caching: ``definition``: as the steps say; ``all``: also those that say nothing; ``off``:
            nothing is reused.
        service_cache: the cache key holds the arguments alone, as the service's does; what inputs
            hold does not count.
        account: the account id in ARNs.
        region: the region in ARNs.
        faults: for a step's name, retry policies' exception types to raise, one an attempt.
        stand_ins: what stands in for the world.
        selection: which steps run.
        resume: the execution to go on with: its id, ARN or ``latest``; empty to begin a new one.
        variables: gives further variables of a job: of which step, of which part of it.
        environments: which Python and which libraries jobs get.
        upstream: S3 itself, where the run may read it.
        sample: how many rows of each CSV or Parquet input from outside are used; None for all.
        shell: the step whose job is replaced by a shell.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    parallelism: int | None = None
    caching: Caching = "definition"
    service_cache: bool = False
    account: str = ACCOUNT
    region: str = REGION
    faults: Mapping[str, list[str]] = field(default_factory=dict)
    stand_ins: StandIns = field(default_factory=StandIns)
    selection: Selection = field(default_factory=Selection)
    resume: str = ""
    environments: Environments = CURRENT
    variables: Callable[[str, str], Mapping[str, str]] = lambda _step, _part: {}
    upstream: Upstream | None = None
    sample: int | None = None
    shell: str = ""

    @property
    def variant(self) -> str:
        """What makes the results others than usual: a sample, other libraries; empty for neither.

        Part of every cache key: what came of a sample, or of other libraries, is reused for its
        like alone.
        """
        given = [f"sample {self.sample}"] if self.sample else []
        if self.environments.name != CURRENT.name:
            given.append(f"environment {self.environments.name}")
        return " ".join(given)
