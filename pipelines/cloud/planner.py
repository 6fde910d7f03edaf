"""From what is wanted and what is deployed to a plan. Pure: no call, no clock, no file."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.assets import Asset
from pipelines.cloud import ownership
from pipelines.cloud.context import Context
from pipelines.cloud.definition_changes import compare_definitions
from pipelines.cloud.plan import Call, Change, PipelinePlan, Plan, Upload
from pipelines.cloud.planned_calls import (
    alias_changes,
    checked_tags,
    closing_tags,
    definition_member,
    record_calls,
    tag_list,
    tags_call,
)
from pipelines.cloud.planned_update import Update
from pipelines.cloud.schedule_changes import compare_schedules
from pipelines.cloud.schedules import PIPELINE_ARN
from pipelines.cloud.settings import compare_settings, new_tag, wanted_settings
from pipelines.cloud.state import Deployed, State
from pipelines.cloud.wanted import Wanted, fingerprint, settled
from pipelines.cloud.wording import assets_in
from pipelines.tags import remembered_keys


def make_plan(wanted: Sequence[Wanted], state: State, context: Context) -> Plan:
    """Return what makes the deployed state the wanted one.

    Args:
        wanted: the compiled definitions, each with a name of its own.
        state: what is deployed of them; ``state.owned`` are removed.
        context: the rest.

    Raises:
        UsageError: a pipeline cannot be deployed as it is wanted (its tags).
    """
    uploads = tuple(missing_uploads(wanted, state.published, context.base))
    made = [_plan_one(each, state.pipelines.get(each.name), state, context) for each in wanted]
    for name in state.owned:
        deployed = state.pipelines.get(name)
        if deployed is not None:
            made.append(removal(deployed, context.group, "no definition here makes it any more"))
    return Plan(
        context.place.environment,
        context.account,
        context.place.region,
        tuple(made),
        uploads,
        context.root,
        context.group if state.group is not None else "",
        tuple(_group_calls(made, state, context)),
        state.notes,
        context.provenance.tool,
    )


def missing_uploads(
    wanted: Iterable[Wanted], published: Iterable[str], base: str
) -> Iterable[Upload]:
    """Yield what must be published for definitions, each asset once.

    Args:
        wanted: the definitions.
        published: URIs of the assets that are complete in S3.
        base: the project's root, which the uploads' sources are told from.
    """
    seen = set(published)
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
            {"Name": context.group, "Tags": tag_list(tags)},
        )


def _plan_one(
    wanted: Wanted, deployed: Deployed | None, state: State, context: Context
) -> PipelinePlan:
    if deployed is None:
        return _creation(wanted, context)
    return Update(wanted, deployed, state, context).plan()


def _creation(wanted: Wanted, context: Context) -> PipelinePlan:
    settings = wanted_settings(wanted)
    schedules = compare_schedules(wanted, None, context.group, settings)
    mark = fingerprint(wanted.definition, settled(settings, wanted.name))
    tags = {
        **checked_tags(wanted),
        **ownership.ownership(context.provenance, context.place.environment, wanted.path),
        ownership.WANTED: mark,
        **remembered_keys(wanted.tags),
    }
    extra = {k: v for k, v in wanted.settings.items() if k not in (*settings, "Tags")}
    before, where = definition_member(wanted, context.place)
    request = {
        **extra,
        "PipelineName": wanted.name,
        **settings,
        **where,
        "Tags": tag_list(tags),
    }
    label = f"pipeline {wanted.name}"
    calls = [
        *before,
        Call("sagemaker:CreatePipeline", label, request),
        *record_calls(label, PIPELINE_ARN, context, None),
        *schedules.calls,
        tags_call(label, PIPELINE_ARN, closing_tags(context, mark, recorded=True)),
    ]
    changes = (
        *_contents(wanted),
        *compare_settings({}, settings, wanted.sources),
        *(new_tag(key, value, wanted.sources) for key, value in checked_tags(wanted).items()),
        *schedules.changes,
        *alias_changes(context, None),
    )
    return PipelinePlan(wanted.name, "create", wanted.file, changes, calls=tuple(calls))


def _contents(wanted: Wanted) -> Iterable[Change]:
    """Yield what a new pipeline consists of: the difference from an empty definition."""
    empty: Mapping[str, Any] = {"Version": wanted.definition.get("Version")}
    rest = {k: v for k, v in wanted.definition.items() if k in ("Version", "Parameters", "Steps")}
    yield from compare_definitions(empty, rest, wanted.sources).changes


def removal(deployed: Deployed, group: str, *notes: str) -> PipelinePlan:
    """Return what deletes a pipeline and its schedules.

    Args:
        group: the schedules' group.
        notes: why, and what else to know.
    """
    steps = deployed.definition.get("Steps", []) if isinstance(deployed.definition, dict) else []
    told = (f"{notes[0]}; it has {len(steps)} steps", *notes[1:])
    calls = [
        Call(
            "scheduler:DeleteSchedule",
            f"schedule {group}/{name}",
            {"GroupName": group, "Name": name},
        )
        for name in deployed.schedules
    ]
    label = f"pipeline {deployed.name}"
    request = {"PipelineName": deployed.name}
    calls.append(Call("sagemaker:DeletePipeline", label, request))
    own = [name.removeprefix(f"{deployed.name}.") for name in deployed.schedules]
    changes = [Change("-", f"schedules.{name}") for name in own]
    return PipelinePlan(
        deployed.name,
        "delete",
        deployed.tags.get(ownership.DEFINITION, ""),
        tuple(changes),
        drifted=deployed.is_drifted,
        notes=told,
        deployed=deployed.digest,
        calls=tuple(calls),
    )


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
