"""Collecting what is wrong with a definition, each with its place in the JSON."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from pipelines.definition.expressions import describe
from pipelines.errors import DefinitionError

# Enough to repair a definition by; the rest is counted.
MAX_SHOWN = 40


class Problems:
    """A list of problems that grows while a definition is read."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def add(self, pointer: str, text: str) -> None:
        """Record a problem at a JSON pointer."""
        self.found.append((pointer or "/", text))

    def raise_if_any(self) -> None:
        """End reading where something was found.

        Raises:
            DefinitionError: with every problem, one a line.
        """
        if not self.found:
            return
        lines = [f"  {pointer}: {text}" for pointer, text in self.found[:MAX_SHOWN]]
        rest = len(self.found) - MAX_SHOWN
        if rest > 0:
            lines.append(f"  and {rest} more")
        raise DefinitionError("the pipeline definition is invalid:\n" + "\n".join(lines))

    def mapping(self, value: object, pointer: str) -> Mapping[str, object]:
        """Return ``value`` where it is an object, else an empty one and a problem."""
        if isinstance(value, Mapping):
            return value
        self.add(pointer, f"must be an object, not {describe(value)}")
        return {}

    def sequence(self, value: object, pointer: str) -> list[object]:
        """Return ``value`` where it is a list, else an empty one and a problem."""
        if isinstance(value, list):
            return value
        self.add(pointer, f"must be a list, not {describe(value)}")
        return []

    def text(self, value: object, pointer: str, default: str = "") -> str:
        """Return ``value`` where it is text, else ``default`` and a problem."""
        if isinstance(value, str):
            return value
        self.add(pointer, f"must be text, not {describe(value)}")
        return default


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word is meant: ``; did you mean `X`?``, or nothing where none is near."""
    options = list(known)
    found = difflib.get_close_matches(word[:200], options, 1, 0.6)
    if not found:
        lowered = {option.lower(): option for option in options}
        found = [
            lowered[match]
            for match in difflib.get_close_matches(word[:200].lower(), lowered, 1, 0.6)
        ]
    return f"; did you mean `{found[0]}`?" if found else ""
