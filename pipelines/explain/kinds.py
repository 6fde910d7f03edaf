"""The page of a step kind: all that is needed to write a step of it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.explain import schemas
from pipelines.explain.document import Block, Code, Document, Heading, Table, Text
from pipelines.explain.fields import fields_of, requirement
from pipelines.explain.references import offered
from steps._contract import Field, Kind
from steps._shared_fields import RETRY_REASONS

COLUMNS = ("field", "type", "default", "what it is")


def kind_page(kind: Kind) -> Document:
    """Return the page of a step kind."""
    own, common = fields_of(kind)
    blocks: list[Block] = [
        *([Text(kind.about)] if kind.about else []),
        Heading("Example"),
        Code(kind.example),
        Heading("Fields"),
        Table(COLUMNS, _rows(kind, own)),
        Heading("Fields of every step"),
        Table(COLUMNS, _rows(kind, common)),
        Heading("What others can refer to"),
        *_references(kind),
        Heading("Caching and retries"),
        Text(_caching(kind)),
        *([] if kind.part_suffixes else [Text(_retries(kind))]),
    ]
    if kind.refused:
        rows = tuple((f"`{name}`", _why(reason)) for name, reason in kind.refused.items())
        blocks += [
            Heading("What can't be set in a pipeline"),
            Table(("field under `request`", "why"), rows),
        ]
    blocks += [Heading("More"), Text(_more(kind, own))]
    return Document(kind.name, "step kind", kind.summary, tuple(blocks))


def _rows(kind: Kind, fields: Mapping[str, Field]) -> tuple[tuple[str, ...], ...]:
    ordered = sorted(fields.items(), key=lambda pair: pair[0] not in ("type", *kind.required))
    return tuple(
        (
            f"`{name}`",
            schemas.type_words(field.schema),
            requirement(name, field, kind),
            schemas.description(field.schema),
        )
        for name, field in ordered
    )


def _references(kind: Kind) -> list[Block]:
    rows = offered(kind)
    if kind.part_suffixes:
        names = " and ".join(f"`NAME{suffix}`" for suffix in kind.part_suffixes)
        return [Text(f"The steps that it becomes, {names}, and what each of them has.")]
    if not rows:
        return [Text(f"A {kind.name} step has no values that others could use.")]
    return [Table(("reference", "gives"), tuple(rows))]


def _caching(kind: Kind) -> str:
    if kind.cacheable:
        return (
            "The service can take the result of an earlier, equal step instead of running this "
            "one: `cache: 30d` (see `sagedag explain " + kind.name + ".cache`)."
        )
    if kind.part_suffixes:
        return "`cache` and `retry` are fields of the steps that it becomes."
    return f"The service does not cache {kind.name} steps."


def _retries(kind: Kind) -> str:
    if not kind.retries:
        return f"The service does not retry {kind.name} steps."
    known = ", ".join(f"`{name}`" for name in RETRY_REASONS if name in kind.retries)
    return f"It can retry them, where `retry` says so, on {known}."


def _why(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _more(kind: Kind, own: Mapping[str, Field]) -> str:
    field = next((name for name in kind.required if name in own), next(iter(own)))
    text = f"`sagedag explain {kind.name}.{field}` explains a field, with what is inside it."
    if kind.operation:
        text += (
            f" The step calls {kind.operation}; what the fields above do not say goes under "
            "`request`, in the API's own names, and is checked against the API's model."
        )
    return text
