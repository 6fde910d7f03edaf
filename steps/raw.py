"""Raw: a step of any type, its arguments as they are, for a kind newer than this tool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Attribute, Context, Field, Kind, MapKey, NoAttribute, Problem, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments

_API_TYPE = "^[A-Za-z][A-Za-z0-9]{0,63}$"
_COMPOUND = ("Condition", "Fail", "ForEach")
"""Types whose arguments hold steps, or that the SDK has its own way of writing."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


class Raw(Kind):
    """Writes a step as it is."""

    name = "Raw"
    api_type = ""
    summary = "Write a step of any type, for a kind that this tool does not know yet."
    about = (
        "Type and arguments go into the definition as they stand, with references resolved; "
        "nothing of them is checked. `${steps.NAME.properties.Any.Path}` refers to any value, "
        "unchecked as well; `['key']` is written where the service wants a map's key. Members "
        "beside the arguments go under `step_fields`."
    )
    example = "query:\n  type: Raw\n  api_type: Athena\n  arguments: {QueryString: SELECT 1}\n"
    takes_request = False
    required = ("api_type",)
    fields = {
        "api_type": Field(
            f.text(
                "The step's type in the definition JSON.", "Athena", literal=True, pattern=_API_TYPE
            ),
            api="Type",
        ),
        "arguments": Field(
            {
                "type": "object",
                "description": "The step's `Arguments`, in the service's own names.",
                "examples": [{"QueryString": "SELECT 1"}],
            },
            default="none",
        ),
    }

    def type_of(self, step: Step) -> str:
        """Return the type that the definition gives."""
        return str(step.fields.get("api_type", ""))

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer anything below ``properties``."""
        del step
        return {"properties": None}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``properties.Any.Path``, unchecked."""
        if path[0] != "properties":
            return super().attribute(step, path)
        if len(path) == 1:
            return NoAttribute(0, "say which property is meant: `properties.NAME`")
        below = path[1:]
        keyed = {
            place
            for place, part in enumerate(below)
            if isinstance(part, str) and (isinstance(part, MapKey) or not _WORD.match(part))
        }
        names = tuple(part if isinstance(part, int) else str(part) for part in below)
        return Attribute(PropertyRef(step.name, names, frozenset(keyed), "any"))

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield types that hold steps or are written in another way."""
        api_type = step.fields.get("api_type")
        if api_type in _COMPOUND:
            yield Problem(
                "bad-value",
                ("api_type",),
                f"a {api_type} step can't be written raw",
                f"write `type: {api_type}`",
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the arguments as they stand."""
        del context
        given: Mapping[str, Any] = step.fields.get("arguments", {})
        return dict(given)


KIND = Raw()
