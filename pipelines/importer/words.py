"""Values in the language's words: expressions as ``${…}``, plain text with its signs escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.compiler import as_json
from pipelines.definition.normal_values import Values, sort_key
from pipelines.definition.references import PathSyntaxError, parse_path
from pipelines.language.reference_syntax import Wrong
from pipelines.language.reference_syntax import parse_path as parse_reference
from pipelines.language.references import EXECUTION
from steps._contract import Attribute, Kind, Step
from steps._expressions import (
    ExecutionRef,
    Expr,
    Join,
    JsonGet,
    LoopRef,
    ParameterRef,
    PropertyRef,
    expressions_in,
    is_expression,
)

TOP_RANKS = 50
"""As many models of a tuning job as references can name."""

VARIABLE = "\ufdd8{}\ufdd9"
"""Stands in an imported text for `{{ vars.NAME }}`; no text from outside may hold these signs."""
_VARIABLE = re.compile("\ufdd8(\\w+)\ufdd9")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_EXECUTION = {variable: name for name, variable in EXECUTION.items()}


class NoWords(Exception):
    """A value that the language can't say; the message names it."""


class Verbatim(dict[str, Any]):
    """An expression of the definition JSON that is written out as it stands there."""


@dataclass(frozen=True)
class Target:
    """A step that references can name.

    Args:
        kind: its kind in the language.
        step: its name and its fields in long form.
        selected: of a ForEach: the step whose value picks a round.
    """

    kind: Kind
    step: Step
    selected: str = ""


@dataclass
class Words:
    """Writes values of a definition in the language's words.

    Args:
        targets: the definition's steps by name.
        assets: files and folders beside the definition, by the URIs that they stand for.
    """

    targets: Mapping[str, Target]
    assets: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, dict[str, str]] = field(default_factory=dict)

    def write(self, value: Any, *, raw: bool = False) -> Any:
        """Return plain data: expressions as text, signs of the language escaped.

        Args:
            raw: what the language can't say may be written as the definition JSON does.

        Raises:
            NoWords: there is no way to say it.
        """
        if isinstance(value, Join):
            return self._join(value, raw=raw)
        if is_expression(value):
            try:
                return "${" + self.reference(value) + "}"
            except NoWords:
                if raw:
                    return Verbatim(as_json(value))
                raise
        if isinstance(value, Mapping):
            return {escape(str(name)): self.write(item, raw=raw) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.write(item, raw=raw) for item in value]
        if type(value) is not str:
            return value
        asset = self.assets.get(value)
        return escape(value) if asset is None else f"{{{{ asset('{asset}') }}}}"

    def _join(self, join: Join, *, raw: bool) -> Any:
        for step in {part.step for part in expressions_in(join) if isinstance(part, PropertyRef)}:
            target = self.targets.get(step)
            known = self._attributes(step, target).get(_key(join)) if target else None
            if known is not None:
                return "${" + _below("steps", step) + known + "}"
        flat = flatten(join)
        expressions = [part for part in flat if is_expression(part)]
        if not expressions:
            return escape("".join(flat))
        if len(flat) == 1 and raw and getattr(flat[0], "type", "") != "string":
            # Written as `${…}` alone it would not be a text any more.
            return Verbatim({"Std:Join": {"On": "", "Values": [self.write(flat[0], raw=True)]}})
        return "".join(
            "${" + self.reference(part) + "}" if is_expression(part) else escape(part)
            for part in flat
        )

    def reference(self, value: Expr) -> str:
        """Return the reference, without ``${}``, that means an expression.

        Raises:
            NoWords: no reference does.
        """
        text = self._reference(value)
        if text is None or (
            not text.startswith("json(") and isinstance(parse_reference(text), Wrong)
        ):
            raise NoWords(f"no reference can say `{sort_key(as_json(value))[:200]}`")
        return text

    def _reference(self, value: Expr) -> str | None:
        if isinstance(value, ParameterRef):
            return _below("parameters", value.name)
        if isinstance(value, ExecutionRef):
            return f"execution.{_EXECUTION[value.name]}"
        if isinstance(value, JsonGet):
            return self._file_value(value)
        if isinstance(value, LoopRef):
            return self._loop_value(value.text)
        return self._property(value) if isinstance(value, PropertyRef) else None

    def _file_value(self, value: JsonGet) -> str | None:
        target = self.targets.get(value.step)
        try:
            path = parse_path(value.path)
        except PathSyntaxError:
            return None
        if value.uri is not None:
            uri = str(self.write(value.uri))
            quote = next((sign for sign in "'\"" if sign not in uri), "")
            return _below(f"json({quote}{uri}{quote})", *path) if quote else None
        if target is None:
            return None
        return _below(f"{_below('steps', value.step)}.files", value.file, *path)

    def _loop_value(self, text: str) -> str | None:
        if text.startswith("ForEach.CurrentItem"):
            return "item" + text.removeprefix("ForEach.CurrentItem").replace('["', "['").replace(
                '"]', "']"
            )
        name, _, rest = text.removeprefix("IterationOutput.").partition(".")
        from pipelines.importer.lifting import Lifter

        lifted = Lifter().lift({"Get": f"Steps.{name}.{rest}"})
        return self._property(lifted) if isinstance(lifted, PropertyRef) else None

    def _property(self, value: PropertyRef) -> str | None:
        target = self.targets.get(value.step)
        here = _below("steps", value.step)
        if target is None:
            return None
        known = self._attributes(value.step, target).get(_key(value))
        if known is not None:
            return f"{here}{known}"
        for word in _open_words(target):
            found = target.kind.attribute(target.step, (word, *value.path[1:]))
            if isinstance(found, Attribute) and _key(found.expression) == _key(value):
                return _below(f"{here}.{word}", *value.path[1:])
        if "steps" in target.kind.fields:
            inner = self._round(value, target)
            if inner is not None:
                return f"{here}{inner}"
        return _below(f"{here}.properties", *_keys(value, plain=target.kind.name != "Raw"))

    def _round(self, value: PropertyRef, target: Target) -> str | None:
        """Return what follows a ForEach's name for a value of one round."""
        path = value.path
        if path[0] == "Selected" and target.selected and len(path) > 1:
            body, start, prefix = target.selected, 1, ".selected"
        elif path[0] == "IterationOutputs" and len(path) > 3 and isinstance(path[1], int):
            body, start = str(path[2]), 3
            prefix = _below(f".iterations[{path[1]}]", body)
        else:
            return None
        keyed = frozenset(place - start for place in value.keyed if place >= start)
        inner = self._property(PropertyRef(body, path[start:], keyed))
        return None if inner is None else prefix + inner.removeprefix(_below("steps", body))

    def _attributes(self, name: str, target: Target) -> dict[str, str]:
        """Return what the language's own words for a step's values mean, the other way round."""
        if name not in self._known:
            made: dict[str, str] = {}
            for words in _offered(target):
                found = target.kind.attribute(target.step, words)
                if isinstance(found, Attribute) and not found.rest:
                    made.setdefault(_key(found.expression), _below("", *words))
            self._known[name] = made
        return self._known[name]


