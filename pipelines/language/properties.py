"""The shapes of Describe responses, as references to ``properties`` walk them."""

from __future__ import annotations

from pipelines.service.shapes import Shape, UnknownMember, property_type
from pipelines.service.shapes import shape as service_shape
from steps._contract import Kind


def described_by(kind: Kind, member: str | int) -> Shape:
    """Return the shape that a property path of a kind begins in."""
    shapes = [service_shape(name, kind.service) for name in (kind.describe, *kind.describe_also)]
    return next((shape for shape in shapes if member in shape.members), shapes[0])


def map_keys(described: Shape, path: list[str | int]) -> set[int]:
    """Return the positions in a property path that are keys of a map."""
    found: set[int] = set()
    for position in range(len(path)):
        if position and isinstance(path[position], str):
            try:
                above = property_type(described, path[:position])
            except UnknownMember:
                continue
            if above.type == "map":
                found.add(position)
    return found
