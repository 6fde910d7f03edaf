"""What references mean in and around a ForEach: the item, a round's values, the selected round's.

How the definition JSON writes them is the SDK's (``for_each_step.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.language.diagnostics import suggest
from pipelines.language.reference_syntax import Segment, Wrong
from steps._contract import MapKey
from steps._expressions import Expr, Join, JsonGet, LoopRef, Path, PropertyRef, is_expression

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Loop:
    """A ForEach.

    Args:
        body: the names of its steps.
        selected: the step whose value `select` compares; empty where it selects nothing.
        items: the items that are written down; empty where a reference gives them.
    """

    body: tuple[str, ...]
    selected: str = ""
    items: Sequence[Any] = ()

    def lacking(self, segments: Sequence[Segment]) -> Wrong | None:
        """Return what is wrong with a field below ``item``: an item that is written has none."""
        first = segments[0] if segments else None
        if first is None or not all(isinstance(item, Mapping) for item in self.items):
            return None  # [U] what a field of a text that is no map gives
        name = first.value
        for number, item in enumerate(self.items):
            if name not in item:
                hint = suggest(str(name), [str(key) for key in item])
                return Wrong(first.begin, first.end, f"item {number} has no `{name}`", hint)
        return None


def item_reference(segments: Sequence[Segment]) -> LoopRef:
    """Return what ``item`` and the segments below it mean: the current item or a part of it."""
    text = "ForEach.CurrentItem"
    for segment in segments:
        value = segment.value
        if isinstance(value, int):
            text += f"[{value}]"
        elif isinstance(value, MapKey) or not _WORD.fullmatch(value):
            text += f"['{value}']"
        else:
            text += f".{value}"
    return LoopRef(text)


def in_round(found: Expr, loop: str, prefix: Path, step: str) -> Expr | None:
    """Return a value of a step in a body as it is seen from outside; None where it is not.

    Args:
        loop: the ForEach.
        prefix: the round: members and indexes below the ForEach.
        step: the step that the value is of.
    """
    if isinstance(found, PropertyRef) and found.step == step:
        keyed = frozenset(place + len(prefix) for place in found.keyed)
        return replace(found, step=loop, path=(*prefix, *found.path), keyed=keyed)
    if isinstance(found, JsonGet) and found.step == step:
        return None
    if isinstance(found, Join):
        parts = [in_round(v, loop, prefix, step) if is_expression(v) else v for v in found.values]
        return None if None in parts else replace(found, values=tuple(parts))
    return found


def compared(found: Expr, step: str) -> LoopRef | None:
    """Return a value of a step in a body as `select` compares it; None where it can't."""
    if isinstance(found, PropertyRef) and found.step == step:
        return LoopRef(f"IterationOutput.{step}.{found.text}")
    return None
