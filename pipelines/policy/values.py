"""What a request's values can be when the pipeline runs: texts with ``*`` for what is not known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from pipelines.language.requests import Program, walk_requests
from steps._contract import StepRequest
from steps._expressions import Join, ParameterRef, PropertyRef

ANY = "*"
_MOST = 12
"""How many texts one value may stand for; more become a wildcard."""
_NAMED_BY = ("OutputName", "InputName", "ChannelName", "VariantName", "Name", "Key")


class Values:
    """Knows what the values of a program's requests can be.

    ``remarks`` gathers what had to be assumed on the way.
    """

    def __init__(self, program: Program) -> None:
        self.parameters = {p.name: p for p in program.spec.parameters}
        self.requests = {r.name: r for r in walk_requests(program.steps)}
        self.remarks: dict[str, None] = {}

    def texts(self, value: Any, depth: int = 0) -> tuple[str, ...]:
        """Return the texts that a value can be.

        A parameter that is the whole value is its enum, or its default with a remark; one that is
        a part of a text is ``*`` there. What a step gives is led back to what its request says.
        """
        if isinstance(value, str):
            return (value,)
        if isinstance(value, ParameterRef):
            return self._parameter(value.name)
        if isinstance(value, Join):
            return self._joined(value, depth)
        if isinstance(value, PropertyRef) and depth < 20:
            return self._property(value, depth)
        return (ANY,)

    def _parameter(self, name: str) -> tuple[str, ...]:
        parameter = self.parameters.get(name)
        if parameter is None:
            return (ANY,)
        if parameter.enum:
            return tuple(str(each) for each in parameter.enum)
        if parameter.default is None:
            self.remark(f"the parameter `{name}` has no default: a `*` stands for it")
            return (ANY,)
        self.remark(
            f"the parameter `{name}` is covered with its default; a start with another value "
            "needs more"
        )
        return (str(parameter.default),)

    def _joined(self, value: Join, depth: int) -> tuple[str, ...]:
        parts: list[tuple[str, ...]] = []
        for part in value.values:
            alone = len(value.values) == 1
            if isinstance(part, ParameterRef) and not alone:
                parameter = self.parameters.get(part.name)
                enum = parameter.enum if parameter is not None else ()
                parts.append(tuple(str(each) for each in enum) or (ANY,))
            else:
                parts.append(self.texts(part, depth + 1))
        count = 1
        for choice in parts:
            count *= len(choice)
        if count > _MOST:
            parts = [choice if len(choice) == 1 else (ANY,) for choice in parts]
        return tuple(dict.fromkeys(value.on.join(each) for each in itertools.product(*parts)))

    def _property(self, value: PropertyRef, depth: int) -> tuple[str, ...]:
        request = self.requests.get(value.step)
        if request is None:
            return (ANY,)
        if value.path[-1:] == ("S3ModelArtifacts",):
            place = argument(request, ("OutputDataConfig", "S3OutputPath"))
            found = self.texts(place, depth + 1) if place is not None else (ANY,)
            return tuple(text if text == ANY else f"{text.rstrip('/')}/*" for text in found)
        found_value = argument(request, value.path)
        return self.texts(found_value, depth + 1) if found_value is not None else (ANY,)

    def remark(self, text: str) -> None:
        """Remember something that had to be assumed."""
        self.remarks.setdefault(text)


def argument(request: StepRequest, path: tuple[Any, ...]) -> Any:
    """Return a request's argument; a text leads into a list by the item's name."""
    found: Any = request.arguments
    for segment in path:
        if isinstance(found, Mapping):
            found = found.get(segment)
        elif isinstance(found, list) and isinstance(segment, int):
            found = found[segment] if segment < len(found) else None
        elif isinstance(found, list):
            named = [i for i in found if isinstance(i, Mapping)]
            found = next((i for i in named if segment in [i.get(n) for n in _NAMED_BY]), None)
        else:
            return None
    return found
