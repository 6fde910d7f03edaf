"""A plan: what would change in AWS, as data. It can be saved, shown and carried out.

A plan is made by :mod:`pipelines.cloud.planner`, shown by :mod:`pipelines.cloud.views` and carried
out by :mod:`pipelines.cloud.apply`, which does what its ``calls`` say and nothing else.
"""

from __future__ import annotations

import dataclasses
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pipelines.cloud.wording import clipped
from pipelines.errors import UsageError

FORMAT = 1
"""The version of a saved plan; another one is refused."""

Sign = Literal["+", "-", "~"]
Action = Literal["create", "update", "delete", "none"]


@dataclass(frozen=True)
class Change:
    """One line of difference.

    Args:
        sign: ``+`` new, ``-`` gone, ``~`` other.
        words: the place in the definition's own words.
        before, after: the values in words, secrets left out; empty where there is none.
        position: ``file:line:column``; empty where it was written nowhere.
        pointer: the place in the definition JSON; empty for what is beside it.
        note: more about it, such as that a step moved.
    """

    sign: Sign
    words: str
    before: str = ""
    after: str = ""
    position: str = ""
    pointer: str = ""
    note: str = ""


@dataclass(frozen=True)
class FileChange:
    """A file of an asset that is new, gone or other. Sizes in bytes; None where there is none."""

    sign: Sign
    name: str
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class CodeChange:
    """Code or another asset that a step uses and that differs.

    Args:
        words: the field: ``steps.train.code``.
        files: the files that differ; empty where ``known`` is False.
        known: False where the deployed asset's manifest could not be read.
    """

    words: str
    before: str
    after: str
    files: tuple[FileChange, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class CacheLoss:
    """A step whose next run will not find its cached result."""

    step: str
    why: str


@dataclass(frozen=True)
class Upload:
    """An asset to publish.

    Args:
        uri: its prefix in S3.
        files: name, size and SHA-256 of every file.
        sources: where every file lies, from the project's root, in the order of ``files``; empty
            where it was made while compiling.
        made: the content of those, in base64, by name.
    """

    uri: str
    files: tuple[tuple[str, int, str], ...]
    sources: tuple[str, ...]
    made: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        """The files' size in bytes."""
        return sum(size for _, size, _ in self.files)

    @property
    def source(self) -> str:
        """The file or folder that it is made of, from the project's root."""
        if len(self.sources) == 1:
            return self.sources[0] or self.files[0][0]
        return posixpath.commonpath([posixpath.dirname(each) for each in self.sources] or [""])


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way of the uploads.

    Args:
        what: what is wrong.
        way_out: what to do.
        stops: it lets the first upload fail; else it is only to be known.
    """

    what: str
    way_out: str
    stops: bool = True


@dataclass(frozen=True)
class Call:
    """One call that changes something.

    Args:
        operation: ``service:Operation``.
        resource: what it is about.
        request: the request in the API's spelling. ``schedules.PIPELINE_ARN`` in it stands for the
            ARN that CreatePipeline answers, a version that is missing for the newest one.
    """

    operation: str
    resource: str
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no plan holds: a saved plan is a file that somebody may have changed."""
        if self.operation not in OPERATIONS:
            raise ValueError(f"a plan holds no {self.operation}")


OPERATIONS = frozenset(
    {
        "s3:PutObject",
        "sagemaker:AddTags",
        "sagemaker:CreatePipeline",
        "sagemaker:DeletePipeline",
        "sagemaker:DeleteTags",
        "sagemaker:UpdatePipeline",
        "sagemaker:UpdatePipelineVersion",
        "scheduler:CreateSchedule",
        "scheduler:CreateScheduleGroup",
        "scheduler:DeleteSchedule",
        "scheduler:UpdateSchedule",
    }
)
"""The calls that a plan can hold: all that a deploy ever writes, with the objects of assets."""


@dataclass(frozen=True)
class PipelinePlan:
    """What would happen to one pipeline.

    Args:
        file: the definition's file, as messages name it.
        changes: what differs.
        drift: how it was changed by others since the last deploy, from what that brought to what
            is there now.
        drifted: it was changed by others; ``drift`` is empty where it is not known how.
        owner: in words, who else deployed it: it must be taken over explicitly.
        notes: what else to know.
        deployed: the digest of what is deployed; empty: nothing.
        calls: what carries it out, in order.
    """

    name: str
    action: Action
    file: str = ""
    changes: tuple[Change, ...] = ()
    code: tuple[CodeChange, ...] = ()
    cache: tuple[CacheLoss, ...] = ()
    drifted: bool = False
    drift: tuple[Change, ...] = ()
    owner: str = ""
    notes: tuple[str, ...] = ()
    deployed: str = ""
    calls: tuple[Call, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Plan:
    """What would happen in an environment.

    Args:
        account, region: where; the account is the credentials'.
        root: the project's root, from the working directory: uploads lie below it.
        before: calls to be made before those of the pipelines.
        group: the schedules' group; empty where schedules were not looked at.
        notes: what could not be looked at.
        obstacles: what is wrong with the buckets that are uploaded to.
    """

    environment: str
    account: str
    region: str
    pipelines: tuple[PipelinePlan, ...]
    uploads: tuple[Upload, ...] = ()
    root: str = "."
    group: str = ""
    before: tuple[Call, ...] = ()
    notes: tuple[str, ...] = ()
    tool: str = ""
    obstacles: tuple[Obstacle, ...] = ()
    format: int = FORMAT

    @property
    def changed(self) -> tuple[PipelinePlan, ...]:
        """The pipelines that something would happen to."""
        return tuple(each for each in self.pipelines if each.action != "none")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changed and not self.uploads

    def to_json(self) -> str:
        """Return the plan as a JSON document, definitions included: keep it as you keep those."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def as_document(plan: Plan) -> dict[str, Any]:
    """Return a plan for machines: everything but the calls' requests, which hold definitions."""
    document = dataclasses.asdict(plan)
    for member in ("root", "group", "before"):
        del document[member]
    for made, each in zip(document["pipelines"], plan.pipelines, strict=True):
        made["calls"] = [f"{call.operation} ({call.resource})" for call in each.calls]
    document["uploads"] = [
        {"uri": u.uri, "files": len(u.files), "bytes": u.size} for u in plan.uploads
    ]
    return {"has_changes": not plan.is_empty, **document}


def from_json(text: str, name: str) -> Plan:
    """Read a saved plan.

    Args:
        name: the file's name, for messages.

    Raises:
        UsageError: it is none, or of another version of this tool.
    """
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or "format" not in data:
            raise UsageError(f"{name} is no saved plan", _MAKE_ONE)
        if data["format"] != FORMAT:
            tool = clipped(str(data.get("tool", "?")), 60)
            raise UsageError(
                f"{name} was written by another version of this tool ({tool})",
                _MAKE_ONE,
            )
        return cast(Plan, _build(Plan, data))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(
            f"{name} is no saved plan: {clipped(str(error), 200)}", _MAKE_ONE
        ) from error


LARGEST = 256 << 20
"""Bytes of a saved plan: far beyond two hundred definitions of the largest size that there is."""

_MAKE_ONE = "make one with `sagedag plan --out FILE`"


def read_plan(path: Path) -> Plan:
    """Read a saved plan's file.

    Raises:
        UsageError: it can't be read, is too large, or is none.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise UsageError(f"{path} is larger than a saved plan ({LARGEST >> 20} MiB)", _MAKE_ONE)
        return from_json(data.decode("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}", _MAKE_ONE) from error


_PARTS: Mapping[tuple[str, str], type] = {
    ("Plan", "pipelines"): PipelinePlan,
    ("Plan", "uploads"): Upload,
    ("Plan", "before"): Call,
    ("Plan", "obstacles"): Obstacle,
    ("PipelinePlan", "changes"): Change,
    ("PipelinePlan", "drift"): Change,
    ("PipelinePlan", "code"): CodeChange,
    ("PipelinePlan", "cache"): CacheLoss,
    ("PipelinePlan", "calls"): Call,
    ("CodeChange", "files"): FileChange,
}


_WORDS: Mapping[str, tuple[str, ...]] = {"Sign": get_args(Sign), "Action": get_args(Action)}


def _build(kind: type, data: Any) -> Any:
    """Build a dataclass of JSON; unknown members and wrong types are refused."""
    if not isinstance(data, dict):
        raise TypeError(f"a {kind.__name__} is no object")
    made: dict[str, Any] = {}
    types = {each.name: str(each.type) for each in dataclasses.fields(kind)}
    for name, value in data.items():
        if name not in types:
            raise ValueError(f"a {kind.__name__} has no `{clipped(name, 60)}`")
        made[name] = _part(kind, name, types[name], value)
    return kind(**made)


def _part(kind: type, name: str, wanted: str, value: Any) -> Any:
    """Return a member as the dataclass holds it."""
    place = f"`{name}` of a {kind.__name__}"
    part = _PARTS.get((kind.__name__, name))
    if wanted.startswith("tuple"):
        if not isinstance(value, list):
            raise TypeError(f"{place} is no list")
        if part is not None:
            return tuple(_build(part, item) for item in value)
        if kind is Upload and name == "files":
            return tuple(_file(item) for item in value)
        if not all(isinstance(item, str) for item in value):
            raise TypeError(f"{place} holds what is no text")
        return tuple(value)
    if wanted in _WORDS and value not in _WORDS[wanted]:
        raise ValueError(f"{place} is none of {', '.join(_WORDS[wanted])}")
    if not isinstance(value, _TYPES[wanted]) or isinstance(value, bool) != (wanted == "bool"):
        raise TypeError(f"{place} is no {wanted}")
    if name == "made" and not all(isinstance(each, str) for each in value.values()):
        raise TypeError(f"{place} holds what is no text")
    return value


_TYPES: Mapping[str, Any] = {
    **dict.fromkeys(("str", "Sign", "Action"), str),
    "bool": bool,
    "int": int,
    "int | None": (int, type(None)),
    **dict.fromkeys(("Mapping[str, Any]", "Mapping[str, str]"), dict),
}
"""What stands in JSON for a member's type."""


def _file(value: Any) -> tuple[str, int, str]:
    if isinstance(value, list) and [type(each) for each in value] == [str, int, str]:
        return (value[0], value[1], value[2])
    raise TypeError("a file of an upload is not its name, size and digest")
