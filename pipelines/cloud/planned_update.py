"""The plan of a pipeline that exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.cloud import ownership
from pipelines.cloud.code_changes import code_change
from pipelines.cloud.context import Context
from pipelines.cloud.definition_changes import DefinitionChanges, compare_definitions
from pipelines.cloud.plan import Call, Change, CodeChange, PipelinePlan
from pipelines.cloud.planned_calls import (
    ROLLED_BACK,
    alias_changes,
    checked_tags,
    closing_tags,
    definition_member,
    record_calls,
    tags_call,
)
from pipelines.cloud.schedule_changes import compare_schedules
from pipelines.cloud.settings import (
    SETTING_WORDS,
    TagChanges,
    compare_settings,
    compare_tags,
    fold_roles,
    wanted_settings,
)
from pipelines.cloud.state import Deployed, State
from pipelines.cloud.wanted import Wanted, fingerprint, settled

_ADOPTED = "equal to the definition; ownership is recorded"


class Update:
    """Plans one pipeline that exists."""

    def __init__(self, wanted: Wanted, deployed: Deployed, state: State, context: Context) -> None:
        self.wanted, self.deployed, self.context = wanted, deployed, context
        self.state = state
        self.label = f"pipeline {wanted.name}"
        self.differences = self._definition_changes()
        self.settings = {**deployed.settings, **wanted_settings(wanted, deployed.settings)}
        after = settled(self.settings, wanted.name)
        self.settings_changes = compare_settings(deployed.settings, after, wanted.sources)
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
        tags = compare_tags(
            self.deployed, checked_tags(self.wanted, self.deployed.tags), self.wanted.sources
        )
        alias = tuple(alias_changes(self.context, self.deployed, moved=self.differences.any))
        changes = fold_roles(
            (
                *self.differences.changes,
                *self.settings_changes,
                *tags.changes,
                *self.schedules.changes,
                *alias,
            )
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
        recorded = self.deployed.recorded or ""
        if recorded.startswith(ROLLED_BACK) and self.differences.any and not drifted:
            yield f"it was rolled back ({recorded.partition(',')[0]}): a deploy undoes that"
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
            yield tags_call(self.label, arn, {**owners, ownership.WANTED: self.mark})
            yield from self._update_calls()
        records = self.differences.any or unfinished
        if records or alias:
            holder = self.deployed if alias else None
            yield from record_calls(self.label, arn, self.context, holder, record=records)
        yield from self.schedules.calls
        if tags.removed:
            request = {"ResourceArn": arn, "TagKeys": list(tags.removed)}
            yield Call("sagemaker:DeleteTags", self.label, request)
        final = {**tags.added, **owners, **closing_tags(self.context, self.mark, recorded=records)}
        yield tags_call(self.label, arn, final)

    def _update_calls(self) -> Iterable[Call]:
        before: list[Call] = []
        where: dict[str, Any] = {}
        if self.differences.any:
            before, where = definition_member(self.wanted, self.context.place)
        told = {change.words for change in self.settings_changes}
        changed = {k: v for k, v in self.settings.items() if SETTING_WORDS[k] in told}
        yield from before
        request = {"PipelineName": self.wanted.name, **where, **changed}
        yield Call("sagemaker:UpdatePipeline", self.label, request)
