"""From what is wanted and what is deployed to a plan. Pure: no call, no clock, no file."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.assets import Asset
from pipelines.cloud import ownership
from pipelines.cloud.client import Place
from pipelines.cloud.code_changes import code_change
from pipelines.cloud.definition_changes import DefinitionChanges, compare_definitions
from pipelines.cloud.plan import Call, Change, CodeChange, PipelinePlan, Plan, Upload
from pipelines.cloud.schedule_changes import compare_schedules
from pipelines.cloud.schedules import PIPELINE_ARN, group_name
from pipelines.cloud.settings import TagChanges, compare_settings, compare_tags, wanted_settings
from pipelines.cloud.state import Deployed, State
from pipelines.cloud.wanted import Provenance, Wanted, fingerprint, settled
from pipelines.cloud.wording import assets_in
from pipelines.errors import UsageError

INLINE_BYTES = 100 * 1024
"""Definitions of this size and more go by way of S3, as the SageMaker SDK does."""

VERSION_ID = "{version}"
"""Stands in a planned tag for the version that the deploy made."""


@dataclass(frozen=True)
class Context:
    """What a plan depends on besides the wanted and the deployed.

    Args:
        place: the environment.
        account: the account of the credentials.
        provenance: who deploys.
        alias: the alias that the deployed version is to have; empty: none is touched.
        root: the project's root as a saved plan names it.
        base: the project's root on this machine.
    """

    place: Place
    account: str
    provenance: Provenance
    alias: str = ""
    root: str = "."
    base: str = "."

    @property
    def group(self) -> str:
        """The group of the schedules of this repository in this environment."""
        return group_name(self.place.environment, self.provenance.repository)


def make_plan(wanted: Sequence[Wanted], state: State, context: Context) -> Plan:
    """Return what makes the deployed state the wanted one.

    Args:
        wanted: the compiled definitions, each with a name of its own.
        state: what is deployed of them; ``state.owned`` are removed.
        context: the rest.

    Raises:
        UsageError: a pipeline cannot be deployed as it is wanted (its tags).
    """
    uploads = tuple(_uploads(wanted, state, context.base))
    made = [_plan_one(each, state.pipelines.get(each.name), state, context) for each in wanted]
    for name in state.owned:
        deployed = state.pipelines.get(name)
        if deployed is not None:
            made.append(_removal(deployed, context))
    return Plan(
        context.place.environment,
        context.account,
        context.place.region,
        tuple(made),
        uploads,
        context.root,
        context.group,
        tuple(_group_calls(made, state, context)),
        state.notes,
        context.provenance.tool,
    )


def _uploads(wanted: Iterable[Wanted], state: State, base: str) -> Iterable[Upload]:
    seen = set(state.published)
    for each in wanted:
        for asset in each.assets:
            if asset.uri not in seen:
                seen.add(asset.uri)
                yield _upload(asset, base)


def _upload(asset: Asset, base: str) -> Upload:
    sources = tuple(
        "" if isinstance(held, bytes) else os.path.relpath(held, base).replace(os.sep, "/")
        for _, held in asset.files
    )
    made = {n: b64encode(held).decode() for n, held in asset.files if isinstance(held, bytes)}
    return Upload(asset.uri, asset.entries, sources, made)


def _group_calls(made: Iterable[PipelinePlan], state: State, context: Context) -> Iterable[Call]:
    """Yield the call that makes the schedules' group, where one is needed and not there."""
    needed = any(c.operation == "scheduler:CreateSchedule" for p in made for c in p.calls)
    if needed and not state.group:
        tags = ownership.ownership(context.provenance, context.place.environment, "")
        yield Call(
            "scheduler:CreateScheduleGroup",
            f"schedule group {context.group}",
            {"Name": context.group, "Tags": _tag_list(tags)},
        )


def _plan_one(
    wanted: Wanted, deployed: Deployed | None, state: State, context: Context
) -> PipelinePlan:
    if deployed is None:
        return _creation(wanted, context)
    return _Update(wanted, deployed, state, context).plan()


