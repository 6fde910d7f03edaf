"""What is deployed, read from AWS: describe, list, head, and get manifests of assets. No writes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pipelines.cloud.client import Clients
from pipelines.cloud.error_codes import DENIED
from pipelines.cloud.ownership import DIGEST, VERSION, WANTED
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.refusals import Missing, Refused, Unsupported
from pipelines.cloud.schedules import Schedule, read_schedules
from pipelines.cloud.wanted import SCHEME, SETTINGS, fingerprint, settled


@dataclass(frozen=True)
class Version:
    """One version of a pipeline, as ListPipelineVersions gives it."""

    number: int
    description: str = ""
    display_name: str = ""
    aliases: tuple[str, ...] = ()
    created: float = 0.0


@dataclass(frozen=True)
class Deployed:
    """One pipeline as it is.

    Args:
        text: its definition as the service gives it.
        settings: RoleArn, PipelineDescription, PipelineDisplayName, ParallelismConfiguration; what
            is empty is left out.
        tags: all of them.
        aliases: of its latest version.
        recorded: the latest version's description; None where the service gives none.
        changed: when it was changed last, and by whom, in words.
        versions: newest first; None where they were not asked for or the API has none.
        before: the definition that the last deploy recorded, read where it was changed since.
    """

    name: str
    arn: str
    text: str = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    recorded: str | None = None
    changed: str = ""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    versions: tuple[Version, ...] | None = None
    before: Mapping[str, Any] | None = field(default=None, repr=False)

    @cached_property
    def definition(self) -> Any:
        """The definition as data; its text where that is no JSON object."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return self.text
        return found if isinstance(found, dict) else self.text

    @cached_property
    def fingerprint(self) -> str:
        """What the tag ``sagedag:digest`` says if nobody changed it since the last deploy."""
        return fingerprint(self.definition, self.settings)

    @property
    def is_drifted(self) -> bool:
        """Whether it was changed by something else since the last deploy was completed."""
        done = self.tags.get(DIGEST, "")
        known = done.startswith(f"{SCHEME}:")
        return known and self.fingerprint not in (done, self.tags.get(WANTED))

    @cached_property
    def digest(self) -> str:
        """The digest of all that a plan depends on: a saved plan holds it."""
        parts = [
            self.fingerprint,
            sorted(self.tags.items()),
            {name: schedule.request for name, schedule in sorted(self.schedules.items())},
        ]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


NOTHING = ""
"""The digest of a pipeline that does not exist."""


@dataclass(frozen=True)
class State:
    """All that a plan is compared with.

    Args:
        pipelines: by name; None: there is none of that name.
        published: the URIs of assets that are complete in S3.
        manifests: file name → size and SHA-256, of assets that deployed definitions name.
        group: the schedules' group exists; None where it was of no interest.
        owned: names of pipelines that this repository and environment own and that were not asked
            for (``--prune``).
        notes: what could not be read and need not be.
    """

    pipelines: Mapping[str, Deployed | None]
    published: frozenset[str] = frozenset()
    manifests: Mapping[str, Mapping[str, tuple[int, str]]] = field(default_factory=dict)
    group: bool | None = None
    owned: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_pipelines(clients: Clients, names: Sequence[str]) -> dict[str, Deployed | None]:
    """Return pipelines by name, with their tags; two calls each, many at once.

    Raises:
        Refused: a call was refused.
    """
    found = in_parallel(lambda name: read_pipeline(clients, name), names)
    return dict(zip(names, found, strict=True))


