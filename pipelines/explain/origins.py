"""Which field of an API call a short field becomes, found by asking the step kind itself.

The kind builds a request in which the field has a value that occurs nowhere else; where that value
comes out is the API's field. So there is no table that could be out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pipelines.explain.schemas import Place, Route, forms, is_steps
from steps._contract import Code, Document, Environment, Kind, Problem, Step
from steps._expressions import Join, Path

_TEXT = "s3://value-that-is-looked-for"
_NUMBER = 7331
_DURATION = f"{_NUMBER}s"
_KEY = "key-that-is-looked-for"


_NOWHERE = Environment("none", "", "", "", "")


@dataclass(frozen=True)
class _Listener:
    """The context of a request that nobody sends: nothing is published, nothing is reported."""

    environment: Environment = _NOWHERE

    def image(self, step: Step, path: Path, image: Any, scope: str, instance: Any) -> Any:
        """Return an image by its URI as it is."""
        del step, path, scope, instance
        return image if isinstance(image, str) else ""

    def code(self, step: Step, path: Path) -> Code | None:
        """Return code that leaves no trace."""
        del step, path
        return Code("", "", "", False)

    def asset(self, step: Step, path: Path) -> str:
        """Return the value that is looked for: an asset's URI takes the asset's place."""
        value: Any = step.fields
        for key in path:
            value = value[key]
        return str(value)

    def bundle(self, step: Step, paths: Sequence[Path]) -> str:
        """Return the text of the first field."""
        return self.asset(step, paths[0])

    def module(self, step: Step, path: Path) -> tuple[str, str]:
        """Return the value that is looked for in the place of the module's URI."""
        return self.asset(step, path), ""

    def shipped(self, file: FilePath) -> str:
        """Return no URI: what the product ships comes from no field."""
        del file
        return ""

    def document(self, document: Document) -> str:
        """Return no URI: what a document holds is not looked at."""
        del document
        return ""

    def destination(self, step: Step, *names: str) -> Any:
        """Return a default place that is not looked for."""
        del step, names
        return ""

    def stable_destination(self, step: Step, *names: str) -> Any:
        """Return a default place that is not looked for."""
        del step, names
        return ""

    def report(self, step: Step, problem: Problem) -> None:
        """Say nothing: a step with one field is never complete."""
        del step, problem


def api_field(kind: Kind, place: Place) -> str:
    """Return the member of the kind's request that a field becomes, such as ``A.B[].C``.

    Empty where it becomes none, or several.
    """
    value = _probe(place.schema)
    if value is None or not kind.operation:
        return ""
    try:
        with_value = kind.build(_step(kind, place.route, value), _Listener())
        without = kind.build(Step("step", kind.name, {}), _Listener())
    except (KeyError, TypeError, AttributeError, IndexError):
        return ""  # one field alone is too little for this kind
    known = {path for path, leaf in _leaves(without) if _matches(leaf, value)}
    found = {path for path, leaf in _leaves(with_value) if _matches(leaf, value)} - known
    return _written(found.pop()) if len(found) == 1 else ""


def _probe(schema: Mapping[str, Any]) -> Any:
    """Return a value that is recognised again; None for blocks, which become several fields."""
    for form in forms(schema):
        stated = form.get("type")
        if "x-choice" in form:
            return form["x-choice"][-1]
        if "x-duration" in form:
            return _DURATION
        if stated == "string":
            return _TEXT
        if stated in ("integer", "number"):
            return _NUMBER
        if stated == "boolean":
            return True
        if stated == "array":
            return [_TEXT]
        if isinstance(stated, list) and "string" in stated:
            return _TEXT
        if isinstance(form.get("additionalProperties"), Mapping) and not is_steps(form):
            inner = _probe(form["additionalProperties"])
            return inner if inner is None else {_KEY: inner}
    return None


def _step(kind: Kind, route: Route, value: Any) -> Step:
    for key in reversed(route):
        value = [value] if isinstance(key, int) else {key: value}
    return Step("step", kind.name, value, frozenset(value))


def _matches(leaf: Any, value: Any) -> bool:
    wanted = value
    while isinstance(wanted, (list, dict)):
        wanted = wanted[0] if isinstance(wanted, list) else wanted[_KEY]
    if wanted == _DURATION:
        wanted = _NUMBER
    if isinstance(leaf, Join):
        return any(_matches(part, wanted) for part in leaf.values)
    return type(leaf) is type(wanted) and bool(leaf == wanted)


def _leaves(value: Any, path: Route = ()) -> Iterator[tuple[Route, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value


def _written(path: Route) -> str:
    """Return a path in the API's words; what lies below a key of the user's own is left out."""
    text = ""
    for key in path:
        if key == _KEY:
            break
        text += "[]" if isinstance(key, int) else f".{key}" if text else key
    return text