def _open_words(target: Target) -> list[str]:
    """Return the words below which a step offers anything, properties excepted."""
    if target.kind.name == "Raw":
        return []
    offered = target.kind.attributes(target.step)
    return [w for w, names in offered.items() if names is None and w in ("config", "result")]


def _key(value: Expr) -> str:
    return sort_key(Values({}).normal(as_json(value)))


def _offered(target: Target) -> list[tuple[str | int, ...]]:
    if target.kind.name == "Raw":
        return []
    found: list[tuple[str | int, ...]] = []
    for word, names in target.kind.attributes(target.step).items():
        if word == "models":
            found += [(word, rank) for rank in range(TOP_RANKS)]
        elif word not in ("properties", "files", "iterations", "selected", "config", "result"):
            found += [(word, name) for name in names] if names else [(word,)]
    return found


def _keys(value: PropertyRef, *, plain: bool) -> Sequence[str | int]:
    """Return a path's segments; keys of a raw step keep their quotes."""
    if plain:
        return value.path
    return [
        _Quoted(part) if place in value.keyed and isinstance(part, str) else part
        for place, part in enumerate(value.path)
    ]


class _Quoted(str):
    """A segment that is written as a quoted key even where it is a plain word."""


def _below(base: str, *segments: str | int) -> str:
    written = base
    for segment in segments:
        if isinstance(segment, int):
            written += f"[{segment}]"
        elif _WORD.fullmatch(segment) and not isinstance(segment, _Quoted):
            written += f".{segment}"
        else:
            written += f"['{segment}']"
    return written


def flatten(join: Join) -> list[Any]:
    """Return a join's parts, separators put in: texts and expressions that are no joins."""
    parts: list[Any] = []
    for number, value in enumerate(join.values):
        if number and join.on:
            parts.append(join.on)
        parts += flatten(value) if isinstance(value, Join) else [value]
    made: list[Any] = []
    for part in parts:
        if is_expression(part):
            made.append(part)
            continue
        text = as_literal(part)
        if made and isinstance(made[-1], str):
            made[-1] += text
        elif text:
            made.append(text)
    return made or [""]


def as_literal(value: Any) -> str:
    """Return a plain value as the text that a join makes of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def escape(text: str) -> str:
    """Return plain text so that the language reads neither a template nor a reference in it."""
    if "${" in text:
        text = text.replace("${", "$${")
    return escape_templates(text)


def escape_templates(text: str) -> str:
    """Return text in which ``{{`` is no template."""
    if "{{" in text:
        text = text.replace("{{", "{{ '{{' }}")
    return _VARIABLE.sub(r"{{ vars.\1 }}", text) if "\ufdd8" in text else text


def with_values(value: Any, variables: Mapping[str, str]) -> Any:
    """Return data in which variables have their values."""
    if not variables:
        return value
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: variables.get(found[1], ""), value)
    if isinstance(value, Mapping):
        return {with_values(str(k), variables): with_values(v, variables) for k, v in value.items()}
    return [with_values(v, variables) for v in value] if isinstance(value, list) else value
