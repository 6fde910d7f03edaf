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
        packed: those URIs that are archives.
        documents: Clarify's configurations, by their URIs.
        notes: what could not be fetched, and why.
    """

    folder: Path = Path()
    paths: Mapping[str, str] = field(default_factory=dict)
    packed: frozenset[str] = frozenset()
    documents: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def places(self) -> dict[str, str]:
        """The paths of what may stand anywhere as its own URI; an archive is another thing."""
        return {
            uri: path
            for uri, path in self.paths.items()
            if uri not in self.packed and "'" not in path
        }


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
    packed = frozenset(fetcher.packed)
    return Fetched(folder or Path(), fetcher.paths, packed, fetcher.documents, tuple(fetcher.notes))


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
        self.packed: set[str] = set()
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
        from pipelines.local.jobs.archive import Limits, unpack

        assert self.folder is not None
        bucket, key = _split(place.uri)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".fetched-") as held:
            target = Path(held) / _file_name(key)
            if key.endswith("/") or not self.objects.fetch(bucket, key, target, MAX_BYTES):
                target = self.below(bucket, key, Path(held) / "files")
            elif place.packed:
                files = Path(held) / "files"
                unpack(target, files, Limits(MAX_FILES, MAX_BYTES))
                target = files
                self.packed.add(place.uri)
            self.keep(place, target, step, pointer)

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

    def keep(self, place: CodePlace, target: Path, step: str, pointer: str) -> None:
        """Put what was fetched into its place; the same files are kept once."""
        assert self.folder is not None
        try:
            asset = make_asset(target, "", self.folder)
        except DefinitionError as error:
            raise NotFetched(error.message) from error
        left = sorted(_below(target) - {name for name, _, _ in asset.entries})
        if left:
            files = "1 file" if len(left) == 1 else f"{len(left)} files"
            why = f"{place.uri}: {files} of it are no part of code: `{left[0]}`"
            self.notes.append(Note(pointer, why))
        if asset.digest not in self.digests:
            path = self.free(place, target, step)
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(target, self.folder / path)
            self.digests[asset.digest] = path
        self.paths[place.uri] = self.digests[asset.digest]

    def free(self, place: CodePlace, target: Path, step: str) -> str:
        """Return a path that nothing has yet: a file keeps its name, no folder gets more files."""
        assert self.folder is not None
        folders = [f"{CODE}/{_name(step)}", f"{CODE}/{_name(step)}-{_name(place.where)}"]
        tried = folders
        if target.is_file():
            tried = [f"{CODE}/{target.name}", f"{folders[1]}/{target.name}"]
        free = [path for path in tried if not (self.folder / path).exists()]
        if not free:
            raise NotFetched(f"there are two `{tried[-1]}`")
        return free[0]


def _below(target: Path) -> set[str]:
    """Return the names of the files of a folder; none of a file."""
    return {file.relative_to(target).as_posix() for file in target.rglob("*") if file.is_file()}


def _split(uri: str) -> tuple[str, str]:
    found = _URI.fullmatch(uri)
    if found is None:
        raise NotFetched("it is no place on S3")
    return found[1], found[2]


def _name(text: str) -> str:
    """Return a name that is safe for a folder and plain in YAML."""
    plain = re.sub(r"[^\w.-]+", "-", text.removeprefix("inputs."))
    return plain.lstrip(".-")[:100] or "code"


def _file_name(key: str) -> str:
    """Return the name of an object's file, by which its container knows it."""
    name = key.rstrip("/").rsplit("/", 1)[-1]
    if not name.isprintable() or name.startswith(".") or not name or len(name) > 200:
        raise NotFetched("its name is none of a file of code")
    return name
