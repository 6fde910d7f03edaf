"""What the language has against the fields that were found for a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.importer.building import Wanted
from pipelines.importer.words import with_values
from pipelines.language.conform import conform, judge
from pipelines.language.schema import definition_schema
from pipelines.language.validation import problems_of_step
from steps._contract import Kind, Problem, Step
from steps._expressions import is_expression


def problems_of(
    kind: Kind, wanted: Wanted, given: Mapping[str, Any], request: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what the language has against a step's fields.

    Args:
        given: the fields, in long form.
        request: what they don't say.
    """
    name, fields = wanted.name, dict(with_values(given, wanted.variables))
    if request:
        fields["request"] = request
    schema = definition_schema()["definitions"][kind.name]
    data = conform(_readable({"type": kind.name, **fields}), schema)
    yield from problems_of_step(data, kind.name)
    checked = {key: value for key, value in fields.items() if key != "request"}
    yield from judge(checked, schema)
    step = Step(name, kind.name, fields, frozenset(fields))
    try:
        found = [problem for problem in kind.check(step) if problem.level == "error"]
    except Exception:  # noqa: BLE001 - kinds expect data of the right form, and these are anybody's
        found = [Problem("bad-value", (), "its values are not of the form that its kind expects")]
    yield from found


def _readable(value: Any) -> Any:
    """Return data with a reference where an expression stands, for the schema."""
    if is_expression(value):
        return "${parameters.Any}"
    if isinstance(value, Mapping):
        return {name: _readable(item) for name, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list) else value