def _creation(wanted: Wanted, context: Context) -> PipelinePlan:
    settings = wanted_settings(wanted)
    schedules = compare_schedules(wanted, None, context.group, settings)
    mark = fingerprint(wanted.definition, settled(settings, wanted.name))
    tags = {
        **_checked_tags(wanted),
        **ownership.ownership(context.provenance, context.place.environment, wanted.path),
        ownership.WANTED: mark,
        **ownership.remembered_keys(wanted.tags),
    }
    extra = {k: v for k, v in wanted.settings.items() if k not in (*settings, "Tags")}
    before, where = _definition_member(wanted, context)
    request = {
        **extra,
        "PipelineName": wanted.name,
        **settings,
        **where,
        "Tags": _tag_list(tags),
        "ClientRequestToken": _token(wanted.name, mark, ""),
    }
    label = f"pipeline {wanted.name}"
    calls = [
        *before,
        Call("sagemaker:CreatePipeline", label, request),
        *_record_calls(label, PIPELINE_ARN, context, None),
        *schedules.calls,
        _tags_call(label, PIPELINE_ARN, _done(context, mark, recorded=True)),
    ]
    changes = (*_contents(wanted), *schedules.changes, *_alias_change(context, None))
    return PipelinePlan(wanted.name, "create", wanted.file, changes, calls=tuple(calls))


def _contents(wanted: Wanted) -> Iterable[Change]:
    """Yield what a new pipeline consists of: the difference from an empty definition."""
    empty: Mapping[str, Any] = {"Version": wanted.definition.get("Version")}
    rest = {k: v for k, v in wanted.definition.items() if k in ("Version", "Parameters", "Steps")}
    yield from compare_definitions(empty, rest, wanted.sources).changes


