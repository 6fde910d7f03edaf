"""Validation against the schema, with its errors in the language's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from pipelines.language.acceptance import accepts
from pipelines.language.diagnostics import as_clause, in_words, nearest, suggest
from pipelines.language.handlers_schema import SCHEMA as HANDLERS_SCHEMA
from pipelines.language.schema import (
    definition_schema,
    environments_schema,
    resolve_ref,
    step_schema,
    top_schema,
)
from steps import KINDS, all_fields
from steps._contract import Problem
from steps._expressions import Path
from steps._fragments import LATER

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_NAMES = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or "
    "false", "array": "a list", "object": "a map", "null": "nothing",
}  # fmt: skip


MOST_PATTERN = 40
"""A longer pattern tells nobody anything."""

MOST_NAMED = 14
"""So many kinds that have a field are all named where another kind lacks it."""


@lru_cache(maxsize=2)
def _root(which: str) -> Any:
    from jsonschema import Draft7Validator

    schema = definition_schema() if which == "definition" else environments_schema()
    return Draft7Validator(schema)


def problems_of_top(data: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a definition's top level; the steps are judged one by one."""
    rest = {name: value for name, value in data.items() if name != "steps"}
    if not isinstance(data.get("steps", {}), dict):
        rest["steps"] = data["steps"]
    yield from _judged(rest, "definition", top_schema())


def is_whole(data: dict[str, Any], kind: str) -> bool:
    """Whether a step of a known kind certainly has nothing to be mended."""
    return accepts(_without_branches(data), step_schema(kind), definition_schema())


def problems_of_step(data: dict[str, Any], kind: str) -> Iterator[Problem]:
    """Yield what is wrong with a step of a known kind; its branches are judged on their own."""
    yield from _judged(_without_branches(data), "definition", step_schema(kind))


def _without_branches(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {} if name in ("then", "else", "steps") and isinstance(value, dict) else value
        for name, value in data.items()
    }


def problems_of_environments(data: Any) -> Iterator[Problem]:
    """Yield what is wrong with an environments file."""
    yield from _judged(data, "environments", environments_schema())


def problems_of_handlers(data: Any) -> Iterator[Problem]:
    """Yield what is wrong with a handlers file."""
    yield from _judged(data, "environments", HANDLERS_SCHEMA)


def _judged(data: Any, root: str, schema: Any) -> Iterator[Problem]:
    if not accepts(data, schema, definition_schema()):
        yield from _translate(_root(root).evolve(schema=schema), data, ())


def _translate(validator: Any, instance: Any, base: Path) -> Iterator[Problem]:
    found = [
        problem
        for error in validator.iter_errors(instance)
        for problem in _problem(validator, error, (*base, *error.absolute_path))
    ]
    # A key that is only misspelt is not missing as well.
    meant = {(p.path[:-1], p.hint) for p in found if p.code == "unknown-key"}
    for problem in found:
        name = problem.message.removeprefix("missing key ")
        if problem.code != "missing-key" or (problem.path, f"did you mean {name}?") not in meant:
            yield problem


def _problem(validator: Any, error: ValidationError, path: Path) -> Iterator[Problem]:
    rule, value = error.validator, error.instance
    wanted: Any = error.validator_value
    if rule == "additionalProperties":
        yield from _unknown_keys(error, path)
    elif rule == "required":
        name = next((n for n in wanted if f"{n!r}" in error.message), wanted[0])
        yield Problem(
            "missing-key", path, f"missing key `{name}`", _about(error, name), at_key=True
        )
    elif rule == "anyOf":
        option = option_for(error.schema, value)
        if option is None:
            kinds = [resolve_ref(each).get("type") for each in wanted]
            yield _wrong_type(path, kinds, value, error.schema)
        else:
            yield from _translate(validator.evolve(schema=option), value, path)
    elif rule == "type":
        kinds = wanted if isinstance(wanted, list) else [wanted]
        yield _wrong_type(path, kinds, value, error.schema)
    elif rule in ("enum", "const"):
        yield _not_a_choice(error, path)
    else:
        yield _limit(error, path)


def _not_a_choice(error: ValidationError, path: Path) -> Problem:
    wanted: Any = error.validator_value
    options = [_word(each) for each in (wanted if error.validator == "enum" else [wanted])]
    value = _word(error.instance)
    if len(options) > 1:
        message = f"`{_short(value)}` is not one of {', '.join(options)}"
        return Problem("bad-value", path, message, suggest(value, options))
    return Problem("bad-value", path, f"`{_short(value)}` can't stand here, only `{options[0]}`")


def _word(value: Any) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown_keys(error: ValidationError, path: Path) -> Iterator[Problem]:
    schema: Any = error.schema
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in cast(Any, error.instance):
        if name in known or any(name.startswith(p.lstrip("^")) for p in patterns):
            continue
        if error.validator_value is False:
            yield Problem(
                "unknown-key",
                (*path, name),
                f"unknown key `{_short(name)}`",
                _key_hint(str(name), known),
                at_key=True,
            )


def _key_hint(name: str, known: dict[str, Any]) -> str:
    near = nearest(name, known)
    if near:
        return f"did you mean `{near}`?"
    api = _api_names().get(name)
    if api and api in known:
        return f"`{name}` is the API's name; here it is `{api}`"
    if "request" in known and name[:1].isupper():
        return "fields in the API's own names go under `request`"
    others = [kind.name for kind in KINDS if name in all_fields(kind)]
    if "depends_on" in known and 0 < len(others) <= MOST_NAMED:
        return f"it is a field of {in_words(others, 'and')} steps"
    if "depends_on" in known and len(others) < len(KINDS) and others:
        shown = [*others[:3], f"{len(others) - 3} more kinds"]
        return f"it is a field of {in_words(shown, 'and')}, not of this one"
    if len(known) <= 12:
        return "there is " + ", ".join(f"`{each}`" for each in known)
    return ""


