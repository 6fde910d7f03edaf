"""What a definition only names, fetched from S3: code, and the configurations of Clarify checks."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.assets import MAX_BYTES, MAX_FILES, make_asset
from pipelines.errors import DefinitionError, SagedagError
from pipelines.importer.code_places import CodePlace, code_places, config_place
from pipelines.importer.drafts import Note
from pipelines.local.jobs.archive import Limits, unpack

if TYPE_CHECKING:
    from pipelines.cloud.objects import RemoteObjects

CODE = "code"
"""The folder beside the definition that code goes to."""
MAX_DOCUMENT = 1024 * 1024
"""The most bytes of a Clarify check's configuration."""

_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
_BRANCHES = ("IfSteps", "ElseSteps", "ForEachBody")


@dataclass(frozen=True)
class Fetched:
    """What was fetched of what a definition names.

    Args:
        folder: where the files lie; the definition's own folder in the end.
        paths: files and folders below it, by the URIs they were fetched from.
        documents: Clarify's configurations, by their URIs.
        notes: what could not be fetched, and why.
    """

    folder: Path = Path()
    paths: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


class NotFetched(Exception):
    """Something stays on S3; the message tells why."""


def fetch(definition: Mapping[str, Any], objects: RemoteObjects, folder: Path | None) -> Fetched:
    """Fetch what the steps of a definition take from S3 besides data.

    A read that is refused, and code that is too large or unsafe, is noted and stays on S3.

    Args:
        folder: where code is written; None for the configurations of Clarify checks alone.
    """
    fetcher = _Fetcher(objects, folder)
    for pointer, step in _steps(definition.get("Steps"), "/Steps"):
        fetcher.step(pointer, step)
    return Fetched(
        folder or Path(), fetcher.paths, fetcher.documents, tuple(fetcher.notes)
    )  # fmt: skip


def _steps(steps: Any, pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if not isinstance(step, Mapping):
            continue
        here = f"{pointer}/{index}"
        yield here, step
        arguments = step.get("Arguments")
        inside = arguments if isinstance(arguments, Mapping) else {}
        for branch in _BRANCHES:
            yield from _steps(inside.get(branch), f"{here}/Arguments/{branch}")


class _Fetcher:
    def __init__(self, objects: RemoteObjects, folder: Path | None) -> None:
        self.objects = objects
        self.folder = folder
        self.paths: dict[str, str] = {}
        self.documents: dict[str, Any] = {}
        self.notes: list[Note] = []
        self.refused: dict[str, str] = {}
        self.digests: dict[str, str] = {}

    def step(self, pointer: str, step: Mapping[str, Any]) -> None:
        """Fetch what one step names."""
        uri = config_place(step)
        if uri and uri not in self.documents:
            self.attempt(pointer, uri, partial(self.document, uri))
        if self.folder is None:
            return
        for place in code_places(step):
            if place.whole and place.uri.startswith("s3://") and place.uri not in self.paths:
                name = str(step.get("Name"))
                get = partial(self.code, place, name, pointer)
                self.attempt(pointer, place.uri, get)

    def attempt(self, pointer: str, uri: str, get: Any) -> None:
        """Get something once, or note why it stays where it is."""
        if uri not in self.refused:
            try:
                get()
            except (NotFetched, SagedagError, OSError) as error:
                self.refused[uri] = str(error)
        if uri in self.refused:
            self.notes.append(Note(pointer, f"{uri} stays on S3: {self.refused[uri]}"))

    def document(self, uri: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "document"
            bucket, key = _split(uri)
            if not self.objects.fetch(bucket, key, target, MAX_DOCUMENT):
                raise NotFetched("there is no such object")
            try:
                found = json.loads(target.read_bytes())
            except (ValueError, RecursionError) as error:
                raise NotFetched("it is no JSON") from error
        if not isinstance(found, dict):
            raise NotFetched("it is no configuration")
        self.documents[uri] = found

    def code(self, place: CodePlace, step: str, pointer: str) -> None:
        """Fetch a file, a folder, or the files of an archive."""
        assert self.folder is not None
        bucket, key = _split(place.uri)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".fetched-") as held:
            target = Path(held) / _file_name(key.rstrip("/").rsplit("/", 1)[-1])
            if key.endswith("/") or not self.objects.fetch(bucket, key, target, MAX_BYTES):
                target = self.below(bucket, key, Path(held) / "files")
            elif place.packed:
                files = Path(held) / "files"
                unpack(target, files, Limits(MAX_FILES, MAX_BYTES))
                target = files
            self.keep(place.uri, target, step, pointer)

    def below(self, bucket: str, prefix: str, target: Path) -> Path:
        """Fetch the objects below a prefix into a folder."""
        prefix = prefix.rstrip("/") + "/"
        size = count = 0
        for each in self.objects.keys(bucket, prefix):
            name = each.key.removeprefix(prefix)
            if not name or name.endswith("/"):
                continue
            parts = name.split("/")
            if any(part in ("", ".", "..") for part in parts) or "\0" in name:
                raise NotFetched(f"the name `{name}` leads out of a folder")
            size, count = size + each.size, count + 1
            if size > MAX_BYTES or count > MAX_FILES:
                limit = f"{MAX_FILES:,} files or {MAX_BYTES >> 20} MiB"
                raise NotFetched(f"it holds more than {limit}")
            file = target.joinpath(*parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            self.objects.fetch(bucket, each.key, file, MAX_BYTES)
        if not count:
            raise NotFetched("there is no such object")
        return target

    def keep(self, uri: str, target: Path, step: str, pointer: str) -> None:
        """Put what was fetched into its place; the same files are kept once."""
        assert self.folder is not None
        try:
            asset = make_asset(target, "", self.folder)
        except DefinitionError as error:
            raise NotFetched(error.message) from error
        left = sorted(_below(target) - {name for name, _, _ in asset.entries})
        if left:
            files = "1 file" if len(left) == 1 else f"{len(left)} files"
            why = f"{uri}: {files} of it are no part of code: `{left[0]}`"
            self.notes.append(Note(pointer, why))
        if asset.digest not in self.digests:
            name = target.name if target.is_file() else _file_name(step)
            path = f"{CODE}/{name}"
            if (self.folder / path).exists():
                path = f"{CODE}/{_file_name(step)}/{target.name}"
            if (self.folder / path).exists():
                raise NotFetched(f"there are two `{path}`")
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(target, self.folder / path)
            self.digests[asset.digest] = path
        self.paths[uri] = self.digests[asset.digest]


def _below(target: Path) -> set[str]:
    """Return the names of the files of a folder; none of a file."""
    return {file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file()}


def _split(uri: str) -> tuple[str, str]:
    found = _URI.fullmatch(uri)
    if found is None:
        raise NotFetched("it is no place on S3")
    return found[1], found[2]


def _file_name(text: str) -> str:
    """Return a name that is safe for a file and plain in YAML."""
    return re.sub(r"[^\w.-]+", "-", text).lstrip(".-")[:100] or "file"
