"""Moves the entries of block mappings, as whole lines, into a wanted order.

How a file is cut up. An entry is its key's line and everything down to the next key. Between two
entries there may be blank lines and comments; of those

* comments indented deeper than the keys, at the start, belong to the entry above;
* the blank lines that follow stay where they are: they separate places, not entries;
* what is left, from the first comment on, belongs to the key below and moves with it.

Above the first key, what ends with a blank line or is meant for programs stays on top.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.language.formatting.outline import Mapping, Node, Outline, Scalar

_FOR_PROGRAMS = re.compile(
    r"#(?:!|\s*(?:yaml-language-server:|-\*-|vim?:|ex:|SPDX-|copyright\b|\$schema\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Region:
    """A mapping's place: its lines are ``[start, stop)``, all from 0."""

    start: int
    stop: int


@dataclass(frozen=True)
class Cut:
    """A mapping cut into movable blocks.

    Attributes:
        header: lines that stay above all blocks.
        blocks: for each entry, the lines that move: its comments, its key and its value.
        bodies: for each entry, the lines below its key: the region of a mapping inside it.
        gaps: between block i and i + 1, the lines that stay in place.
        footer: lines that stay below all blocks.
    """

    header: Region
    blocks: list[Region]
    bodies: list[Region]
    gaps: list[Region]
    footer: Region


class Arranger:
    """Rewrites one outline's lines; every ordered mapping in it, from the outside in.

    Args:
        outline: the text, read.
        wanted: for the identity of each mapping to put in order, its keys in order.
    """

    def __init__(self, outline: Outline, wanted: dict[int, list[str]]) -> None:
        self._outline = outline
        self._wanted = wanted

    def lines(self) -> list[int]:
        """Return the numbers of the outline's lines in their new order."""
        return self._render(self._outline.root, Region(0, len(self._outline.lines)), top=True)

    def _render(self, node: Node | None, region: Region, *, top: bool = False) -> list[int]:
        """Return the region's line numbers, with the mappings inside in order."""
        if not isinstance(node, Mapping) or not node.pairs or not self._is_line_based(node):
            return list(range(region.start, region.stop))
        cut = self._cut(node, region, top=top)
        order = list(range(len(node.pairs)))
        if id(node) in self._wanted and not self._ends_open(cut):
            order = arrange(node, self._wanted[id(node)])
        out = list(range(cut.header.start, cut.header.stop))
        for place, index in enumerate(order):
            block, body = cut.blocks[index], cut.bodies[index]
            out.extend(range(block.start, body.start))
            out.extend(self._render(node.pairs[index][1], body))
            if place < len(cut.gaps):
                out.extend(range(cut.gaps[place].start, cut.gaps[place].stop))
        out.extend(range(cut.footer.start, cut.footer.stop))
        return out

    def _is_line_based(self, node: Mapping) -> bool:
        """Say whether each key is the first thing on its line, which makes lines movable."""
        if node.flow:
            return False
        lines = self._outline.lines
        column = node.pairs[0][0].column
        return all(
            key.column == column and not lines[key.line][: key.column].strip(" ")
            for key, _ in node.pairs
        )

    def _ends_open(self, cut: Cut) -> bool:
        """Say whether an entry ends in a `|+` scalar: the blank lines below it are its value."""
        return any(body.stop - 1 in self._outline.keeping for body in cut.bodies)

    def _cut(self, node: Mapping, region: Region, *, top: bool) -> Cut:
        keys = [key.line for key, _ in node.pairs]
        column = node.pairs[0][0].column
        stop = min(region.stop, self._outline.end) if top else region.stop
        above = self._leading(keys[0], region.start)
        deep = self._deep(above, keys[0], column)
        first = self._below_header(deep, keys[0])
        starts, ends, gaps = [first], [], []
        for key in keys[1:]:
            above = self._leading(key, starts[-1] + 1)
            end = self._deep(above, key, column)
            start = end
            while start < key and not self._outline.lines[start].strip():
                start += 1
            ends.append(end)
            gaps.append(Region(end, start))
            starts.append(start)
        ends.append(self._deep(self._leading(stop, keys[-1] + 1), stop, column))
        return Cut(
            Region(region.start, first),
            [Region(a, b) for a, b in zip(starts, ends, strict=True)],
            [Region(key + 1, end) for key, end in zip(keys, ends, strict=True)],
            gaps,
            Region(ends[-1], region.stop),
        )

    def _leading(self, stop: int, start: int) -> int:
        """Return where the blank and comment lines that end above ``stop`` begin."""
        lines, inside = self._outline.lines, self._outline.inside
        while stop > start and stop - 1 not in inside:
            text = lines[stop - 1].strip()
            if text and not text.startswith("#"):
                break
            stop -= 1
        return stop

    def _deep(self, start: int, stop: int, column: int) -> int:
        """Return the line below the comments, from ``start`` on, deeper than ``column``."""
        end = start
        for number in range(start, stop):
            line = self._outline.lines[number]
            text = line.lstrip(" \t")
            if not text.strip():
                continue
            if len(line) - len(text) <= column:
                break
            end = number + 1
        return end

    def _below_header(self, start: int, key: int) -> int:
        """Return where the comments that belong to the first key begin."""
        for number in range(key - 1, start - 1, -1):
            text = self._outline.lines[number].strip()
            if not text or _FOR_PROGRAMS.match(text):
                return number + 1
        return start


def arrange(node: Mapping, keys: list[str]) -> list[int]:
    """Return the mapping's entries, as indexes, in the order of ``keys``.

    Unknown keys come last, in their own order. An entry that an earlier one must not overtake
    (it uses the earlier one's anchor, or defines an anchor of the same name) pulls the earlier one
    up to just before itself.
    """
    place = {key: number for number, key in enumerate(keys)}
    ranks = [
        place.get(key.value, len(place)) if isinstance(key, Scalar) else len(place)
        for key, _ in node.pairs
    ]
    anchors = [key.anchors | value.anchors for key, value in node.pairs]
    aliases = [key.aliases | value.aliases for key, value in node.pairs]
    done: list[int] = []
    placed: set[int] = set()

    def put(index: int) -> None:
        # Depth-first over smaller and smaller indexes; a loop, as there may be thousands of keys.
        waiting = [(index, iter(_before(index, anchors, aliases)))]
        while waiting:
            current, earlier = waiting[-1]
            following = next((one for one in earlier if one not in placed), None)
            if following is not None:
                waiting.append((following, iter(_before(following, anchors, aliases))))
                continue
            waiting.pop()
            if current not in placed:
                placed.add(current)
                done.append(current)

    for index in sorted(range(len(ranks)), key=lambda one: (ranks[one], one)):
        put(index)
    return done


def _before(index: int, anchors: list[frozenset[str]], aliases: list[frozenset[str]]) -> list[int]:
    """Return the earlier entries that must stay before ``index``."""
    if not anchors[index] and not aliases[index]:
        return []
    return [
        one
        for one in range(index)
        if anchors[one] & (anchors[index] | aliases[index]) or aliases[one] & anchors[index]
    ]