def read_pipeline(
    clients: Clients,
    name: str,
    *,
    version: int | None = None,
    alias: str | None = None,
    with_tags: bool = True,
) -> Deployed | None:
    """Return one pipeline as it is, or one of its versions; None where there is none.

    Args:
        version, alias: which version; the newest where neither is given.
        with_tags: read its tags too, with a second call.

    Raises:
        Refused: a call was refused.
    """
    which: dict[str, Any] = {"PipelineName": name}
    label = f"pipeline {name}"
    if version is not None:
        which["PipelineVersionId"] = version
        label += f" version {version}"
    if alias is not None:
        which["PipelineVersionAlias"] = alias
        label += f" alias {alias}"
    try:
        answer = clients.call("sagemaker:DescribePipeline", label, **which)
    except Missing:
        return None
    arn = str(answer["PipelineArn"])
    listed: Iterable[Mapping[str, Any]] = ()
    if with_tags:
        listed = clients.pages("sagemaker:ListTags", label, "Tags", ResourceArn=arn)
    tags = {str(tag["Key"]): str(tag["Value"]) for tag in listed}
    given = {name: answer[name] for name in SETTINGS if answer.get(name)}
    settings = settled(given, str(answer.get("PipelineName", name)))
    return Deployed(
        str(answer.get("PipelineName", name)),
        arn,
        str(answer.get("PipelineDefinition", "")),
        settings,
        tags,
        tuple(answer.get("PipelineVersionAliases") or ()),
        answer.get("PipelineVersionDescription"),
        _changed(answer),
    )


def _changed(answer: Mapping[str, Any]) -> str:
    when = answer.get("LastModifiedTime")
    by = answer.get("LastModifiedBy") or {}
    who = by.get("UserProfileName") or (by.get("IamIdentity") or {}).get("Arn") or ""
    moment = f"{when:%Y-%m-%d %H:%M %Z}".strip() if when is not None else ""
    return " by ".join(filter(None, [moment, str(who)]))


def read_versions(clients: Clients, name: str) -> tuple[Version, ...]:
    """Return a pipeline's versions, newest first.

    Raises:
        Missing: there is no such pipeline.
        Unsupported: the account's API has no versions.
    """
    listed = clients.pages(
        "sagemaker:ListPipelineVersions",
        f"pipeline {name}",
        "PipelineVersionSummaries",
        PipelineName=name,
        SortOrder="Descending",
    )
    return tuple(_version(each) for each in listed)


def latest_version(clients: Clients, name: str) -> Version | None:
    """Return a pipeline's newest version with one call; None where there is none.

    Raises:
        Unsupported: the account's API has no versions.
    """
    answer = clients.call(
        "sagemaker:ListPipelineVersions",
        f"pipeline {name}",
        PipelineName=name,
        SortOrder="Descending",
        MaxResults=1,
    )
    listed = answer.get("PipelineVersionSummaries") or []
    return _version(listed[0]) if listed else None


def _version(summary: Mapping[str, Any]) -> Version:
    created = summary.get("CreationTime")
    return Version(
        int(summary["PipelineVersionId"]),
        str(summary.get("PipelineVersionDescription") or ""),
        str(summary.get("PipelineVersionDisplayName") or ""),
        tuple(summary.get("PipelineVersionAliases") or ()),
        created.timestamp() if created is not None else 0.0,
    )


def read_state(
    clients: Clients,
    names: Sequence[str],
    *,
    assets: Iterable[str] = (),
    group: str = "",
    scheduled: bool = False,
    versions: bool = False,
) -> State:
    """Return what is deployed of the pipelines of these names.

    Args:
        names: the pipelines' names.
        assets: URIs of assets: whether they are complete is looked up, each once.
        group: the name of the schedules' group.
        scheduled: schedules are wanted: that they can't be read is an error then.
        versions: read the versions too (for aliases).

    Raises:
        Refused: a call was refused.
    """
    found = read_pipelines(clients, names)
    notes: list[str] = []
    arns = {pipeline.arn for pipeline in found.values() if pipeline is not None}
    read = read_schedules(clients, group, arns, scheduled, notes)
    for name, pipeline in found.items():
        if pipeline is not None:
            own = {s.name: s for s in read.schedules if s.belongs_to(pipeline.arn)}
            found[name] = replace(pipeline, schedules=own)
    wanted = list(dict.fromkeys(assets))
    known = in_parallel(lambda uri: is_published(clients, uri), wanted)
    published = frozenset(uri for uri, there in zip(wanted, known, strict=True) if there)

    def more(name: str) -> Deployed | None:
        return _with_history(clients, found[name], versions)

    found = dict(zip(found, in_parallel(more, found), strict=True))
    return State(found, published, {}, read.exists, (), tuple(notes))


