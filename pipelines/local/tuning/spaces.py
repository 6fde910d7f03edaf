"""The hyperparameters that a tuning job searches, and the values they can take.

Source: Amazon SageMaker API Reference, ParameterRanges, IntegerParameterRange,
ContinuousParameterRange and CategoricalParameterRange.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float


class SpaceError(Exception):
    """A range that cannot be searched."""


@dataclass(frozen=True)
class Span:
    """A hyperparameter between two ends.

    Attributes:
        name: the hyperparameter.
        least, greatest: the ends, both included.
        whole: integers only.
        scale: ``Linear``, ``Logarithmic`` or ``ReverseLogarithmic``.
    """

    name: str
    least: float
    greatest: float
    whole: bool
    scale: str

    def draw(self, source: random.Random) -> Value:
        """Return a value, uniform on the range's scale."""
        if self.scale == "Linear" and self.whole:
            return source.randint(int(self.least), int(self.greatest))
        low, high = self.bend(self.least), self.bend(self.greatest)
        return self.straighten(source.uniform(min(low, high), max(low, high)))

    def read(self, text: str) -> Value:
        """Return the value that a hyperparameter's text stands for."""
        return round(float(text)) if self.whole else float(text)

    def holds(self, value: Value) -> bool:
        """Whether a value that was read lies between the ends."""
        return self.least <= float(value) <= self.greatest

    def bend(self, value: float) -> float:
        """Return where a value lies on the range's scale."""
        if self.scale == "Logarithmic":
            return math.log(value)
        if self.scale == "ReverseLogarithmic":
            return math.log(1 - value)
        return value

    def straighten(self, place: float) -> Value:
        """Return the value at a place of the scale, the inverse of :meth:`bend`."""
        value = place
        if self.scale == "Logarithmic":
            value = math.exp(place)
        elif self.scale == "ReverseLogarithmic":
            value = 1 - math.exp(place)
        value = min(max(value, self.least), self.greatest)
        return round(value) if self.whole else value


@dataclass(frozen=True)
class Choice:
    """A hyperparameter with listed values."""

    name: str
    values: tuple[str, ...]

    def draw(self, source: random.Random) -> Value:
        """Return one of the values."""
        return source.choice(self.values)

    def read(self, text: str) -> Value:
        """Return the value that a hyperparameter's text stands for."""
        return text

    def holds(self, value: Value) -> bool:
        """Whether a value is one of the listed."""
        return value in self.values


Axis = Span | Choice
Space = tuple[Axis, ...]


def read_space(ranges: Mapping[str, Any]) -> Space:
    """Read a request's ParameterRanges.

    Raises:
        SpaceError: an end is no number, the ends are the wrong way round, a scale does not fit
            them, or there is nothing to search.
    """
    space: list[Axis] = []
    for kind, whole in (("Integer", True), ("Continuous", False)):
        space += [_span(item, whole) for item in ranges.get(f"{kind}ParameterRanges") or ()]
    for item in ranges.get("CategoricalParameterRanges") or ():
        values = tuple(str(value) for value in item.get("Values") or ())
        if not values:
            raise SpaceError(f"the hyperparameter {item.get('Name')!r} has no values")
        space.append(Choice(str(item["Name"]), values))
    if not space:
        raise SpaceError("ParameterRanges names no hyperparameter")
    return tuple(space)


def _span(item: Mapping[str, Any], whole: bool) -> Span:
    name = str(item["Name"])
    try:
        ends = [float(item["MinValue"]), float(item["MaxValue"])]
    except (KeyError, TypeError, ValueError):
        raise SpaceError(f"the ends of {name!r} are not two numbers") from None
    least, greatest = ends
    if not (math.isfinite(least) and math.isfinite(greatest) and least <= greatest):
        raise SpaceError(f"the range of {name!r} from {least:g} to {greatest:g} is empty")
    if whole and not (least.is_integer() and greatest.is_integer()):
        raise SpaceError(f"the ends of {name!r} are not two integers")
    scale = str(item.get("ScalingType") or "Auto")
    if scale == "Auto":
        # [U] How the service chooses is not documented.
        scale = "Linear"
    if scale == "Logarithmic" and least <= 0:
        raise SpaceError(f"the logarithmic range of {name!r} begins at {least:g}, not above 0")
    if scale == "ReverseLogarithmic" and (whole or not 0 <= least <= greatest < 1):
        raise SpaceError(f"the reverse logarithmic range of {name!r} is not within 0 <= x < 1")
    return Span(name, least, greatest, whole, scale)


def as_hyperparameter(value: Value) -> str:
    """Return a value as a training job is told it."""
    return value if isinstance(value, str) else repr(value)
