"""A pipeline's versions: what was deployed when, which alias is where, and the way back.

SageMaker makes a version whenever a definition changes. A deploy writes its commit into it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.cloud import ownership
from pipelines.cloud.client import Clients
from pipelines.cloud.definition_changes import compare_definitions
from pipelines.cloud.parallel import in_parallel
from pipelines.cloud.plan import Call, PipelinePlan, Plan
from pipelines.cloud.planned_calls import ROLLED_BACK, VERSION_ID, definition_member, tags_call
from pipelines.cloud.refusals import Missing, Refused, Unsupported
from pipelines.cloud.state import (
    Deployed,
    Version,
    is_published,
    read_pipeline,
    read_state,
    read_versions,
)
from pipelines.cloud.wanted import NoSources, SourceLookup, Wanted, fingerprint
from pipelines.cloud.wording import assets_in
from pipelines.errors import AwsError, UsageError

_COMMIT = re.compile(r"\bcommit ([0-9a-f]{7,64}(?:-dirty)?)\b")
_ALIAS = re.compile(r"[a-zA-Z0-9._\-]{1,128}")


def commit_of(version: Version) -> str:
    """Return the commit that a version was deployed from; empty where nothing tells."""
    found = _COMMIT.search(version.description)
    return found.group(1) if found else ""


def check_alias(alias: str) -> None:
    """Refuse a name that is no alias.

    Raises:
        UsageError: it is none (AWS, "Pipeline version aliases").
    """
    if not _ALIAS.fullmatch(alias) or alias.isdigit():
        raise UsageError(
            f"`{alias}` is no alias",
            "1 to 128 letters, digits, `.`, `-` and `_`, and not digits alone",
        )


def known_versions(clients: Clients, name: str) -> tuple[Version, ...]:
    """Return a pipeline's versions, newest first.

    Raises:
        AwsError: there is no such pipeline, or the account's API has no versions.
    """
    try:
        return read_versions(clients, name)
    except Unsupported:
        raise AwsError(
            f"the API of account {clients.identity.account} in {clients.region} has no pipeline "
            "versions yet",
            "deploys go on without them; to go back, check out the commit and `sagedag upsert`",
        ) from None
    except Missing:
        raise AwsError(
            f"there is no pipeline `{name}` in account {clients.identity.account}, "
            f"{clients.region}",
            "`sagedag plan` shows what would be deployed; check the name and --env",
        ) from None


@dataclass(frozen=True)
class Promotion:
    """An alias that is to move.

    Args:
        before: the version that has it now; None where none has.
        after: the version that is to have it.
    """

    name: str
    alias: str
    before: int | None
    after: int

    @property
    def is_done(self) -> bool:
        """Whether it is there already."""
        return self.before == self.after


def plan_promotion(clients: Clients, name: str, number: int, alias: str) -> Promotion:
    """Return how an alias moves to a version; nothing is written.

    Raises:
        UsageError: there is no such version, or the alias is none.
        AwsError: there is no such pipeline, or the API has no versions.
    """
    check_alias(alias)
    versions = known_versions(clients, name)
    if number not in {version.number for version in versions}:
        raise UsageError(f"`{name}` has no version {number}", _have(versions))
    holder = next((v.number for v in versions if alias in v.aliases), None)
    return Promotion(name, alias, holder, number)


def _have(versions: Sequence[Version]) -> str:
    listed = ", ".join(str(version.number) for version in versions[:10])
    return f"it has {listed}{', …' if len(versions) > 10 else ''}" if versions else "it has none"


def promote(clients: Clients, promotion: Promotion) -> None:
    """Move an alias: it is taken from where it is, then given (AWS, "AliasOperations").

    Raises:
        Refused: a call was refused; the message says where the alias is then.
    """
    if promotion.is_done:
        return
    arn = str(
        clients.call(
            "sagemaker:DescribePipeline",
            f"pipeline {promotion.name}",
            PipelineName=promotion.name,
        )["PipelineArn"]
    )
    if promotion.before is not None:
        _operate(clients, promotion, arn, promotion.before, "Remove")
    try:
        _operate(clients, promotion, arn, promotion.after, "Add")
    except Refused as refused:
        if promotion.before is not None:
            refused.hint = f"no version has the alias now: run it again. {refused.hint}".strip()
        raise


def _operate(clients: Clients, promotion: Promotion, arn: str, number: int, what: str) -> None:
    clients.call(
        "sagemaker:UpdatePipelineVersion",
        f"pipeline {promotion.name} version {number}",
        PipelineArn=arn,
        PipelineVersionId=number,
        PipelineVersionAliasOperations={what: [promotion.alias]},
    )


def choose_version(name: str, versions: Sequence[Version], to: str) -> Version:
    """Return the version to go back to.

    Args:
        versions: newest first.
        to: a version's number, the beginning of a commit (7 characters at least), or empty: the
            version before the newest.

    Raises:
        UsageError: there is no such version, or it is the newest.
    """
    if not versions:
        raise UsageError(f"`{name}` has no versions", "deploy it first")
    if not to:
        if len(versions) < 2:
            raise UsageError(f"`{name}` has one version: there is nothing to go back to")
        return versions[1]
    by_commit = [v for v in versions if len(to) >= 7 and commit_of(v).startswith(to.lower())]
    if by_commit:
        chosen = by_commit[0]
    else:
        same = [v for v in versions if to.isascii() and to.isdigit() and v.number == int(to)]
        if not same:
            raise UsageError(
                f"`{name}` has no version {to}, nor one of such a commit", _have(versions)
            )
        chosen = same[0]
    if chosen is versions[0]:
        raise UsageError(f"version {chosen.number} is what is deployed now", _have(versions[1:]))
    return chosen


def plan_rollback(
    clients: Clients, name: str, to: str, tool: str, words: SourceLookup | None = None
) -> Plan:
    """Return the plan that deploys an earlier version's definition again; nothing is written.

    It becomes a new version; the aliases of the newest move to it. Settings, schedules and tags of
    the pipeline stay: they are no part of a version.

    Args:
        to: see :func:`choose_version`.
        tool: this tool's version.
        words: what the parts of a definition are called.

    Raises:
        UsageError: there is no such version.
        AwsError: there is no such pipeline, the API has no versions, or code of the version is
            gone from S3.
    """
    account = clients.check_account().account
    versions = known_versions(clients, name)
    chosen = choose_version(name, versions, to)
    now = read_state(clients, [name]).pipelines[name]
    then = read_pipeline(clients, name, version=chosen.number)
    if now is None or then is None or not isinstance(then.definition, dict):
        raise AwsError(
            f"version {chosen.number} of `{name}` can't be read", "`sagedag versions` shows them"
        )
    _check_assets(clients, then, chosen)
    made = _rollback(clients, now, then, versions[0], chosen, tool, words or NoSources())
    return Plan(clients.place.environment, account, clients.region, (made,), tool=tool)


def _check_assets(clients: Clients, then: Deployed, chosen: Version) -> None:
    uris = assets_in(then.definition)
    there = in_parallel(lambda uri: is_published(clients, uri), uris)
    gone = [uri for uri, found in zip(uris, there, strict=True) if not found]
    if gone:
        commit = commit_of(chosen)
        raise AwsError(
            f"version {chosen.number} needs code that is no longer in S3: {gone[0]}",
            f"check out {commit or 'its commit'} and deploy it with `sagedag upsert`",
        )


def _rollback(
    clients: Clients,
    now: Deployed,
    then: Deployed,
    newest: Version,
    chosen: Version,
    tool: str,
    words: SourceLookup,
) -> PipelinePlan:
    label = f"pipeline {now.name}"
    current = now.definition if isinstance(now.definition, dict) else {}
    found = compare_definitions(current, then.definition, words)
    notes = [f"back to version {chosen.number}" + (_from(commit_of(chosen)))]
    if newest.aliases:
        listed = ", ".join(f"`{alias}`" for alias in newest.aliases)
        notes.append(f"its aliases go along: {listed}")
    for field, before, after in found.code:
        notes.append(f"{field}: asset {before[-64:-56]} → {after[-64:-56]}")
    if not found.any:
        return PipelinePlan(now.name, "none", notes=("the two versions mean the same",))
    mark = fingerprint(then.definition, now.settings)
    wanted = Wanted(now.name, then.definition)
    first, where = definition_member(wanted, clients.place)
    calls = [
        tags_call(label, now.arn, {ownership.WANTED: mark}),
        *first,
        Call("sagemaker:UpdatePipeline", label, {"PipelineName": now.name, **where}),
        *_version_calls(label, now.arn, newest, chosen, tool),
        tags_call(label, now.arn, _tags(mark, chosen, tool)),
    ]
    return PipelinePlan(
        now.name,
        "update",
        changes=found.changes,
        cache=found.cache,
        drifted=now.is_drifted,
        notes=tuple(notes),
        deployed=now.digest,
        calls=tuple(calls),
    )


def _from(commit: str) -> str:
    return f" (commit {commit[:12]})" if commit else ""


def _version_calls(
    label: str, arn: str, newest: Version, chosen: Version, tool: str
) -> Sequence[Call]:
    commit = commit_of(chosen)
    told = f"{ROLLED_BACK}{chosen.number}, " + (f"commit {commit}, " if commit else "")
    request: dict[str, Any] = {
        "PipelineArn": arn,
        "PipelineVersionDescription": f"{told}sagedag {tool}",
    }
    calls = []
    if newest.aliases:
        taken: Mapping[str, Any] = {
            "PipelineArn": arn,
            "PipelineVersionId": newest.number,
            "PipelineVersionAliasOperations": {"Remove": list(newest.aliases)},
        }
        of = f"{label} version {newest.number}"
        calls.append(Call("sagemaker:UpdatePipelineVersion", of, taken))
        request["PipelineVersionAliasOperations"] = {"Add": list(newest.aliases)}
    calls.append(Call("sagemaker:UpdatePipelineVersion", f"{label}, its newest version", request))
    return calls


def _tags(mark: str, chosen: Version, tool: str) -> dict[str, str]:
    made = {ownership.DIGEST: mark, ownership.VERSION: VERSION_ID}
    if tool:
        made[ownership.TOOL] = ownership.fit(tool)
    commit = commit_of(chosen)
    if commit:
        made[ownership.COMMIT] = commit
    return made
