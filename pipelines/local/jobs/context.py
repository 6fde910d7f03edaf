"""What a job is started with, and how it can end badly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.local.isolation import Isolation
from pipelines.local.jobs.interpreters import CURRENT, Environments
from pipelines.local.jobs.room import Room
from pipelines.local.objects import ObjectStore


@dataclass(frozen=True)
class Progress:
    """How far the work of a job is that consists of parts.

    Attributes:
        done: how many parts have ended.
        total: of how many; None where that is not known.
        word: what the parts are: ``jobs``, ``files``.
        part: the part that is told about; empty where parts are only counted.
        state: how that part is: ``running``, ``succeeded``, ``failed``, ``stopped``.
        note: its last line, or what came of it.
    """

    done: int = 0
    total: int | None = None
    word: str = ""
    part: str = ""
    state: str = ""
    note: str = ""


@dataclass(frozen=True)
class JobContext:
    """Where and as what one job runs.

    Attributes:
        name: the job's name.
        arn: the job's ARN.
        folder: an empty or missing folder for the job alone; ``ml`` below it is its ``/opt/ml``,
            ``tmp`` its ``/tmp``. The caller removes it (``discard``) when nobody needs it any more.
        objects: where inputs are read and outputs written.
        isolation: how the job is kept apart.
        cancelled: set by the caller to stop the job.
        on_line: called with each line the job prints, cut to a bounded length, without control
            characters; from the thread that runs the job.
        log: the file that gets all output.
        account: twelve digits.
        region: the AWS region's name.
        environment: further variables of the job, such as the address of a local S3.
        hidden: folders the job must not see besides the home, the base folder and the store.
        environments: which Python and which libraries the job gets.
        grace: seconds between the polite and the final signal.
        shell: the step's name where a shell is to take the job's place; else empty.
        enter: told which phase begins: ``running``, ``storing``; a job begins with preparing.
        advance: told how far a job is that consists of parts.
        variables: gives further variables of a job; asked with the name of its part, if any.
        room: has the place that the job takes, and more for its parts.
    """

    name: str
    arn: str
    folder: Path
    objects: ObjectStore
    isolation: Isolation
    cancelled: threading.Event
    on_line: Callable[[str], None] | None
    log: Path
    account: str
    region: str
    environment: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    environments: Environments = CURRENT
    grace: float = 5.0
    shell: str = ""
    enter: Callable[[str], None] = lambda _phase: None
    advance: Callable[[Progress], None] = lambda _progress: None
    variables: Callable[[str], Mapping[str, str]] = lambda _part: {}
    room: Room = field(default_factory=Room)

    @property
    def ml(self) -> Path:
        """The folder that is the job's ``/opt/ml``."""
        return self.folder / "ml"

    @property
    def scratch(self) -> Path:
        """The folder that is the job's ``/tmp``."""
        return self.folder / "tmp"


class JobFailed(Exception):
    """A job ended badly, or could not be started.

    Attributes:
        reason: what happened, as a FailureReason.
        exit_code: the exit status of its process; None when it never ran or was ended by us.
        log: the file with its output.
        hint: what to do about it; may be empty.
        description: the Describe response of the failed job; empty when it never started.
    """

    def __init__(
        self, reason: str, log: Path, exit_code: int | None = None, hint: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.exit_code = exit_code
        self.log = log
        self.description: dict[str, Any] = {}


class JobStopped(Exception):
    """The caller asked the job to stop, and it did.

    Attributes:
        description: the Describe response of the stopped job.
    """

    def __init__(self) -> None:
        super().__init__("the job was stopped")
        self.description: dict[str, Any] = {}
