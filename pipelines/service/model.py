"""AWS's service models, as botocore ships them, without importing botocore.

A service model is one JSON file, `data/<service>/<API version>/service-2.json[.gz]` inside the
installed botocore. Three quarters of it is documentation; a copy without that is kept in the
user's cache folder, because reading the whole file is most of what a short command may take.
"""

from __future__ import annotations

import functools
import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from pipelines.errors import SagedagError
from pipelines.service.nearest import suggest

# Raise this whenever `_condense` changes what it writes.
_CACHE_FORMAT = 2
_CACHES_KEPT = 4
_DOCUMENT = "@document"


class UnknownName(SagedagError):
    """A service, operation or shape that the installed botocore does not have."""


@dataclass(frozen=True)
class Shape:
    """One type of an AWS API.

    Attributes:
        name: its name in the API, such as `ProcessingResources`.
        type: `structure`, `list`, `map`, `string`, `integer`, `long`, `float`, `double`,
            `boolean`, `timestamp`, `blob`, or `document` (any JSON).
    """

    name: str
    type: str
    facts: Mapping[str, Any] = field(repr=False, compare=False)
    model: Model = field(repr=False, compare=False)

    @functools.cached_property
    def members(self) -> dict[str, Shape]:
        """A structure's members in the API's order; empty for every other type."""
        named = self.facts.get("members", {})
        return {name: self.model.shape(shape) for name, shape in named.items()}

    @property
    def required(self) -> tuple[str, ...]:
        """The members a structure must have."""
        return tuple(self.facts.get("required", ()))

    @property
    def is_union(self) -> bool:
        """Whether exactly one member must be given."""
        return bool(self.facts.get("union", False))

    @property
    def member(self) -> Shape:
        """What a list holds."""
        return self.model.shape(self.facts["member"])

    @property
    def key(self) -> Shape:
        """What a map's keys are."""
        return self.model.shape(self.facts["key"])

    @property
    def value(self) -> Shape:
        """What a map's values are."""
        return self.model.shape(self.facts["value"])

    @property
    def enum(self) -> tuple[str, ...]:
        """The values a string may have; empty when it is free."""
        return tuple(self.facts.get("enum", ()))

    @property
    def minimum(self) -> float | None:
        """The least value, length or count."""
        return self.facts.get("min")

    @property
    def maximum(self) -> float | None:
        """The greatest value, length or count."""
        return self.facts.get("max")

    @property
    def pattern(self) -> str | None:
        """The regular expression (Java's) that the whole of a string must match."""
        return self.facts.get("pattern")


class Model:
    """One service's operations and shapes.

    Args:
        service: the service's folder name in botocore, such as `sagemaker`.
        condensed: what `_condense` returns. A shape's line is read when the shape is asked for,
            since a command needs a hundred of three thousand.
    """

    def __init__(self, service: str, condensed: bytes) -> None:
        self.service = service
        operations, *lines = condensed.splitlines()
        self._operations: Mapping[str, Mapping[str, str]] = json.loads(operations)
        self._lines = dict(line.split(b" ", 1) for line in lines)
        self._shapes: dict[str, Shape] = {}

    def shape(self, name: str) -> Shape:
        """Returns the shape `name`; raises UnknownName."""
        found = self._shapes.get(name)
        if found is None:
            line = self._lines.get(name.encode("utf-8", "replace"))
            if line is None:
                _refuse(self.service, "shape", name, (one.decode() for one in self._lines))
            facts = json.loads(line)
            found = self._shapes[name] = Shape(name, facts["type"], facts, self)
        return found

    def operation(self, name: str) -> Mapping[str, str]:
        """Returns the names of an operation's `input` and `output` shapes; raises UnknownName."""
        if name not in self._operations:
            _refuse(self.service, "operation", name, self._operations)
        return self._operations[name]


def _refuse(service: str, what: str, name: str, known: Iterable[str]) -> NoReturn:
    raise UnknownName(f"{service} has no {what} `{name}`.", suggest(name, known))


@functools.cache
def load_model(service: str) -> Model:
    """Returns the latest model of `service`; raises UnknownName, or SagedagError when botocore
    is not installed or its file cannot be read."""
    source = model_file(service)
    try:
        key = _key(source)
    except OSError as error:
        raise SagedagError(f"{source} cannot be read: {error.strerror}.") from error
    place = _cache_place(service, key)
    condensed = _read_cache(place, key)
    if condensed is None:
        condensed = _condense(read_whole_model(service))
        _write_cache(place, key, condensed, service)
    return Model(service, condensed)


@functools.cache
def botocore_data() -> Path:
    """Returns botocore's data folder; raises SagedagError when botocore is not installed."""
    spec = find_spec("botocore")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not folders:
        raise SagedagError(
            "botocore is not installed, and AWS's service models are read from it.",
            "Install it: pip install boto3",
        )
    return Path(folders[0], "data")


