"""The shapes of AWS's APIs: what a request may hold, and what a description has.

Everything is read from botocore's own data files; botocore itself is not imported.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import DefinitionError
from pipelines.service.checking import Mismatch, check
from pipelines.service.model import Shape, UnknownName, load_model, model_file, read_whole_model
from pipelines.service.nearest import nearest_names, suggest

__all__ = [
    "Mismatch",
    "PropertyType",
    "Shape",
    "UnknownMember",
    "UnknownName",
    "check",
    "documentation",
    "input_shape",
    "output_shape",
    "property_type",
    "shape",
]


def shape(name: str, service: str = "sagemaker") -> Shape:
    """Returns a shape by its name, such as `DescribeTrainingJobResponse`; raises UnknownName."""
    return load_model(service).shape(name)


def input_shape(operation: str, service: str = "sagemaker") -> Shape:
    """Returns what `operation` takes, such as `CreateProcessingJob`; raises UnknownName."""
    return _side(operation, "input", service)


def output_shape(operation: str, service: str = "sagemaker") -> Shape:
    """Returns what `operation` answers, such as `DescribeTrainingJob`; raises UnknownName."""
    return _side(operation, "output", service)


def _side(operation: str, side: str, service: str) -> Shape:
    model = load_model(service)
    found = model.operation(operation)
    if side not in found:
        raise UnknownName(f"The operation `{operation}` of {service} has no {side}.")
    return model.shape(found[side])


@dataclass(frozen=True)
class PropertyType:
    """What a property path leads to.

    Attributes:
        type: `string`, `integer`, `long`, `float`, `double`, `boolean`, `timestamp`, `structure`,
            `list`, `map`, `blob` or `document`.
        shape: the shape there.
    """

    type: str
    shape: Shape


class UnknownMember(DefinitionError):
    """A property path leaves what the API answers.

    Attributes:
        index: which segment of the path is wrong.
        names: the nearest names there, best first; may be empty.
    """

    def __init__(self, message: str, hint: str, index: int, names: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.index = index
        self.names = names


def property_type(shape: Shape, path: Sequence[str | int]) -> PropertyType:
    """Walks `path` through `shape`: members of structures, keys of maps, indexes of lists.

    Returns:
        The type at its end.

    Raises:
        UnknownMember: `path` leads nowhere.
    """
    here = shape
    for index, segment in enumerate(path):
        here = _step_into(here, segment, index)
    return PropertyType(here.type, here)


def _step_into(shape: Shape, segment: str | int, index: int) -> Shape:
    if shape.type == "document":
        return shape
    if shape.type == "structure":
        members = shape.members
        if isinstance(segment, str) and segment in members:
            return members[segment]
        name = str(segment)
        message = f"`{name}` is not a member of {shape.name}"
        hint = suggest(name, members) or _list_members(shape)
        raise UnknownMember(message, hint, index, nearest_names(name, members))
    if shape.type == "map" and isinstance(segment, str):
        return shape.value
    if shape.type == "list" and isinstance(segment, int) and segment >= 0:
        return shape.member
    wanted = {"map": "keys in quotes: ['name']", "list": "a number in brackets: [0]"}
    if shape.type in wanted:
        message = f"{shape.name} is a {shape.type}, and `{segment}` does not lead into it"
        raise UnknownMember(message, f"It takes {wanted[shape.type]}.", index)
    message = f"`{segment}` leads into {shape.name}, which is a {shape.type} and has no members"
    raise UnknownMember(message, "End the path before it.", index)


def _list_members(shape: Shape) -> str:
    names = list(shape.members)
    if not names:
        return ""
    some = ", ".join(f"`{name}`" for name in names[:8])
    return f"It has {some}{', …' if len(names) > 8 else '.'}"


def documentation(operation: str, path: Sequence[str | int], service: str = "sagemaker") -> str:
    """Returns the first sentence AWS writes about a member of an operation's request.

    Lists and maps are stepped through by any index or key, or silently. An empty text means that
    AWS says nothing there.

    Raises:
        UnknownName: there is no such operation.
        UnknownMember: `path` leads nowhere.
    """
    model = _documented_model(service, model_file(service))
    if operation not in model["operations"]:
        load_model(service).operation(operation)  # raises, with the nearest names
    found = model["operations"][operation]
    if not path:
        return _first_sentence(found.get("documentation", ""))
    shapes: Mapping[str, Any] = model["shapes"]
    reference: Any = found.get("input")
    for index, segment in enumerate(path):
        reference = _step_in_model(shapes, reference, segment, index)
    text = reference.get("documentation") or shapes[reference["shape"]].get("documentation", "")
    return _first_sentence(text)


@functools.lru_cache(maxsize=1)
def _documented_model(service: str, source: Path) -> Mapping[str, Any]:
    """Returns the whole model, read once: the reference asks for hundreds of sentences."""
    del source  # another botocore is another model
    return read_whole_model(service)


def _step_in_model(shapes: Any, reference: Any, segment: str | int, index: int) -> Any:
    """Returns the reference to a shape one segment further, in a model with documentation."""
    here: Any = shapes[reference["shape"]] if reference else {"type": "structure"}
    if here["type"] in {"list", "map"}:
        reference = here["member" if here["type"] == "list" else "value"]
        here = shapes[reference["shape"]]
        if isinstance(segment, int) or "members" not in here:
            return reference
    members = here.get("members", {})
    if segment not in members:
        message = f"`{segment}` is not a member of {reference['shape'] if reference else 'it'}"
        raise UnknownMember(message, suggest(str(segment), members), index)
    return members[segment]


def _first_sentence(markup: str) -> str:
    """Returns the first sentence of AWS's HTML as plain text."""
    import html  # its table of entities is for `explain` alone

    text = html.unescape(re.sub(r"<[^>]*>", " ", markup))
    text = " ".join(text.split())
    text = re.sub(r"\s+([.,;:)])", r"\1", text)
    ended = re.match(r".*?[.!?](?=\s+[A-Z`]|$)", text)
    return ended.group(0) if ended else text
