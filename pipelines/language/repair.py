"""Faulty fields made whole, so that one mistake hides no other.

A mistake is told where it stands. Then its place takes the word that was probably meant, or a value
of which nothing is known, and the step is judged on as if it had been right there. What would be
wrong with such a stand-in is not told: see :meth:`Report.blames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.language.acceptance import accepts
from pipelines.language.conform import below, select
from pipelines.language.diagnostics import nearest
from pipelines.language.schema import definition_schema, resolve_ref, step_schema
from steps import all_fields
from steps._contract import Kind, Short
from steps._expressions import UNKNOWN, Path, is_expression

NOWHERE = "s3://unknown/unknown"
"""Stands for a place of what is missing or wrong, which was told."""


@dataclass
class Repair:
    """Makes the fields of one step whole.

    Args:
        kind: the step's kind.
        turn: which of its options a word takes that nothing hints at and other fields may depend
            on, such as which check a check step makes.
        touched: where stand-ins are, from the step down.
        turns: how many turns it takes to see every option of such words; 1 where there are none.
        decisive: whether such a word must be known when the definition is compiled: then the
            request can't be built.
    """

    kind: Kind
    turn: int = 0
    touched: set[Path] = field(default_factory=set)
    turns: int = 1
    decisive: bool = False

    def fields(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a step's fields, those that fit as they are; expressions may stand in them."""
        fields = all_fields(self.kind)
        shorts = {name: each.short for name, each in fields.items() if each.short is not None}
        return self._map(dict(given), step_schema(self.kind.name), Short(members=shorts), ())

    def field(self, name: str) -> Any:
        """Return a stand-in for one field of the step."""
        field = all_fields(self.kind)[name]
        return self._stand_in(field.schema, field.short or Short(), False)

    def _made(self, value: Any, schema: Any, short: Short, path: Path, literal: bool) -> Any:
        schema, value = resolve_ref(schema), _long(value, short)
        known = not is_expression(value)
        sample = value if known else "${x}"
        chosen = select(schema, sample)
        literal = literal or "x-literal" in schema or "x-literal" in chosen
        if isinstance(value, dict) and chosen.get("type") == "object":
            return self._map(value, chosen, short, path, literal)
        if isinstance(value, list) and chosen.get("type") == "array":
            items = chosen.get("items", {})
            return [
                self._made(item, items, Short(), (*path, index), literal)
                for index, item in enumerate(value)
            ]
        if accepts(sample, schema, definition_schema()) and (known or not literal):
            return value
        self.touched.add(path)
        options = chosen.get("x-choice", chosen.get("enum", ()))
        meant = nearest(value, options) if isinstance(value, str) else ""
        return meant or self._stand_in(schema, short, literal)

    def _map(
        self, value: dict[str, Any], schema: Any, short: Short, path: Path, literal: bool = False
    ) -> dict[str, Any]:
        known = schema.get("properties", {})
        closed = schema.get("additionalProperties", True) is False
        made = {}
        for name, item in value.items():
            if closed and name not in known:
                # A key that is misspelt stands for what it was meant to be.
                name = nearest(str(name), [each for each in known if each not in value])
                if not name:
                    if not path:
                        # It stands for a field that is not there, and nobody knows which.
                        absent = self.kind.fields.keys() - value.keys()
                        self.touched.update((each,) for each in absent)
                    continue
                self.touched.add((*path, name))
            inner = (*path, name)
            made[name] = self._made(item, below(schema, name), _below(short, name), inner, literal)
        for name in schema.get("required", ()):
            if name not in made:
                self.touched.add((*path, name))
                made[name] = self._stand_in(below(schema, name), _below(short, name), literal)
        return made

    def _stand_in(self, schema: Any, short: Short, literal: bool) -> Any:
        """Return a value that fits a schema and says as little as possible."""
        schema = resolve_ref(schema)
        literal = literal or "x-literal" in schema
        options = [resolve_ref(option) for option in schema.get("anyOf", [schema])]
        long = [o for o in options if o.get("type") == "object"] if short != Short() else []
        form = [*long, *options][0]
        wanted = form.get("type", "string")
        if wanted == "object":
            return {
                name: self._stand_in(below(form, name), _below(short, name), literal)
                for name in form.get("required", ())
            }
        if wanted == "array":
            return [self._stand_in(form["items"], Short(), literal)] * form.get("minItems", 0)
        literal = literal or "x-literal" in form
        if "x-choice" in form:
            words: list[str] = form["x-choice"]
            self.turns = max(self.turns, len(words))
            self.decisive = self.decisive or literal
            return words[self.turn % len(words)]
        if not literal:
            return UNKNOWN
        known = [form["const"]] if "const" in form else form.get("enum", form.get("examples", ()))
        return [*known, *schema.get("examples", ())][0]


def _long(value: Any, short: Short) -> Any:
    """Return a value in long form, where a misspelt key has kept it from becoming long."""
    if short.names and isinstance(value, list):
        return {name: {} for name in value if isinstance(name, str)}
    if isinstance(value, dict) or (isinstance(value, list) and not short.lists):
        return value
    if value is None and (short.key or short.paths):
        return {}
    if short.paths and isinstance(value, str) and value.startswith("/"):
        return {short.paths: value}
    return {short.key: value} if short.key else value


def _below(short: Short, name: str) -> Short:
    """Return how a member's short form becomes long."""
    return short.members.get(name) or short.each or Short()
