"""Lineage: records entities and associations in the local store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._jobs import dig, each
from pipelines.local.lineage import KINDS

# botocore: ExperimentEntityName.
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}")
_ARN = re.compile(r"arn:[^:\s]+:[^:\s]+:\S*:\S+")

_TYPES = ("ContributedTo", "AssociatedWith", "DerivedFrom", "Produced", "SameAs")
"""botocore: AssociationEdgeType."""


class LineageHandler(Handler):
    """Records what the step names."""

    api_type = "Lineage"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Record all of it, or nothing and fail."""
        arns: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        entities = []
        for kind in KINDS:
            for item in each(request.get(f"{kind}s")):
                if not isinstance(item, Mapping):
                    raise StepError(f"{kind}s holds what is no object")
                name = str(item.get(f"{kind}Name") or "")
                arn = _arn(kind, item, context)
                arns[kind][name] = arn
                entities.append((arn, kind, item))
        associations = [
            _association(item, arns) for item in each(request.get("Associations"))
        ]  # fmt: skip
        if not entities and not associations:
            raise StepError("nothing to record: there are no entities and no associations")
        context.lineage.record(
            context.identity.execution, context.step.name, entities, associations
        )
        properties = {f"{kind}Arns": arns[kind] for kind in KINDS}
        told = [{"SourceArn": here, "DestinationArn": there} for here, there, _ in associations]
        metadata = {"Lineage": {**properties, "Associations": told}}
        return StepResult({**properties, "Associations": told}, metadata)


def _arn(kind: str, item: Mapping[str, Any], context: StepContext) -> str:
    """Return an entity's ARN: actions and contexts by name, artifacts by what they are.

    [U] How the service makes an artifact's identifier is not documented; the same source and type
    give the same artifact here, as CreateArtifact refuses a second one.
    """
    name, source = str(item.get(f"{kind}Name") or ""), dig(item, "Source", "SourceUri")
    if not isinstance(source, str) or not source:
        raise StepError(f"the {kind.lower()} `{name}` has no Source.SourceUri")
    if not item.get(f"{kind}Type"):
        raise StepError(f"the {kind.lower()} `{name}` has no {kind}Type")
    if name and not _NAME.fullmatch(name):
        raise StepError(f"`{name}` is no {kind}Name: 1 to 120 letters, digits and hyphens")
    if kind == "Artifact":
        text = f"{source}\n{item['ArtifactType']}"
        return context.identity.arn(f"artifact/{hashlib.md5(text.encode()).hexdigest()}")  # noqa: S324 - an identifier
    if not name:
        raise StepError(f"{kind}s holds one without {kind}Name")
    return context.identity.arn(f"{kind.lower()}/{name}")


def _association(
    item: object, arns: Mapping[str, Mapping[str, str]]
) -> tuple[str, str, str | None]:
    """Return an association's ends as ARNs, and its type."""
    kind = dig(item, "AssociationType")
    if kind is not None and kind not in _TYPES:
        raise StepError(f"AssociationType is `{kind}`, none of {', '.join(_TYPES)}")
    ends = [_end(dig(item, end), end, arns) for end in ("Source", "Destination")]
    return ends[0], ends[1], kind if isinstance(kind, str) else None


def _end(value: object, end: str, arns: Mapping[str, Mapping[str, str]]) -> str:
    arn = dig(value, "Arn")
    if arn is not None:
        if not isinstance(arn, str) or not _ARN.fullmatch(arn):
            raise StepError(f"the {end} of an association is `{arn}`, which is no ARN")
        return arn
    name, kind = dig(value, "Name"), dig(value, "Type")
    found = arns.get(str(kind), {}).get(str(name))
    if found is None:
        raise StepError(f"the {end} of an association is the {kind} `{name}`, which is not here")
    return found
