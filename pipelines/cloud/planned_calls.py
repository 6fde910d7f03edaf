"""The calls that a plan holds: how a definition is sent, a version recorded, a deploy ended."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.cloud import ownership
from pipelines.cloud.client import Place
from pipelines.cloud.context import Context
from pipelines.cloud.plan import Call, Change
from pipelines.cloud.state import Deployed
from pipelines.cloud.wanted import Provenance, Wanted
from pipelines.errors import UsageError
from pipelines.tags import MOST, is_reserved, room_for, too_many

INLINE_BYTES = 100 * 1024
"""Definitions of this size and more go by way of S3, as the SageMaker SDK does."""

ROLLED_BACK = "rollback to version "
"""How the text begins that a rollback writes into its version."""

VERSION_ID = "{version}"
"""Stands in a planned tag for the version that the deploy made."""


def definition_member(wanted: Wanted, place: Place) -> tuple[list[Call], dict[str, Any]]:
    """Return how a definition is sent: in the request, or by way of S3 with a call before."""
    text = wanted.text
    data = text.encode()
    if len(data) < INLINE_BYTES:
        return [], {"PipelineDefinition": text}
    bucket, key = stored_at(wanted, place)
    put = Call("s3:PutObject", f"s3://{bucket}/{key}", {"Bucket": bucket, "Key": key, "Body": text})
    return [put], {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def stored_at(wanted: Wanted, place: Place) -> tuple[str, str]:
    """Return the bucket and the key of a definition that goes by way of S3."""
    digest = hashlib.sha256(wanted.text.encode()).hexdigest()
    prefix = f"{place.prefix}/" if place.prefix else ""
    return place.bucket, f"{prefix}definitions/sha256/{digest}.json"


def record_calls(
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


def alias_changes(
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


def closing_tags(context: Context, mark: str, *, recorded: bool) -> dict[str, str]:
    """Return the tags that end a deploy."""
    made = {**ownership.provenance_tags(context.provenance), ownership.DIGEST: mark}
    if recorded:
        made[ownership.VERSION] = VERSION_ID
    return made


def checked_tags(wanted: Wanted, deployed: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the definition's tags; this tool's own are refused, and too many.

    Args:
        deployed: the tags of the pipeline: those that others put there take room too.
    """
    tags, name = wanted.tags, wanted.file or wanted.name
    reserved = [key for key in tags if is_reserved(key)]
    if reserved:
        raise UsageError(
            f"{name}: the tag `{reserved[0]}` is not the definition's to set",
            "give it another name",
        )
    if told := too_many(tags):
        raise UsageError(f"{name}: {told}", "take some out")
    ours = ownership.keys_of(deployed or {})
    others = [k for k in deployed or {} if not is_reserved(k) and k not in ours and k not in tags]
    if len(tags) + len(others) > room_for(tags):
        raise UsageError(
            f"{name}: {len(tags)} tags, and others put {len(others)} on the pipeline, such as "
            f"`{min(others)}`: it can have {MOST}, with those that say who deployed it",
            "take some out here or there",
        )
    return tags


def tags_call(label: str, arn: str, tags: Mapping[str, str]) -> Call:
    """Return the call that writes tags."""
    return Call("sagemaker:AddTags", label, {"ResourceArn": arn, "Tags": tag_list(tags)})


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as the API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
