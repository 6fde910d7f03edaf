"""Steps of a definition on their way into the language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from steps._contract import Kind


@dataclass(frozen=True)
class Note:
    """Something the reader must know about what was imported.

    Args:
        pointer: a JSON pointer into the definition.
        message: one sentence without a full stop at the end.
        lost: the imported definition does not say it.
    """

    pointer: str
    message: str
    lost: bool = False


@dataclass
class Draft:
    """A step in the language's fields, expressions not yet written.

    Args:
        name: its name.
        given: its object in the definition.
        pointer: where that stands.
        kind: the kind it is written as.
        head: what every step begins with: display_name, description, depends_on.
        fields: the kind's fields, in long form.
        tail: cache, retry.
        request, step_fields: what no field says.
        condition: a Condition's ``Conditions``.
        then, otherwise, body: the steps inside.
        comments: lines that stand above the step.
    """

    name: str
    given: Mapping[str, Any]
    pointer: str
    kind: Kind
    head: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    tail: dict[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    step_fields: dict[str, Any] = field(default_factory=dict)
    condition: Any = None
    then: list[Draft] = field(default_factory=list)
    otherwise: list[Draft] = field(default_factory=list)
    body: list[Draft] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def is_raw(self) -> bool:
        """Whether it is written as it stands in the definition."""
        return self.kind.name == "Raw"


def walk(drafts: list[Draft]) -> Iterator[Draft]:
    """Yield the drafts and those inside them, in order."""
    for draft in drafts:
        yield draft
        for inner in (draft.then, draft.otherwise, draft.body):
            yield from walk(inner)