class _Update:
    """Plans one pipeline that exists."""

    def __init__(self, wanted: Wanted, deployed: Deployed, state: State, context: Context) -> None:
        self.wanted, self.deployed, self.context = wanted, deployed, context
        self.state = state
        self.label = f"pipeline {wanted.name}"
        self.differences = self._definition_changes()
        self.settings = {**deployed.settings, **wanted_settings(wanted, deployed.settings)}
        self.settings_changes = compare_settings(deployed.settings, self.settings)
        self.schedules = compare_schedules(wanted, deployed, context.group, self.settings)
        sent = wanted.definition if self.differences.any else deployed.definition
        self.mark = fingerprint(sent, settled(self.settings, wanted.name))

    def _definition_changes(self) -> DefinitionChanges:
        deployed = self.deployed.definition
        if not isinstance(deployed, dict):
            gone = Change("~", "definition", "no JSON object", "the definition")
            return DefinitionChanges((gone,))
        return compare_definitions(deployed, self.wanted.definition, self.wanted.sources)

    def plan(self) -> PipelinePlan:
        """Return the pipeline's plan."""
        tags = compare_tags(self.deployed, _checked_tags(self.wanted))
        alias = tuple(_alias_change(self.context, self.deployed, moved=self.differences.any))
        changes = (
            *self.differences.changes,
            *self.settings_changes,
            *tags.changes,
            *self.schedules.changes,
            *alias,
        )
        touched = self.differences.any or bool(changes)
        unfinished = self.deployed.tags.get(ownership.DIGEST) != self.deployed.fingerprint
        other = ownership.owner(self.deployed.tags)
        owned = ownership.is_owned(
            self.deployed.tags, self.context.provenance, self.context.place.environment
        )
        if not touched and unfinished:
            changes = (self._unfinished(),)
        elif not touched and not owned and other:
            changes = (Change("~", "owner", other, "this repository"),)
        calls = tuple(self._calls(tags, alias, unfinished)) if changes or touched else ()
        drifted = self.deployed.is_drifted
        return PipelinePlan(
            self.wanted.name,
            "update" if calls else "none",
            self.wanted.file,
            changes,
            tuple(self._code()),
            self.differences.cache,
            drifted,
            self._drift() if drifted else (),
            other if other and not owned else "",
            tuple(self._notes(drifted, other)),
            self.deployed.digest,
            calls,
        )

    def _unfinished(self) -> Change:
        tags = self.deployed.tags
        if ownership.DIGEST not in tags and ownership.WANTED not in tags:
            return Change("+", "owner", "", "this repository", note=_ADOPTED)
        return Change("~", "deploy record", note="the last deploy did not end: it is completed")

    def _notes(self, drifted: bool, other: str) -> Iterable[str]:
        if drifted:
            when = f" ({self.deployed.changed})" if self.deployed.changed else ""
            yield f"changed by something else since the last deploy{when}"
        elif not other:
            yield "not deployed by this tool so far: it is taken over"
        if self.context.alias and self.deployed.versions is None:
            yield "the API of this account has no versions: there are no aliases"

    def _code(self) -> Iterable[CodeChange]:
        files = {a.uri: {n: (size, sha) for n, size, sha in a.entries} for a in self.wanted.assets}
        for words, before, after in self.differences.code:
            old = self.state.manifests.get(before)
            yield code_change(words, before, after, old, files.get(after, {}))

    def _drift(self) -> tuple[Change, ...]:
        now = self.deployed.definition
        if self.deployed.before is None or not isinstance(now, dict):
            return ()
        found = compare_definitions(self.deployed.before, now, self.wanted.sources)
        return found.changes

    def _calls(self, tags: TagChanges, alias: Sequence[Change], unfinished: bool) -> Iterable[Call]:
        """Yield what carries it out; a digest written last says that all of it was done."""
        arn = self.deployed.arn
        changes_pipeline = self.differences.any or bool(self.settings_changes)
        owners = ownership.ownership(
            self.context.provenance, self.context.place.environment, self.wanted.path
        )
        if changes_pipeline:
            yield _tags_call(self.label, arn, {**owners, ownership.WANTED: self.mark})
            yield from self._update_calls()
        records = self.differences.any or unfinished
        if records or alias:
            holder = self.deployed if alias else None
            yield from _record_calls(self.label, arn, self.context, holder, record=records)
        yield from self.schedules.calls
        if tags.removed:
            request = {"ResourceArn": arn, "TagKeys": list(tags.removed)}
            yield Call("sagemaker:DeleteTags", self.label, request)
        final = {**tags.added, **owners, **_done(self.context, self.mark, recorded=records)}
        yield _tags_call(self.label, arn, final)

    def _update_calls(self) -> Iterable[Call]:
        before: list[Call] = []
        where: dict[str, Any] = {}
        if self.differences.any:
            before, where = _definition_member(self.wanted, self.context)
        changed = {
            name: value
            for name, value in self.settings.items()
            if self.deployed.settings.get(name) != value
        }
        yield from before
        request = {"PipelineName": self.wanted.name, **where, **changed}
        yield Call("sagemaker:UpdatePipeline", self.label, request)


_ADOPTED = "equal to the definition; ownership is recorded"


