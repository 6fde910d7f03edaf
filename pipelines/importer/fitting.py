"""The fields that make a step's object, found by trying: read, build, compare.

Every field that brings the built object nearer to the wanted one is kept; every part without which
it is as near is left out again, which are the defaults. What is still missing is what ``request``
and ``step_fields`` say, so the whole is equal by construction.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.compiler import as_json
from pipelines.importer.building import IMPOSSIBLE, Wanted
from pipelines.importer.polishing import polished
from pipelines.importer.probing import NAME, Place, probes_of, words_of
from pipelines.importer.problems import problems_of
from pipelines.importer.reading import guesses
from pipelines.importer.remainder import NotMergeable, remainder
from pipelines.language.request_merge import merge_request
from steps._contract import Kind

_NAMED = ("ranges", "inputs", "outputs", "variants")
"""Fields whose keys are names that the user chooses."""
MAX_WORDS = 256
"""As many combinations of words for the parts of a field are tried."""


class Unfit(Exception):
    """A kind can't say a step; the message tells why."""


@dataclass(frozen=True)
class Fitted:
    """A step in a kind's fields.

    Args:
        fields: in long form, with expressions.
        request: merged into the arguments.
        step_fields: merged into the step's object.
    """

    fields: Mapping[str, Any]
    request: Mapping[str, Any] = field(default_factory=dict)
    step_fields: Mapping[str, Any] = field(default_factory=dict)


def fit(kind: Kind, wanted: Wanted) -> Fitted:
    """Return the fields of a kind that make the wanted object.

    Raises:
        Unfit: there are none.
    """
    guessed = guesses(kind, wanted.given)
    with_code = wanted.files.guesses(guessed) if "code" in kind.fields else {}
    if with_code:
        try:
            fitted = _fitted(kind, wanted, with_code)
        except Unfit:
            pass
        else:
            # A step that starts its code in its own way is said plainer without.
            if _has_code(fitted.fields) and "ContainerEntrypoint" not in str(fitted.request):
                return fitted
    return _fitted(kind, wanted, {**guessed, **_of_config(kind, wanted, guessed)})


def _has_code(fields: Mapping[str, Any]) -> bool:
    return "code" in fields or any("code" in each for each in fields.get("containers") or ())


