"""Which Python runs a job, and whether it has what the job's code asks for."""

from __future__ import annotations

import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.local.jobs.requirements import missing_requirements

if TYPE_CHECKING:
    from pipelines.local.jobs.context import JobContext


@dataclass(frozen=True)
class Interpreter:
    """A Python that jobs can be run with.

    Attributes:
        executable: the program.
        shown: folders outside of the system's that a confined job must see of it.
    """

    executable: Path
    shown: tuple[Path, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is the one that runs us."""
        return self.executable == Path(sys.executable)


OWN = Interpreter(Path(sys.executable))


class Environments(ABC):
    """A way to give jobs the libraries of their images.

    Attributes:
        name: what ``--job-env`` calls it.
    """

    name: str

    @abstractmethod
    def interpreter(
        self,
        image: str,
        requirements: Sequence[Path],
        context: JobContext,
        *,
        installs_itself: bool = False,
    ) -> Interpreter:
        """Return the Python for a job.

        Args:
            image: the URI of the image that it stands for.
            requirements: the job's requirements files; those that are missing are passed over.
            context: the job.
            installs_itself: whether the job's own start installs the requirements.

        Raises:
            JobFailed: the environment cannot be had.
        """


class Current(Environments):
    """The interpreter that runs us; requirements are checked and never installed."""

    name = "current"

    def interpreter(
        self,
        image: str,
        requirements: Sequence[Path],
        context: JobContext,
        *,
        installs_itself: bool = False,
    ) -> Interpreter:
        """Return our own interpreter; fail where it lacks something."""
        from pipelines.local.jobs.context import JobFailed
        from pipelines.local.jobs.material import note

        del image
        missing = [each for file in requirements for each in missing_requirements(file)]
        if missing and installs_itself:
            # What the job's own installer is told is said before it says so itself.
            note(context, f"this interpreter lacks: {'; '.join(missing)}")
        elif missing:
            raise JobFailed(
                "ClientError: the code's requirements.txt asks for what this interpreter lacks: "
                + "; ".join(missing),
                context.log,
                hint="Install it into this environment: pip install "
                + " ".join(shlex.quote(each.partition(" (")[0]) for each in missing)
                + ", or run with --job-env venv, which installs for each image.",
            )
        return OWN


class InImages(Current):
    """The libraries of the images themselves, which an engine runs.

    What has no image gets our own interpreter.

    Args:
        name: the engine.
    """

    def __init__(self, name: str) -> None:
        self.name = name


CURRENT = Current()
