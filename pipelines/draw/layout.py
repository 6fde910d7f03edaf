"""A layered layout (after Sugiyama): layers by longest path, few crossings, straight lines.

Sizes and distances are in the caller's unit, so that the same layout serves pixels and characters.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipelines.draw.graph import topological

_SWEEPS = 12


@dataclass
class Item:
    """Something with a place: a box, or a bend in an edge that passes a layer.

    Attributes:
        name: the box's name; empty for a bend.
        width: its width.
        height: its height.
        layer: its layer, from 0.
        x: its centre, once laid out.
        above: the items of the layer above that it is connected with.
        below: the items of the layer below.
    """

    name: str
    width: float
    height: float
    layer: int = 0
    x: float = 0.0
    above: list[Item] = field(default_factory=list, repr=False)
    below: list[Item] = field(default_factory=list, repr=False)


@dataclass(frozen=True)
class Layout:
    """The layers from top to bottom, each from left to right, and each edge's items in order."""

    layers: list[list[Item]]
    paths: dict[tuple[str, str], list[Item]]


def lay_out(
    sizes: dict[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    gap: float,
    bend: float,
) -> Layout:
    """Place boxes on layers.

    Args:
        sizes: each box's width and height, in the order in which they were written.
        edges: source and target of each edge; no circles.
        gap: the least distance between two neighbours.
        bend: the width of a bend.

    Returns:
        the layers with each item's ``x`` set; the leftmost edge of all items is at 0.
    """
    items = {name: Item(name, width, height) for name, (width, height) in sizes.items()}
    _assign_layers(items, edges)
    layers: list[list[Item]] = [
        [] for _ in range(1 + max((i.layer for i in items.values()), default=-1))
    ]
    for item in items.values():
        layers[item.layer].append(item)
    paths: dict[tuple[str, str], list[Item]] = {}
    for source, target in edges:
        path = [items[source]]
        for layer in range(items[source].layer + 1, items[target].layer):
            path.append(Item("", bend, 0, layer))
            layers[layer].append(path[-1])
        path.append(items[target])
        for upper, lower in pairwise(path):
            upper.below.append(lower)
            lower.above.append(upper)
        paths[source, target] = path
    _order(layers)
    _place(layers, gap)
    return Layout(layers, paths)


def _assign_layers(items: dict[str, Item], edges: Sequence[tuple[str, str]]) -> None:
    order = topological(list(items), list(edges))
    after: dict[str, list[str]] = {name: [] for name in items}
    before: dict[str, list[str]] = {name: [] for name in items}
    for source, target in edges:
        after[source].append(target)
        before[target].append(source)
    for name in order:
        layer = max((items[one].layer + 1 for one in before[name]), default=0)
        items[name].layer = layer
    # A box that nothing leads to moves down to what needs it: a shorter line says the same.
    for name in reversed(order):
        if after[name] and not before[name]:
            items[name].layer = min(items[one].layer for one in after[name]) - 1


def _order(layers: list[list[Item]]) -> None:
    """Sort each layer so that few edges cross: barycentres, down and up in turn, best kept."""
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for layer, fixed in _pairs(layers, down):
            place = {id(item): number for number, item in enumerate(fixed)}
            own = {id(item): number for number, item in enumerate(layer)}
            spread = max(1, len(fixed)) / max(1, len(layer))

            def centre(
                item: Item,
                down: bool = down,
                place: dict[int, int] = place,
                own: dict[int, int] = own,
                spread: float = spread,
            ) -> float:
                near = item.above if down else item.below
                if not near:
                    return own[id(item)] * spread
                return sum(place[id(one)] for one in near) / len(near)

            layer.sort(key=centre)
        crossings = _crossings(layers)
        if crossings < fewest:
            fewest, best = crossings, [list(layer) for layer in layers]
    layers[:] = best


def _pairs(layers: list[list[Item]], down: bool) -> list[tuple[list[Item], list[Item]]]:
    if down:
        return list(zip(layers[1:], layers, strict=False))
    return list(zip(layers[-2::-1], layers[:0:-1], strict=False))


def _crossings(layers: list[list[Item]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place = {id(item): number for number, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = sorted(place[id(one)] for one in item.below)
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _place(layers: list[list[Item]], gap: float) -> None:
    """Give each item an x near its neighbours', keeping the order and the distances."""
    for layer in layers:
        x = 0.0
        for item in layer:
            item.x = x + item.width / 2
            x += item.width + gap
    for sweep in range(_SWEEPS):
        # The last sweep goes down, so that what hangs below one box hangs straight.
        down = sweep % 2 == 0 or sweep == _SWEEPS - 1
        for layer, _ in _pairs(layers, down):
            wanted = []
            for item in layer:
                near = item.above if down else item.below
                if _SWEEPS - 3 <= sweep < _SWEEPS - 1:
                    near = item.above + item.below
                wanted.append(sum(one.x for one in near) / len(near) if near else item.x)
            _settle(layer, wanted, gap)
    left = min((item.x - item.width / 2 for layer in layers for item in layer), default=0.0)
    for layer in layers:
        for item in layer:
            item.x = round(item.x - left, 3)


def _settle(layer: list[Item], wanted: list[float], gap: float) -> None:
    """Move the layer's items as near to ``wanted`` as the gaps allow (least squares).

    Pooling adjacent violators: neighbours that would overlap become one block around the mean of
    what they want. A bend weighs more than a box, which keeps long lines straight.
    """
    offset = 0.0
    offsets: list[float] = []
    for number, item in enumerate(layer):
        if number:
            offset += (layer[number - 1].width + item.width) / 2 + gap
        offsets.append(offset)
    blocks: list[tuple[float, float, int]] = []  # weight × position, weight, how many
    for item, want, offset in zip(layer, wanted, offsets, strict=True):
        weight = 1.0 if item.name else 4.0
        weight *= 1 + len(item.above) + len(item.below)
        block = (weight * (want - offset), weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    number = 0
    for total, weight, count in blocks:
        for _ in range(count):
            layer[number].x = total / weight + offsets[number]
            number += 1