def _of_config(kind: Kind, wanted: Wanted, guessed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a Clarify check's configuration says, where it was fetched."""
    found = wanted.files.config_guesses() if kind.name == "ClarifyCheck" else {}
    if "dataset" in found:
        found["dataset"] = {**(guessed.get("dataset") or {}), **found["dataset"]}
    return {name: found.get(name, guessed.get(name)) for name in kind.fields if name in found}


def _fitted(kind: Kind, wanted: Wanted, guessed: Mapping[str, Any]) -> Fitted:
    banned: set[str] = set()
    for _ in range(len(kind.fields) + 1):
        fields = polished(kind, wanted, _chosen(kind, wanted, guessed, banned))
        try:
            fitted = _completed(kind, wanted, fields)
        except NotMergeable as error:
            wrong = {name for name in fields if _writes(kind, name, error.place)}
            if not wrong - banned:
                raise Unfit("its lists can't be merged") from error
            banned |= wrong
            continue
        problem = next(problems_of(kind, wanted, fields, fitted.request), None)
        if problem is None:
            return fitted
        name = str(problem.path[0]) if problem.path else ""
        if problem.code == "missing-key" and not problem.path:
            raise Unfit(f"its fields can't say all of it ({problem.message})")
        if name not in fields or name in banned or name in kind.required:
            raise Unfit(problem.message)
        banned.add(name)
    raise Unfit("no fields were found for it")


def _chosen(
    kind: Kind, wanted: Wanted, guessed: Mapping[str, Any], banned: set[str]
) -> dict[str, Any]:
    # Code and how it is started only say something together.
    start = {n: guessed.get(n) for n in ("code", "command") if "code" in guessed}
    start = {name: value for name, value in start.items() if value and name not in banned}
    fields = _worded(kind, wanted, start, banned, deepest=1)
    best = wanted.distance(kind, fields)
    for _ in range(2):  # some fields only say something beside others
        for name, value in guessed.items():
            if name in banned:
                continue
            tried = {**fields, name: _beside(value, fields.get(name))}
            distance = wanted.distance(kind, tried)
            required = name in kind.required and name not in fields and distance <= best
            if distance < best or required:
                fields, best = tried, distance
            elif isinstance(value, Mapping) and name not in fields:
                fields = _pieced(kind, wanted, fields, name, value)
                best = wanted.distance(kind, fields)
        fields = _worded(kind, wanted, fields, banned)
        best = wanted.distance(kind, fields)
        if best == 0:
            break
    if best >= IMPOSSIBLE:
        raise Unfit(f"a {kind.name} step can't be made of it")
    parts = list(_parts(fields))
    # A named part that is wrong as a whole must not stay because a piece of it is right.
    named = [path for path in parts if len(path) == 2 and path[0] in _NAMED]
    for path in (*named, *parts):
        if len(path) == 1 and path[0] in kind.required:
            continue
        less = _without(fields, path)
        distance = wanted.distance(kind, less)
        if distance <= best:
            fields, best = less, distance
    return {name: fields[name] for name in kind.fields if name in fields}


def _parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all parts, inner ones before those around them."""
    items: Any = value.items() if isinstance(value, Mapping) else ()
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        items = enumerate(value)
    for key, item in items:
        yield from _parts(item, (*path, key))
    if path and not isinstance(path[-1], int):
        yield path


def _pieced(
    kind: Kind, wanted: Wanted, fields: dict[str, Any], name: str, value: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the fields with those members of a guessed value that bring the object nearer."""
    best = wanted.distance(kind, fields)
    for member, part in value.items():
        tried = {**fields, name: {**fields.get(name, {}), member: part}}
        distance = wanted.distance(kind, tried)
        if distance < best:
            fields, best = tried, distance
    return fields


def _worded(
    kind: Kind, wanted: Wanted, fields: dict[str, Any], banned: set[str], deepest: int = 9
) -> dict[str, Any]:
    """Return the fields with those words that bring the object nearer, a field's together.

    Args:
        deepest: words of parts further down are not tried.
    """
    parts: dict[Any, list[tuple[tuple[Any, ...], tuple[Any, ...]]]] = {}
    for path, words in words_of(kind.name):
        if path[0] in banned or len(path) > deepest:
            continue
        for named in _named(path, fields):
            # Words of one name, such as a range's type, are chosen apart from those of others.
            group = named[:2] if NAME in path else named[0]
            parts.setdefault(group, []).append((named, words))
    best = wanted.distance(kind, fields)
    for choices in parts.values() if best else ():
        options = [[None, *words] for _, words in choices]
        if math.prod(map(len, options)) > MAX_WORDS:
            options = [[None, *words] if n == 0 else [None] for n, (_, words) in enumerate(choices)]
        for chosen in itertools.product(*options):
            tried = fields
            for (path, _), word in zip(choices, chosen, strict=True):
                tried = tried if word is None else _with(tried, path, word)
            distance = wanted.distance(kind, tried)
            if distance < best:
                fields, best = tried, distance
    return fields


def _named(path: tuple[Any, ...], fields: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield a path with each of the names that stand in the fields where it has any name."""
    if NAME not in path:
        yield path
        return
    place = path.index(NAME)
    here: Any = fields
    for segment in path[:place]:
        here = here.get(segment) if isinstance(here, Mapping) else None
    for name, item in here.items() if isinstance(here, Mapping) else ():
        if isinstance(item, Mapping):
            yield from _named((*path[:place], name, *path[place + 1 :]), fields)


def _beside(value: Any, words: Any) -> Any:
    """Return a guessed value with the words that were found for parts of it."""
    if isinstance(value, Mapping) and isinstance(words, Mapping):
        return {**value, **{name: word for name, word in words.items() if name not in value}}
    return value


def _with(fields: Mapping[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    head, *rest = path
    if not rest:
        return {**fields, head: value}
    inner = fields.get(head)
    return {**fields, head: _with(inner if isinstance(inner, Mapping) else {}, tuple(rest), value)}


def _without(value: Any, path: tuple[Any, ...]) -> Any:
    head, *rest = path
    if isinstance(value, list):
        return [_without(v, tuple(rest)) if i == head else v for i, v in enumerate(value)]
    if head not in value:
        return value
    if not rest:
        return {name: item for name, item in value.items() if name != head}
    return {**value, head: _without(value[head], tuple(rest))}


def _completed(kind: Kind, wanted: Wanted, fields: dict[str, Any]) -> Fitted:
    built = wanted.built(kind, fields)
    if built is None:
        raise Unfit(f"a {kind.name} step can't be made of it")
    own = wanted.given.get("Arguments", {})
    keep = kind.name in ("Lambda", "Callback")
    request = remainder(built["Arguments"], own, wanted.values, ("Arguments",), keep_empty=keep)
    merged = merge_request(built["Arguments"], request)
    if wanted.values.normal(as_json(merged)) != wanted.values.normal(as_json(own)):
        raise NotMergeable(("Arguments",))
    beside = remainder(
        {name: value for name, value in built.items() if name != "Arguments"},
        {name: value for name, value in wanted.given.items() if name != "Arguments"},
        wanted.values,
    )
    if request and not kind.takes_request:
        beside, request = {"Arguments": request, **beside}, {}
    return Fitted(fields, request, beside)


def _writes(kind: Kind, name: str, place: Place) -> bool:
    """Whether a field ends up at a place or below it."""
    own = [probe.place for probe in probes_of(kind.name) if probe.path[0] == name]
    return any(each[: len(place)] == place for each in own)
