"""What is wanted in AWS: compiled definitions, and who deploys them from where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipelines.assets import Asset


class Origin(Protocol):
    """Where a part of the definition JSON was written, as a source map tells."""

    @property
    def words(self) -> str:
        """The definition's own path: ``steps.train.hyperparameters.max_depth``."""

    @property
    def position(self) -> str:
        """``file:line:column``."""


@dataclass(frozen=True)
class Words:
    """A place in words, and where it was written."""

    text: str
    position: str = ""


@dataclass(frozen=True)
class Named:
    """A part of a step in the definition's own words.

    Args:
        words: from the step down: ``hyperparameters.max_depth``.
        value: what stands there as the definition would write it.
        position: ``file:line:column``; empty where no file is known.
    """

    words: str
    value: Any
    position: str = ""


class SourceLookup(Protocol):
    """What a definition calls the parts of its definition JSON, and where it has them."""

    def find(self, pointer: str) -> Origin | None:
        """Return the origin of what a pointer names, or of the nearest part around it."""

    def field(self, step: Mapping[str, Any], path: tuple[str | int, ...]) -> Named | None:
        """Return what a part of a step is called.

        Args:
            step: its object, which need not be that of the definition as it is now.
            path: from the object down, positions in lists as numbers.
        """

    def step(self, name: str) -> Words | None:
        """Return the path of a step from the definition's top, and where it is written."""

    def position(self, *path: str) -> str:
        """Return ``file:line:column`` of a key of the definition: ``"schedules", "nightly"``.

        Where it has only the beginning of the path, that is meant; empty where it has nothing.
        """


class NoSources:
    """The lookup of a definition that was not compiled here."""

    def find(self, pointer: str) -> None:
        """Know nothing."""
        del pointer

    def field(self, step: Mapping[str, Any], path: tuple[str | int, ...]) -> None:
        """Know nothing."""
        del step, path

    def step(self, name: str) -> None:
        """Know nothing."""
        del name

    def position(self, *path: str) -> str:
        """Know nothing."""
        del path
        return ""


@dataclass(frozen=True)
class Wanted:
    """One pipeline as it is to be.

    Args:
        name: the pipeline's name.
        definition: the definition as data.
        settings: CreatePipeline's members besides the definition, in the API's spelling: RoleArn,
            PipelineDescription, PipelineDisplayName, ParallelismConfiguration, Tags, ….
        schedules: by name: ``cron``, ``rate`` or ``at``, with ``timezone``, ``enabled`` and
            ``parameters``.
        assets: what the definition names and must be published.
        sources: tells places and words.
        file: the definition's file as messages name it; the project's own path goes into a tag.
        path: the definition's file from the project's root, with slashes.
    """

    name: str
    definition: Mapping[str, Any] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    schedules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    assets: tuple[Asset, ...] = ()
    sources: SourceLookup = field(default_factory=NoSources, repr=False)
    file: str = ""
    path: str = ""

    @property
    def text(self) -> str:
        """The definition as it is sent."""
        return json.dumps(self.definition, ensure_ascii=False, separators=(",", ":"))

    @property
    def tags(self) -> dict[str, str]:
        """The tags that the definition asks for."""
        return {str(tag["Key"]): str(tag["Value"]) for tag in self.settings.get("Tags", ())}


@dataclass(frozen=True)
class Provenance:
    """Who deploys, and from what.

    Args:
        repository: what owns the pipelines: the git repository and the project's folder in it,
            such as ``github.com/org/repo/definitions``; equal on every machine.
        commit: the commit's hash; empty outside of git.
        dirty: there are changes that are not committed.
        tool: this tool's version.
    """

    repository: str
    commit: str = ""
    dirty: bool = False
    tool: str = ""

    @property
    def revision(self) -> str:
        """The commit as tags and versions name it: ``…-dirty`` where more than it is deployed."""
        return f"{self.commit}-dirty" if self.commit and self.dirty else self.commit


SCHEME = "1"
"""The way fingerprints are made; another number makes them incomparable."""


def fingerprint(definition: Any, settings: Mapping[str, Any]) -> str:
    """Return the digest of what one deploy sets: the definition and the pipeline's settings.

    Args:
        definition: the definition as data (or its text, where that is no JSON).
        settings: RoleArn, PipelineDescription, … as CreatePipeline takes them; tags don't count.
    """
    parts = [definition, {name: settings.get(name) or None for name in SETTINGS}]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"{SCHEME}:{hashlib.sha256(text.encode()).hexdigest()}"


SETTINGS = ("RoleArn", "PipelineDescription", "PipelineDisplayName", "ParallelismConfiguration")
"""Members of CreatePipeline that DescribePipeline gives back and UpdatePipeline changes."""


def settled(settings: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return settings as DescribePipeline is read: a display name that is the name is none."""
    made = dict(settings)
    if made.get("PipelineDisplayName") == name:
        del made["PipelineDisplayName"]
    return made