def _definition_member(wanted: Wanted, context: Context) -> tuple[list[Call], dict[str, Any]]:
    """Return how a definition is sent: in the request, or by way of S3 with a call before."""
    text = wanted.text
    data = text.encode()
    if len(data) < INLINE_BYTES:
        return [], {"PipelineDefinition": text}
    digest = hashlib.sha256(data).hexdigest()
    prefix = f"{context.place.prefix}/" if context.place.prefix else ""
    key = f"{prefix}definitions/sha256/{digest}.json"
    bucket = context.place.bucket
    put = Call("s3:PutObject", f"s3://{bucket}/{key}", {"Bucket": bucket, "Key": key, "Body": text})
    return [put], {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _record_calls(
    label: str, arn: str, context: Context, holder: Deployed | None, *, record: bool = True
) -> Iterable[Call]:
    """Yield what writes commit and tool into the newest version, and moves the alias to it.

    An alias must be taken from the version that has it before another one can get it (AWS,
    "AliasOperations").
    """
    alias = context.alias
    for version in (holder.versions or ()) if holder is not None and alias else ():
        if alias in version.aliases:
            request = {
                "PipelineArn": arn,
                "PipelineVersionId": version.number,
                "PipelineVersionAliasOperations": {"Remove": [alias]},
            }
            yield Call(
                "sagemaker:UpdatePipelineVersion", f"{label} version {version.number}", request
            )
    made: dict[str, Any] = {"PipelineArn": arn}
    if record:
        made["PipelineVersionDescription"] = recorded_text(context.provenance)
    if alias:
        made["PipelineVersionAliasOperations"] = {"Add": [alias]}
    yield Call("sagemaker:UpdatePipelineVersion", f"{label}, its newest version", made)


def recorded_text(provenance: Provenance) -> str:
    """Return what is written into a version: which commit it is and what deployed it."""
    commit = f"commit {provenance.revision}" if provenance.revision else "no commit"
    return f"{commit}, sagedag {provenance.tool}".rstrip()


def _alias_change(
    context: Context, deployed: Deployed | None, *, moved: bool = True
) -> Iterable[Change]:
    """Yield the line about the alias, where it is to move."""
    if not context.alias or (deployed is not None and deployed.versions is None):
        return
    versions = (deployed.versions or ()) if deployed is not None else ()
    holder = next((v.number for v in versions if context.alias in v.aliases), None)
    newest = versions[0].number if versions else 0
    target = newest + 1 if moved else newest
    if holder != target:
        before = f"version {holder}" if holder is not None else ""
        words = f"alias.{context.alias}"
        yield Change("~" if before else "+", words, before, f"version {target}")


def _done(context: Context, mark: str, *, recorded: bool) -> dict[str, str]:
    """Return the tags that end a deploy."""
    made = {**ownership.provenance_tags(context.provenance), ownership.DIGEST: mark}
    if recorded:
        made[ownership.VERSION] = VERSION_ID
    return made


def _removal(deployed: Deployed, context: Context) -> PipelinePlan:
    calls = [
        Call(
            "scheduler:DeleteSchedule",
            f"schedule {context.group}/{name}",
            {"GroupName": context.group, "Name": name},
        )
        for name in deployed.schedules
    ]
    label = f"pipeline {deployed.name}"
    request = {
        "PipelineName": deployed.name,
        "ClientRequestToken": _token(deployed.name, "delete", deployed.digest),
    }
    calls.append(Call("sagemaker:DeletePipeline", label, request))
    steps = deployed.definition.get("Steps", []) if isinstance(deployed.definition, dict) else []
    changes = [Change("-", f"schedules.{name}") for name in deployed.schedules]
    return PipelinePlan(
        deployed.name,
        "delete",
        deployed.tags.get(ownership.DEFINITION, ""),
        tuple(changes),
        drifted=deployed.is_drifted,
        notes=(f"no definition here makes it any more; it has {len(steps)} steps",),
        deployed=deployed.digest,
        calls=tuple(calls),
    )


def _checked_tags(wanted: Wanted) -> dict[str, str]:
    """Return the definition's tags; this tool's own are refused, and too many."""
    tags = wanted.tags
    own = [key for key in tags if key.startswith((ownership.PREFIX, "aws:"))]
    if own:
        raise UsageError(
            f"{wanted.file or wanted.name}: the tag `{own[0]}` is not the definition's to set",
            "give it another name",
        )
    room = ownership.MOST - 9 - len(ownership.remembered_keys(tags))
    if len(tags) > room:
        raise UsageError(
            f"{wanted.file or wanted.name}: {len(tags)} tags; a pipeline has room for {room} "
            "beside those that say who deployed it"
        )
    return tags


def _tags_call(label: str, arn: str, tags: Mapping[str, str]) -> Call:
    return Call("sagemaker:AddTags", label, {"ResourceArn": arn, "Tags": _tag_list(tags)})


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _token(*parts: str) -> str:
    """Return the ClientRequestToken of a call: the same call has the same."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def assets_to_read(wanted: Iterable[Wanted], state: State) -> list[str]:
    """Return the URIs of deployed assets whose manifests a plan will want to see.

    Only those that the wanted definition does not name: equal URIs are equal content.
    """
    found: dict[str, None] = {}
    for each in wanted:
        deployed = state.pipelines.get(each.name)
        if deployed is not None and isinstance(deployed.definition, dict):
            own = {asset.uri for asset in each.assets}
            old = [uri for uri in assets_in(deployed.definition) if uri not in own]
            found.update(dict.fromkeys(old))
    return list(found)