def model_file(service: str) -> Path:
    """Returns where the latest model of `service` is; raises UnknownName."""
    data = botocore_data()
    if re.fullmatch(r"[a-z0-9][a-z0-9.-]*", service):
        # API versions are dates, so the latest sorts last.
        for version in sorted((data / service).glob("[0-9]*"), reverse=True):
            for name in ("service-2.json.gz", "service-2.json"):
                if (version / name).is_file():
                    return version / name
    known = [entry.name for entry in data.iterdir() if entry.is_dir()] if data.is_dir() else []
    raise UnknownName(f"botocore has no service `{service}`.", suggest(service, known))


def read_whole_model(service: str) -> dict[str, Any]:
    """Returns the whole model of `service`, documentation included."""
    source = model_file(service)
    try:
        content = source.read_bytes()
        if source.suffix == ".gz":
            import gzip  # not needed when the cache answers

            content = gzip.decompress(content)
        model = json.loads(content)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise SagedagError(
            f"{source} cannot be read: {error}.", "Reinstall botocore: pip install -U botocore"
        ) from error
    if not isinstance(model, dict) or "shapes" not in model:
        raise SagedagError(f"{source} is not a service model.")
    return model


def _condense(model: Mapping[str, Any]) -> bytes:
    """Drops from a model what no check reads: documentation, traits of transport.

    Returns:
        A line of JSON with the operations, then a line for each shape: its name, a space, JSON.
    """
    operations = {
        name: {side: found[side]["shape"] for side in ("input", "output") if side in found}
        for name, found in model["operations"].items()
    }
    shapes = {name: _condense_shape(shape) for name, shape in model["shapes"].items()}
    shapes[_DOCUMENT] = {"type": "document"}
    lines = [f"{name} {_write(facts)}" for name, facts in shapes.items()]
    return "\n".join([_write(operations), *lines]).encode()


def _write(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _condense_shape(shape: Mapping[str, Any]) -> dict[str, Any]:
    if shape.get("document"):
        return {"type": "document"}
    kept = ("type", "enum", "min", "max", "pattern", "union")
    facts = {name: shape[name] for name in kept if name in shape}
    for name in ("member", "key", "value"):
        if name in shape:
            facts[name] = shape[name]["shape"]
    if "members" in shape:
        members = shape["members"]
        facts["members"] = {
            name: _DOCUMENT if member.get("jsonvalue") else member["shape"]
            for name, member in members.items()
        }
        # Tokens of idempotency are made by whoever sends the request.
        facts["required"] = [
            name
            for name in shape.get("required", ())
            if not members.get(name, {}).get("idempotencyToken")
        ]
    return facts


def _key(source: Path) -> str:
    """Returns what identifies the content of a model file.

    The last bytes of a gzip file are the checksum and the length of what it holds, so a file that
    was exchanged with its time and size kept is noticed too.
    """
    found = source.stat()
    with source.open("rb") as file:
        file.seek(max(0, found.st_size - 8))
        tail = file.read().hex()
    initial = source.parents[3] / "__init__.py"
    version = re.search(r"""__version__ = ['"]([\w.+-]+)""", initial.read_text("utf-8"))
    release = version.group(1) if version else "unknown"
    return f"{_CACHE_FORMAT} {release} {found.st_size} {found.st_mtime_ns} {tail}"


def _cache_place(service: str, key: str) -> Path | None:
    """Returns where the condensed model is kept: `$XDG_CACHE_HOME/sagedag`, else
    `~/.cache/sagedag`; None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(base) if os.path.isabs(base) else Path.home() / ".cache"  # noqa: PTH117 - it may be relative to ~
    except RuntimeError:
        return None
    return folder / "sagedag" / f"{service}-{zlib.crc32(key.encode()):08x}.model"


def _heading(key: str, body: bytes) -> bytes:
    return f"{key} {zlib.crc32(body):08x}".encode()


def _read_cache(place: Path | None, key: str) -> bytes | None:
    """Returns the cached model, or None when there is none that is whole and of this key."""
    if place is None:
        return None
    try:
        content = place.read_bytes()
    except OSError:
        return None
    heading, _, body = content.partition(b"\n")
    return body if heading == _heading(key, body) else None


def _write_cache(place: Path | None, key: str, body: bytes, service: str) -> None:
    """Keeps `body` for the next run; a folder that cannot be written only costs time."""
    if place is None:
        return
    import tempfile  # only the first run writes

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{service}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_heading(key, body) + b"\n" + body)
            Path(temporary).replace(place)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        stale = sorted(
            place.parent.glob(f"{service}-????????.model"),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )
        for old in stale[_CACHES_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return
