"""What every way of isolating a job has in common."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ML = "/opt/ml"
"""Where SageMaker's containers find everything of their job."""

_ML_PREFIX = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")


@dataclass(frozen=True)
class Container:
    """What a request says of a job's container.

    Attributes:
        image: its URI.
        entry: the entry point; empty for the image's own.
        arguments: its arguments; with neither, the image's own command runs.
    """

    image: str
    entry: tuple[str, ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Sandbox:
    """One job's process, before a mode decides how it is started.

    Attributes:
        ml: the folder that is the job's ``/opt/ml``.
        scratch: the folder that is the job's ``/tmp``.
        argv: the command; its paths are those of a container.
        environment: all variables of the process; paths as in a container.
        cwd: the working directory, as in a container.
        hidden: folders that the job must not see where the mode can hide any.
        shown: folders that the job must see even where they lie among the hidden ones.
        container: the job's container, for modes that run images.
        lifeline: a descriptor that reads as ended when the runner is gone.
        status: a descriptor on which the launcher says why it could not start the job.
    """

    ml: Path
    scratch: Path
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: str
    hidden: tuple[Path, ...] = ()
    shown: tuple[Path, ...] = ()
    container: Container | None = None
    lifeline: int | None = None
    status: int | None = None


@dataclass(frozen=True)
class Launch:
    """What to give to ``subprocess.Popen``."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    cwd: Path
    inherited: tuple[int, ...] = field(default=())


@dataclass(frozen=True)
class Probe:
    """Whether a mode works here.

    Attributes:
        name: the mode.
        works: whether jobs can be started with it.
        note: what it protects; the same line a run's header shows.
        reason: why it does not work; empty when it does.
        hint: the way out; empty when there is nothing to do.
    """

    name: str
    works: bool
    note: str
    reason: str = ""
    hint: str = ""


class Isolation(ABC):
    """A way to give a job its own ``/opt/ml`` and keep it away from the rest.

    Attributes:
        name: what ``--isolation`` calls it.
        note: one line: what it protects, or that it protects nothing.
        protects: whether a job is kept from the user's files.
        runs_images: whether the job's image itself runs, not a process in its place.
    """

    name: str
    note: str
    protects: bool
    runs_images: bool = False

    @abstractmethod
    def probe(self) -> Probe:
        """Try it for real and say whether it works on this machine."""

    @abstractmethod
    def launch(self, sandbox: Sandbox) -> contextlib.AbstractContextManager[Launch]:
        """How to start a job's process; what it needs lasts as long as the context."""

    def rewrite(self, text: str, ml: Path) -> str:  # noqa: ARG002 - only some modes need it
        """A text with the container's paths as this mode's jobs have to spell them."""
        return text

    def stop(self, process: int) -> bool:
        """Ask a started job to end; it may still clean up. False: it was not there to be asked."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGTERM)
        return True

    def kill(self, process: int) -> None:
        """End a started job and everything it started, now.

        The launcher does it: it is the one that still finds what the job sent to the background.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGUSR1)

    def _found(self) -> Probe:
        return Probe(self.name, True, self.note)

    def _missing(self, reason: str, hint: str = "") -> Probe:
        return Probe(self.name, False, self.note, reason, hint)


def replace_ml(text: str, ml: Path) -> str:
    """A text in which the path ``/opt/ml`` and those below it name the job's folder."""
    return _ML_PREFIX.sub(lambda _: str(ml), text)


@contextlib.contextmanager
def holding(launch: Launch) -> Iterator[Launch]:
    """A launch that needs nothing to be held."""
    yield launch