def _with_history(clients: Clients, pipeline: Deployed | None, versions: bool) -> Deployed | None:
    """Add a pipeline's versions where they are asked for, and what it was before it drifted."""
    if pipeline is None:
        return None
    if versions:
        try:
            pipeline = replace(pipeline, versions=read_versions(clients, pipeline.name))
        except Unsupported:
            pipeline = replace(pipeline, versions=None)
    number = pipeline.tags.get(VERSION, "")
    if pipeline.is_drifted and number.isdigit():
        before = read_pipeline(clients, pipeline.name, version=int(number))
        if before is not None and isinstance(before.definition, dict):
            pipeline = replace(pipeline, before=before.definition)
    return pipeline


def place_of(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def is_published(clients: Clients, uri: str) -> bool:
    """Whether an asset is complete: its manifest is there, which is written last."""
    bucket, key = place_of(f"{uri}/manifest.json")
    try:
        clients.call("s3:HeadObject", f"{uri}/manifest.json", Bucket=bucket, Key=key)
    except Missing:
        return False
    return True


MAX_MANIFEST = 4 * 1024 * 1024
"""What a manifest may weigh: 5,000 files with long names."""


def read_manifest(clients: Clients, uri: str) -> dict[str, tuple[int, str]] | None:
    """Return an asset's files with size and SHA-256; None where it is gone or no manifest.

    Raises:
        Refused: the call was refused for another reason.
    """
    bucket, key = place_of(f"{uri}/manifest.json")
    try:
        answer = clients.call("s3:GetObject", f"{uri}/manifest.json", Bucket=bucket, Key=key)
        with clients.calling("s3:GetObject", f"{uri}/manifest.json"):
            data = answer["Body"].read(MAX_MANIFEST)
    except Missing:
        return None
    try:
        files = json.loads(data)["files"]
        return {str(f["name"]): (int(f["size"]), str(f["sha256"])) for f in files}
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def read_manifests(
    clients: Clients, uris: Iterable[str]
) -> dict[str, Mapping[str, tuple[int, str]]]:
    """Return the manifests of assets, by URI, those that are still there."""
    wanted = list(dict.fromkeys(uris))
    found = in_parallel(lambda uri: read_manifest(clients, uri), wanted)
    return {uri: each for uri, each in zip(wanted, found, strict=True) if each is not None}


def read_owned(
    clients: Clients,
    defined: Iterable[str],
    owns: Callable[[Mapping[str, str]], bool],
    notes: list[str],
) -> dict[str, Deployed]:
    """Return the pipelines that are owned and not defined any more, by name.

    Args:
        defined: names that the project still defines.
        owns: says by a pipeline's tags whether it is ours.
        notes: gets how many could not be looked at: who may prune is best allowed to see no
            pipelines but those with the environment's tag.
    """
    known = set(defined)
    listed = clients.pages(
        "sagemaker:ListPipelines", "pipelines", "PipelineSummaries", MaxResults=100
    )
    others = [str(each["PipelineName"]) for each in listed]
    names = sorted(name for name in others if name not in known)
    closed: list[str] = []

    def read(name: str) -> Deployed | None:
        try:
            return read_pipeline(clients, name)
        except Refused as refused:
            if refused.code not in DENIED:
                raise
            closed.append(name)
            return None

    found = dict(zip(names, in_parallel(read, names), strict=True))
    if closed:
        notes.append(
            f"access to {len(closed)} other pipelines is denied, such as `{min(closed)}`: whether "
            "this repository deployed them is not known"
        )
    return {name: each for name, each in found.items() if each is not None and owns(each.tags)}
