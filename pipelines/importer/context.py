"""What kinds ask for while their requests are built to be compared: nothing is published.

Everything a kind would take from the environment is a text that no definition holds, so that a
default never passes for something that was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from pipelines.importer.beside import NOTHING, Beside
from pipelines.importer.images import NO_IMAGES, Images
from steps._contract import Code, Document, Environment, Problem, Step
from steps._expressions import Path

NOWHERE = "\ufffdfrom the environment\ufffd"

_ENVIRONMENT = Environment(
    name="import", account=NOWHERE, region=NOWHERE, role=NOWHERE, bucket=NOWHERE
)


@dataclass(frozen=True)
class Asked:
    """An image that a kind asked for, and what for.

    Args:
        path: where it stands in the step.
    """

    path: Path
    image: Any
    scope: str
    instance: Any


@dataclass(frozen=True)
class Comparing:
    """The kinds' context (:class:`steps._contract.Context`) while a step is fitted.

    Args:
        images: gives the addresses of images that are written as a framework.
        files: what lies beside the definition.
        asked: what the kind asked for; grows.
    """

    images: Images = NO_IMAGES
    files: Beside = NOTHING
    asked: list[Asked] = field(default_factory=list)

    @property
    def environment(self) -> Environment:
        """Stands for any environment in the region of the images."""
        return replace(_ENVIRONMENT, region=self.images.region or NOWHERE)

    def image(self, step: Step, path: Path, image: Any, scope: str, instance: Any) -> Any:
        """Return the image's address."""
        del step
        self.asked.append(Asked(tuple(path), image, scope, instance))
        return self.images.address(image, scope, instance)

    def code(self, step: Step, path: Path) -> Code | None:
        """Return code that is beside the definition; else none, as it lies where it says."""
        return self.files.code(_at(step, path))

    def asset(self, step: Step, path: Path) -> str:
        """Return where a file was fetched from, else a place that no definition names."""
        return self.files.uris.get(str(_at(step, path)), NOWHERE)

    def bundle(self, step: Step, paths: Sequence[Path]) -> str:
        """Return a place that no definition names."""
        del step, paths
        return NOWHERE

    def document(self, document: Document) -> str:
        """Return where the document was fetched from, else a place that no definition names."""
        return self.files.document(document.content) or NOWHERE

    def module(self, step: Step, path: Path) -> tuple[str, str]:
        """Return no module."""
        del step, path
        return NOWHERE, ""

    def shipped(self, file: FilePath) -> str:
        """Return a place that no definition names."""
        del file
        return NOWHERE

    def destination(self, step: Step, *names: str) -> Any:
        """Return a place that no definition names."""
        del step, names
        return NOWHERE

    def stable_destination(self, step: Step, *names: str) -> Any:
        """Return a place that no definition names."""
        del step, names
        return NOWHERE

    def report(self, step: Step, problem: Problem) -> None:
        """Forget the problem: the finished definition is checked as a whole."""
        del step, problem


def _at(step: Step, path: Path) -> Any:
    value: Any = step.fields
    for key in path:
        value = value[key]
    return value
