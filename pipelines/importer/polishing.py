"""Fields as people write them: options, numbers, words, and images by their framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.compiler import as_json
from pipelines.importer.beside import Beside
from pipelines.importer.building import Wanted, build
from pipelines.importer.context import Comparing
from pipelines.importer.problems import problems_of
from pipelines.importer.reading import as_number
from pipelines.language.schema import resolve_ref
from steps._contract import Kind
from steps._expressions import Path
from steps._jobs import command_line


def polished(kind: Kind, wanted: Wanted, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as people write them, where that gives the same object."""
    best = wanted.distance(kind, fields)

    def better(changed: dict[str, Any]) -> dict[str, Any]:
        return changed if wanted.distance(kind, changed) <= best else fields

    words = fields.get("arguments")
    options = as_options(words) if isinstance(words, list) else None
    if options:
        fields = better({**fields, "arguments": options})
    for name, value in fields.items():
        field_of = kind.fields[name]
        if not isinstance(value, Mapping) or len(value) > 1 or field_of.short is not None:
            continue
        simple = next(iter(value.values()), True)
        if not isinstance(simple, (Mapping, list)) and _takes(field_of.schema, simple):
            fields = better({**fields, name: simple})
    for key, value in (fields.get("hyperparameters") or {}).items():
        number = as_number(value) if isinstance(value, str) else value
        if number is not value:
            told = {**fields["hyperparameters"], key: number}
            fields = better({**fields, "hyperparameters": told})
    if "asset" in str(kind.fields.get("inputs")):
        fields = _with_assets(fields, wanted.files)
    return _with_frameworks(kind, wanted, fields)


def _with_assets(fields: dict[str, Any], files: Beside) -> dict[str, Any]:
    """Return the fields with inputs that take what lies beside the definition."""
    inputs = fields.get("inputs")
    if not isinstance(inputs, Mapping):
        return fields
    return {
        **fields,
        "inputs": {
            name: {
                "asset" if key == "source" and files.path_of(part) else key: files.path_of(part)
                or part
                for key, part in value.items()
            }
            for name, value in inputs.items()
        },
    }


def _with_frameworks(kind: Kind, wanted: Wanted, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with AWS's own images by their framework, where the kind takes them so."""
    context = Comparing(wanted.images, wanted.files)
    build(kind, wanted.name, fields, context)
    best = wanted.distance(kind, fields)
    for asked in context.asked:
        if _at(fields, asked.path) != asked.image:
            continue  # the kind's own
        short = wanted.images.short(asked.image, asked.scope, asked.instance)
        if short is None:
            continue
        changed = _put(fields, asked.path, short)
        # Some kinds ask more of a step whose image they know.
        against = [list(problems_of(kind, wanted, each, {})) for each in (fields, changed)]
        if wanted.distance(kind, changed) <= best and len(against[1]) <= len(against[0]):
            fields = changed
    return fields


def _at(value: Any, path: Path) -> Any:
    """Return what stands at a path; None where nothing does."""
    for key in path:
        if isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _put(value: Any, path: Path, new: Any) -> Any:
    """Return data with another value at a path that is there."""
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_put(item, rest, new) if i == head else item for i, item in enumerate(value)]
    return {**value, head: _put(value[head], rest, new)}


def _takes(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a scalar is a form of the field by itself."""
    wanted = "boolean" if isinstance(value, bool) else "string"
    return any(resolve_ref(option).get("type") == wanted or "anyOf" in option
               for option in schema.get("anyOf", ()))  # fmt: skip


def as_options(words: list[Any]) -> dict[str, Any] | None:
    """Return the options that make a command line; None where it is none of options alone."""
    made: dict[str, Any] = {}
    name = ""
    for word in words:
        if isinstance(word, str) and word.startswith("--") and len(word) > 2:
            name = word[2:]
            if name in made:
                return None
            made[name] = True
        elif not name:
            return None
        else:
            value = as_number(word) if isinstance(word, str) else word
            so_far = made[name]
            if so_far is True:
                made[name] = value
            else:
                made[name] = [*(so_far if isinstance(so_far, list) else [so_far]), value]
    return made if as_json(command_line(made)) == as_json(words) else None
