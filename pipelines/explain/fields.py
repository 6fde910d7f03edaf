"""Pages about one field: of a step kind, or of the top level."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.explain import schemas
from pipelines.explain.document import Block, Code, Document, Heading, Table, Text
from pipelines.explain.notes import ENVIRONMENTS_EXAMPLE, TOP_NOTES
from pipelines.explain.origins import api_field
from pipelines.explain.schemas import Place
from pipelines.explain.yaml_text import flow
from pipelines.language.schema import ENVIRONMENT, TOP
from steps import all_fields
from steps._contract import Field, Kind, Short
from steps._every_step import COMMON, TAIL

CREATE_PIPELINE = "CreatePipeline"


def default_of(name: str, field: Field, kind: Kind | None) -> str:
    """Return what stands where the field is not written."""
    if kind is not None and name in kind.inherits:
        *others, last = kind.inherits[name]
        givers = f"{', '.join(others)} or {last}" if others else last
        return f"that of the {givers} step in `model`"
    return field.default


def requirement(name: str, field: Field, kind: Kind) -> str:
    """Return ``required``, or the default."""
    if name == "type" or name in kind.required:
        return "required"
    return default_of(name, field, kind)


def field_page(kind: Kind | None, place: Place, field: Field, *, aws: bool = True) -> Document:
    """Return the page of a field.

    Args:
        kind: the step kind; None for a key of the top level.
        place: the field, or what is inside it.
        field: the field that the place is in.
        aws: look up what AWS writes about the API's field; it changes with botocore.
    """
    dotted = ".".join((kind.name, *place.words) if kind else place.words)
    schema = place.schema
    blocks: list[Block] = [Table((), tuple(_facts(kind, place, field, aws)))]
    if len(place.words) == 1:
        if kind is None and place.words[0] in TOP_NOTES:
            blocks.append(Text(TOP_NOTES[place.words[0]]))
        blocks += _short_form(place, field)
    blocks += _examples(place)
    inner = schemas.inside(place)
    if kind is None and place.words == ("environments",):
        blocks += _environments()
    elif inner and not (kind is None and place.words == ("defaults",)):
        first = next(iter(inner))
        blocks += [
            Heading("Inside"),
            _inside(inner),
            Text(f"`sagedag explain {dotted}.{first}` goes on."),
        ]
    label = "field" if kind else "key of the top level"
    if len(place.words) > 1:
        label = "field"
    return Document(dotted, label, schemas.description(schema), tuple(blocks))


def _environments() -> list[Block]:
    """Return the keys that an environment has in its own file."""
    rows = tuple(
        (f"`{name}`", schemas.type_words(schema), schemas.description(schema))
        for name, schema in ENVIRONMENT.items()
    )
    return [
        Heading("An environment in environments.yaml"),
        Code(ENVIRONMENTS_EXAMPLE),
        Table(("key", "type", "what it is"), rows),
    ]


def _inside(inner: Mapping[str, Place]) -> Table:
    """Return the fields of a block; where some are required, a column says which."""
    some = any(place.required for place in inner.values())
    rows = []
    for name, place in inner.items():
        need = ("required" if place.required else "",) if some else ()
        words, about = schemas.type_words(place.schema), schemas.description(place.schema)
        rows.append((f"`{name}`", words, *need, about))
    head = ("field", "type", "required", "what it is") if some else ("field", "type", "what it is")
    return Table(head, tuple(rows))


def _facts(kind: Kind | None, place: Place, field: Field, aws: bool) -> list[tuple[str, str]]:
    schema = place.schema
    top = len(place.words) == 1
    facts = [("Type", schemas.type_words(schema))]
    needed = place.required or (
        top and kind is not None and (place.words[0] == "type" or place.words[0] in kind.required)
    )
    if needed:
        where = "; `defaults` may give it" if kind and top and place.words[0] != "type" else ""
        facts.append(("Required", f"yes{where}"))
    facts.append(("Default", default_of(place.words[0], field, kind) if top else ""))
    facts.append(("Allowed", schemas.allowed(schema)))
    facts.append(("Limits", schemas.limits(schema)))
    facts.append(("References", _references(kind, place)))
    if top and field.replace:
        facts.append(("Merging", "a higher layer replaces the whole value"))
    facts += _api_facts(kind, place, field, aws)
    return [(name, text) for name, text in facts if text]


def _references(kind: Kind | None, place: Place) -> str:
    """Say whether references may stand here; nothing where only a block can stand."""
    if not schemas.may_be_scalar(place.schema):
        return ""
    if place.literal or (kind is None and place.words[0] != "experiment"):
        return "none, only templates: the value must be known when compiling"
    return "`${…}` and templates"


def _short_form(place: Place, field: Field) -> list[Block]:
    line = _short_line(place.words[0], field.short) if field.short else ""
    return [Heading("Short form"), Code(line)] if line else []


def _short_line(name: str, short: Short) -> str:
    pairs: list[tuple[str, str]] = []
    if short.key:
        pairs.append(("VALUE", f"{{{short.key}: VALUE}}"))
    if short.names:
        pairs.append(("[A, B]", "{A: {}, B: {}}"))
    if short.each is not None and short.each.paths:
        pairs.append(("{A: /PATH}", f"{{A: {{{short.each.paths}: /PATH}}}}"))
    if short.each is not None and short.each.key:
        pairs.append(("{A: VALUE}", f"{{A: {{{short.each.key}: VALUE}}}}"))
    wide = max((len(first) for first, _ in pairs), default=0)
    return "\n".join(f"{name}: {first:<{wide}}  # means {name}: {long}" for first, long in pairs)


def _examples(place: Place) -> list[Block]:
    found = schemas.examples(place.schema)
    if not found:
        return []
    name = place.words[-1]
    lines = "\n".join(f"{name}: {flow(value)}" for value in found)
    return [Heading("Examples" if len(found) > 1 else "Example"), Code(lines)]


# --- The API --------------------------------------------------------------------------------------


def _api_facts(kind: Kind | None, place: Place, field: Field, aws: bool) -> list[tuple[str, str]]:
    operation, dotted = api_of(kind, place, field)
    if not dotted:
        return []
    if not operation:
        return [("Becomes", f"`{dotted}` of the step in the definition JSON")]
    facts = [("Becomes", f"`{dotted}` of {operation}")]
    if aws:
        facts.append(("AWS says", _sentence(operation, dotted)))
    return facts


def api_of(kind: Kind | None, place: Place, field: Field) -> tuple[str, str]:
    """Return the API call and its member that a place becomes.

    The call is empty for what stands in the step's own object in the definition JSON, the member
    for what becomes no single one.
    """
    name = place.words[0]
    whole = len(place.words) == 1
    if kind is None:
        known = whole and _is_member(CREATE_PIPELINE, field.api)
        return (CREATE_PIPELINE, field.api) if known else ("", "")
    if name in COMMON or name in TAIL:
        return "", field.api if whole and name != "request" else ""
    if kind.parts:
        return "", f"Arguments.{field.api}" if whole and field.api else ""
    found = api_field(kind, place)
    if found and _is_member(kind.operation, found):
        return kind.operation, found
    if whole and field.api and kind.operation and _is_member(kind.operation, field.api):
        return kind.operation, field.api
    return "", field.api if whole and not found and "." not in field.api else ""


def _is_member(operation: str, dotted: str) -> bool:
    """Whether a dotted path leads to a member of the call's request."""
    if not operation or not dotted:
        return False
    from pipelines.service.shapes import UnknownMember, input_shape, property_type

    try:
        property_type(input_shape(operation), path_of(dotted))
    except UnknownMember:
        return False
    return True


def path_of(dotted: str) -> list[str | int]:
    """Return the path of an API field: ``A[].B`` is A, 0, B."""
    path: list[str | int] = []
    for member in dotted.split("."):
        path.append(member.removesuffix("[]"))
        if member.endswith("[]"):
            path.append(0)
    return path


def _sentence(operation: str, dotted: str) -> str:
    """Return AWS's first sentence about an API field; botocore's model is read here alone."""
    from pipelines.service.shapes import documentation

    path = path_of(dotted)
    while path and path[-1] == 0:
        path.pop()
    return documentation(operation, path)


def fields_of(kind: Kind) -> tuple[Mapping[str, Field], Mapping[str, Field]]:
    """Return a kind's own fields and those of every step that it has."""
    everything = all_fields(kind)
    own = {name: field for name, field in everything.items() if name in kind.fields}
    common = {name: field for name, field in everything.items() if name not in kind.fields}
    return own, common


def field_named(kind: Kind | None, name: str) -> Field | None:
    """Return a field of a kind, or a key of the top level."""
    return (TOP if kind is None else all_fields(kind)).get(name)
