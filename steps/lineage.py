"""Lineage: records actions, artifacts and contexts, and what they have to do with each other.

The service calls CreateAction, CreateArtifact and CreateContext for the entities, then
AddAssociation (Amazon SageMaker API Reference); the SDK's ``LineageStep`` says how the arguments
hold them. It neither caches nor retries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._expressions import PropertyRef, as_text, is_expression
from steps._jobs import Arguments, present

_TYPE = f.text("What sort of thing it is, in your own words.", "ModelTraining")
_SOURCE = f.text("The URI of the thing itself.", "s3://bucket/run")
_SOURCE_TYPE = f.text("What sort of URI that is.", "S3ETag")
_DESCRIPTION = f.text("What it is, in a sentence.", "The nightly training")
_STATUSES = ("Unknown", "InProgress", "Completed", "Failed", "Stopping", "Stopped")
_PROPERTIES = f.named(
    "Further facts.", f.scalar("A fact.", "nightly"), {"schedule": "nightly"}, maxProperties=30
)
_ENTITIES = {
    "actions": ("Actions", "ActionName", "ActionType", "Action", "ActionArns"),
    "artifacts": ("Artifacts", "ArtifactName", "ArtifactType", "Artifact", "ArtifactArns"),
    "contexts": ("Contexts", "ContextName", "ContextType", "Context", "ContextArns"),
}
"""Of each field: the argument, its members for name and type, the type that associations call it,
and the property with the ARNs (the SDK's ``lineage_step.py``)."""


def _entities(what: str, description: str, extra: Mapping[str, f.Schema]) -> Field:
    example = {"type": "ModelTraining", "source": "s3://bucket/run"}
    return Field(
        f.named(
            description,
            f.block(
                f"One of the {what}.",
                {"type": _TYPE, "source": _SOURCE, **extra, "properties": _PROPERTIES},
                example,
                required=["type", "source"],
            ),
            {"nightly": example},
        ),
        api=f"{_ENTITIES[what][0]}[]",
        members={
            _ENTITIES[what][2]: "type",
            "Source": "source",
            "Properties": "properties",
            "Description": "description",
            "Status": "status",
        },
    )


_ASSOCIATION = f.block(
    "One association.",
    {
        "source": f.text("Where it begins: a name of this step, or an ARN.", "nightly"),
        "destination": f.text("Where it ends: a name of this step, or an ARN.", "model"),
        "type": f.choice(
            "What the source is to the destination.",
            "ContributedTo",
            "AssociatedWith",
            "DerivedFrom",
            "Produced",
            "SameAs",
        ),
    },
    {"source": "nightly", "destination": "model", "type": "Produced"},
    required=["source", "destination"],
)


class Lineage(Kind):
    """Records where things come from."""

    name = "Lineage"
    api_type = "Lineage"
    summary = "Record actions, artifacts and contexts, and how they belong together."
    about = (
        "An association begins and ends at something of the same step, by its name, or at "
        "something that exists, by its ARN. Where an action, an artifact and a context share a "
        "name, write `actions.NAME`, `artifacts.NAME` or `contexts.NAME`."
    )
    example = (
        "record:\n"
        "  type: Lineage\n"
        "  actions:\n"
        "    nightly: {type: ModelTraining, source: s3://bucket/run}\n"
        "  artifacts:\n"
        '    model: {type: Model, source: "${steps.train.model}"}\n'
        "  associations:\n"
        "    - {source: nightly, destination: model, type: Produced}\n"
    )
    item_operations = {
        "Actions": "CreateAction",
        "Artifacts": "CreateArtifact",
        "Contexts": "CreateContext",
    }
    fields = {
        "actions": _entities(
            "actions",
            "What was done, by name.",
            {
                "source_type": _SOURCE_TYPE,
                "description": _DESCRIPTION,
                "status": f.choice("How it went.", *_STATUSES),
            },
        ),
        "artifacts": _entities("artifacts", "What was used or made, by name.", {}),
        "contexts": _entities(
            "contexts",
            "What it all belongs to, by name.",
            {"source_type": _SOURCE_TYPE, "description": _DESCRIPTION},
        ),
        "associations": Field(
            f.listing(
                "How they belong together.",
                _ASSOCIATION,
                [{"source": "nightly", "destination": "model", "type": "Produced"}],
            ),
            api="Associations",
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the ARNs of what the step makes, by name."""
        return {field: list(step.fields.get(field, {})) for field in _ENTITIES}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``actions.NAME``, ``artifacts.NAME`` and ``contexts.NAME``: ARNs."""
        field, *rest = path
        if field not in _ENTITIES:
            return super().attribute(step, path)
        names = list(step.fields.get(str(field), {}))
        if not rest:
            return NoAttribute(0, f"name one of the {field}: `{field}.NAME`", names)
        if rest[0] not in names:
            return NoAttribute(1, f"`{step.name}` has no `{rest[0]}` among its {field}", names)
        arns = _ENTITIES[str(field)][4]
        made = PropertyRef(step.name, (arns, str(rest[0])), frozenset({1}), meaning="arn")
        return Attribute(made, tuple(rest[1:]))

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a step that records nothing, and associations of what is not there."""
        if not any(step.fields.get(field) for field in (*_ENTITIES, "associations")):
            yield Problem(
                "missing-key",
                (),
                "nothing to record: `actions`, `artifacts`, `contexts` and `associations` are "
                "all missing",
                at_key=True,
            )
        for index, association in enumerate(step.fields.get("associations", ())):
            for end in ("source", "destination"):
                value = association.get(end)
                found = _found(step, value)
                if not isinstance(value, str) or value.startswith("arn:") or len(found) == 1:
                    continue
                names = [name for field in _ENTITIES for name in step.fields.get(field, {})]
                yield Problem(
                    "bad-value",
                    ("associations", index, end),
                    f"`{value}` is several things of this step"
                    if found
                    else f"this step makes no `{value}`",
                    f"write {' or '.join(f'`{field}.{name}`' for field, name in found)}"
                    if found
                    else f"it makes {', '.join(names) or 'nothing'}; anything else by its ARN",
                )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the step's arguments."""
        del context
        made: Arguments = {}
        for field, (member, name_member, type_member, _, _) in _ENTITIES.items():
            items = [
                present(
                    **{name_member: name, type_member: given.get("type")},
                    Source=present(
                        SourceUri=given.get("source"), SourceType=given.get("source_type")
                    ),
                    Description=given.get("description"),
                    Status=given.get("status"),
                    Properties={
                        key: as_text(value) for key, value in given.get("properties", {}).items()
                    },
                )
                for name, given in step.fields.get(field, {}).items()
            ]
            made.update(present(**{member: items}))
        associations = [
            present(
                Source=_end(step, given.get("source")),
                Destination=_end(step, given.get("destination")),
                AssociationType=given.get("type"),
            )
            for given in step.fields.get("associations", ())
        ]
        return {**made, **present(Associations=associations)}


def _found(step: Step, value: Any) -> list[tuple[str, str]]:
    """Return the field and name of everything in the step that an association's end can mean."""
    if not isinstance(value, str):
        return []
    field, _, name = value.partition(".")
    if field in _ENTITIES and name in step.fields.get(field, {}):
        return [(field, name)]
    return [(field, value) for field in _ENTITIES if value in step.fields.get(field, {})]


def _end(step: Step, value: Any) -> Arguments:
    """Return an end of an association: an entity of the step by name and type, else an ARN."""
    found = _found(step, value)
    if is_expression(value) or not found:
        return {"Arn": value}
    field, name = found[0]
    return {"Name": name, "Type": _ENTITIES[field][3]}


KIND = Lineage()