@lru_cache(maxsize=1)
def _api_names() -> dict[str, str]:
    """Return our field for the last part of every API field that one maps to."""
    return {
        field.api.rstrip("[]").rsplit(".", 1)[-1]: name
        for kind in KINDS
        for name, field in all_fields(kind).items()
        if field.api
    }


def _wrong_type(path: Path, wanted: list[Any], value: Any, schema: Any) -> Problem:
    names: list[str] = []
    for each in wanted:
        for one in each if isinstance(each, list) else [each]:
            if one in _NAMES and _NAMES[one] not in names and one != "null":
                names.append(_NAMES[one])
    expected = in_words(names, "or") or "something else"
    hint = _type_hint(wanted, value) or _shape_of(wanted, schema)
    return Problem("wrong-type", path, f"expected {expected}, got {describe(value)}", hint)


def _shape_of(wanted: list[Any], schema: Any) -> str:
    """Return how a map begins that is wanted, by its keys."""
    if "object" not in wanted:
        return ""
    options = [resolve_ref(option) for option in schema.get("anyOf", [schema])]
    maps = [option for option in options if option.get("type") == "object"]
    form: dict[str, Any] = maps[0] if maps else {}
    example = next((each for each in form.get("examples", ()) if isinstance(each, dict)), {})
    names = form.get("required") or list(example)
    return f"such as `{{{', '.join(f'{name}: …' for name in names[:3])}}}`" if names else ""


def _type_hint(wanted: list[Any], value: Any) -> str:
    if "string" in wanted and isinstance(value, bool):
        return f'write "{str(value).lower()}" in quotes for the text'
    amount = re.fullmatch(r"([0-9]+) *[A-Za-z]+", value) if isinstance(value, str) else None
    if amount and {"integer", "number"} & {each for each in wanted if isinstance(each, str)}:
        return f"write the number alone: {amount[1]}"
    if "array" in wanted and isinstance(value, str):
        return f"write it as a list: [{_short(value)}]"
    if value in ("yes", "no", "on", "off") and "boolean" in wanted:
        return f"write {'true' if value in ('yes', 'on') else 'false'}; this is YAML 1.2"
    return ""


def describe(value: Any) -> str:
    """Return a value as a message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, (int, float)):
        return f"the number {getattr(value, 'text', value)}"
    return f'the text "{_short(value)}"'


def _limit(error: ValidationError, path: Path) -> Problem:
    rule, value = str(error.validator), error.instance
    wanted: Any = error.validator_value
    count = f"{len(value):,}" if isinstance(value, (str, list, dict)) else ""
    texts = {
        "minimum": f"{_short(value)} is less than {wanted}",
        "maximum": f"{_short(value)} is more than {wanted}",
        "minItems": f"the list needs at least {wanted} {'item' if wanted == 1 else 'items'}",
        "maxItems": f"the list has {count} items; at most {wanted} are allowed",
        "maxProperties": f"the map has {count} entries; at most {wanted} are allowed",
        "maxLength": f"the text has {count} characters; at most {wanted} are allowed",
        "minLength": "the text is empty",
        "pattern": f"`{_short(value)}` does not have the form "
        + (str(wanted) if len(str(wanted)) <= MOST_PATTERN else "that is wanted here"),
    }
    code = {
        "pattern": "bad-value",
        "minimum": "bad-value",
        "maximum": "bad-value",
        "minItems": "bad-value",
        "maxLength": "too-long",
        "minLength": "bad-value",
    }.get(rule, "too-many")
    if "propertyNames" in error.absolute_schema_path:
        return Problem(
            "bad-name",
            (*path, str(value)),
            f"`{_short(value)}` can't be a name here",
            as_clause(str(cast(Any, error.schema).get("description", f"it must match {wanted}"))),
            at_key=True,
        )
    return Problem(
        code,
        path,
        texts.get(rule, error.message),
        _form(error.schema) if rule == "pattern" else "",
        at_key=rule in ("maxProperties", "maxItems"),
    )


def _form(schema: Any) -> str:
    """Return what a text of a certain form is, with an example."""
    about = as_clause(str(schema.get("description", "")))
    example = next((each for each in schema.get("examples", ()) if isinstance(each, str)), "")
    return f"{about}, such as `{example}`" if about and example else about


def _about(error: ValidationError, name: str) -> str:
    schema: Any = error.schema
    properties = schema.get("properties", {})
    about = str(resolve_ref(properties.get(name, {})).get("description", ""))
    return as_clause(about)


def _short(value: Any, most: int = 60) -> str:
    text = str(getattr(value, "text", value))
    return text if len(text) <= most else text[: most - 1] + "…"


def option_for(schema: Any, value: Any) -> Any | None:
    """Return the form of an ``anyOf`` that a value is meant to have, told by the value's type."""
    options = [resolve_ref(option) for option in schema.get("anyOf", [])]
    kind = kind_of(value)
    for option in options:
        types = option.get("type")
        types = types if isinstance(types, list) else [types]
        if option in LATER.values() and not re.search(option["pattern"], str(value)):
            continue  # a text that is neither a reference nor a template is no number to come
        if kind in types or (kind == "integer" and "number" in types):
            return option
    if kind in ("integer", "number"):
        numeric = [o for o in options if o.get("type") in ("integer", "number", "string")]
        return numeric[0] if numeric else None
    if kind == "string":
        # A text where a number or a boolean is wanted.
        plain = [o for o in options if o.get("type") in ("integer", "number", "boolean")]
        return plain[0] if plain else None
    return None


def kind_of(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else "string"
