"""Boxes and lines in characters."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.draw.canvas import DOWN, LEFT, RIGHT, UP, Canvas, columns, shorten
from pipelines.draw.graph import Node, visible
from pipelines.draw.layout import Item, Layout, lay_out
from pipelines.draw.scene import Level

_GAP = 2
_LONGEST = 36


class TooTangled(Exception):
    """The graph does not fit, or two lines could not be told apart."""


@dataclass
class _Sheet:
    canvas: Canvas = field(default_factory=Canvas)
    width: int = 0
    height: int = 0


@dataclass
class _Net:
    """Lines that all sources share with all targets: one horizontal line on one track."""

    sources: list[int]
    targets: list[int]
    track: int = -1

    @property
    def straight(self) -> bool:
        return self.sources == self.targets

    @property
    def ends(self) -> tuple[int, int]:
        both = self.sources + self.targets
        return min(both), max(both)


def draw_boxes(level: Level, width: int) -> list[str]:
    """Return the level's rows.

    Raises:
        TooTangled: it is wider than ``width`` columns, or cannot be drawn without ambiguity.
    """
    sheet = _draw(level)
    if sheet.width > width:
        raise TooTangled
    return sheet.canvas.rows()


def _draw(level: Level) -> _Sheet:
    inner = {box: _framed(name, _draw(inside)) for box, (name, inside) in level.branches.items()}
    texts = {name: _text(node, level.notes.get(name, [])) for name, node in level.nodes.items()}
    sizes: dict[str, tuple[float, float]] = {}
    for name, lines in texts.items():
        # Odd, so that a box has a middle column.
        sizes[name] = (max(columns(line) for line in lines) // 2 * 2 + 5, len(lines) + 2)
    for box, inside in inner.items():
        sizes[box] = (inside.width, inside.height)
    layout = lay_out(sizes, list(level.edges), _GAP, 1)
    centre = _snap(layout)
    sheet = _Sheet()
    row = 0
    for number, layer in enumerate(layout.layers):
        height = int(max((item.height for item in layer), default=0))
        for item in layer:
            left = centre[id(item)] - int(item.width) // 2
            sheet.width = max(sheet.width, left + int(item.width))
            if item.name in inner:
                sheet.canvas.paste(inner[item.name].canvas, row, left)
            elif item.height:
                _box(sheet.canvas, row, left, int(item.width), texts[item.name])
            if item.below:
                start = int(item.height)
                if start:
                    sheet.canvas.write(row + start - 1, centre[id(item)], "┬")
                for between in range(row + start, row + height):
                    sheet.canvas.draw(between, centre[id(item)], UP | DOWN)
        row += height
        if number + 1 < len(layout.layers):
            row += _wire(sheet.canvas, row, layer, centre)
    sheet.height = row
    return sheet


def _text(node: Node, notes: list[str]) -> list[str]:
    lines = [visible(node.label or node.name), visible(node.caption)]
    if notes:
        more = f" +{len(notes) - 2}" if len(notes) > 2 else ""
        lines.append("needs " + ", ".join(visible(name) for name in notes[:2]) + more)
    return [shorten(line, _LONGEST) for line in lines]


def _snap(layout: Layout) -> dict[int, int]:
    """Return each item's middle column: whole numbers, nothing overlapping."""
    centre: dict[int, int] = {}
    for layer in layout.layers:
        free = 0
        for item in layer:
            half = int(item.width) // 2
            centre[id(item)] = max(int(item.x), free + half)
            free = centre[id(item)] + half + 1 + _GAP
    return centre


def _box(canvas: Canvas, row: int, left: int, width: int, lines: list[str]) -> None:
    canvas.write(row, left, "┌" + "─" * (width - 2) + "┐")
    for number, line in enumerate(lines, 1):
        spare = width - 2 - columns(line)
        padded = " " * (spare // 2) + line + " " * (spare - spare // 2)
        canvas.write(row + number, left, f"│{padded}│")
    canvas.write(row + len(lines) + 1, left, "└" + "─" * (width - 2) + "┘")


def _framed(name: str, inside: _Sheet) -> _Sheet:
    """Return the sheet in a dashed frame that carries the branch's name."""
    title = shorten(visible(name), _LONGEST)
    width = max(inside.width + 4, columns(title) + 6)
    width += 1 - width % 2
    sheet = _Sheet(Canvas(), width, inside.height + 2)
    rest = width - 5 - columns(title)
    sheet.canvas.write(0, 0, f"┌╌ {title} " + "╌" * rest + "┐")
    for row in range(1, inside.height + 1):
        sheet.canvas.write(row, 0, "╎")
        sheet.canvas.write(row, width - 1, "╎")
    sheet.canvas.write(inside.height + 1, 0, "└" + "╌" * (width - 2) + "┘")
    sheet.canvas.paste(inside.canvas, 1, (width - inside.width) // 2)
    return sheet


def _wire(canvas: Canvas, row: int, layer: list[Item], centre: dict[int, int]) -> int:
    """Draw the lines below a layer; return how many rows they take."""
    nets, boxes = _nets(layer, centre)
    tracks = _assign_tracks(nets)
    for net in nets:
        if not net.straight:
            left, right = net.ends
            for column in range(left, right + 1):
                ways = (LEFT if column > left else 0) | (RIGHT if column < right else 0)
                canvas.draw(row + net.track, column, ways)
    for net in nets:
        track = tracks if net.straight else net.track
        for column in net.sources:
            _drop(canvas, row, column, range(track), nets, net)
            if not net.straight:
                canvas.draw(row + track, column, UP)
        for column in net.targets:
            if not net.straight:
                canvas.draw(row + track, column, DOWN)
                _drop(canvas, row, column, range(track + 1, tracks), nets, net)
            canvas.draw(row + tracks, column, UP | DOWN)
    for column in boxes:
        canvas.write(row + tracks, column, "▼")
    return tracks + 1


def _nets(layer: list[Item], centre: dict[int, int]) -> tuple[list[_Net], set[int]]:
    """Return the nets below a layer, and the columns where one ends at a box.

    Sources with the same targets share a net. Where several nets end at one box, each gets its own
    column, so that lines join only if all their sources lead to all their targets.
    """
    targets: dict[int, Item] = {}
    shared: dict[tuple[int, ...], _Net] = {}
    for item in layer:
        if item.below:
            key = tuple(sorted({id(one) for one in item.below}))
            targets.update((id(one), one) for one in item.below)
            shared.setdefault(key, _Net([], [])).sources.append(centre[id(item)])
    boxes: set[int] = set()
    for name, target in targets.items():
        ending = [net for ends, net in shared.items() if name in ends]
        middle = centre[name]
        ending.sort(key=lambda net: (sum(net.sources) / len(net.sources), net.ends))
        through = next((n for n, net in enumerate(ending) if net.sources == [middle]), None)
        first = middle - (len(ending) - 1 if through is None else 2 * through)
        ports = [first + 2 * number for number in range(len(ending))]
        if max(abs(port - middle) for port in ports) > max(0, int(target.width) // 2 - 1):
            raise TooTangled
        for net, port in zip(ending, ports, strict=True):
            net.targets.append(port)
        if target.height:
            boxes.update(ports)
    for net in shared.values():
        net.targets.sort()
    return list(shared.values()), boxes


def _drop(
    canvas: Canvas, row: int, column: int, tracks: range, nets: list[_Net], own: _Net
) -> None:
    """Draw a vertical line down these tracks; it joins a net that ends here, and crosses others."""
    for track in tracks:
        passing = [
            net
            for net in nets
            if net is not own and net.track == track and net.ends[0] <= column <= net.ends[1]
        ]
        if passing and column not in passing[0].targets:
            canvas.cross(row + track, column)
        else:
            canvas.draw(row + track, column, UP | DOWN)


def _assign_tracks(nets: list[_Net]) -> int:
    """Give each net that bends a row; return how many rows there are.

    A net that begins in a column where another ends must turn off above it, or the two would be
    one line.

    Raises:
        TooTangled: two nets would each have to be above the other.
    """
    bent = [net for net in nets if not net.straight]
    below = {
        id(net): [
            other for other in bent if other is not net and set(other.targets) & set(net.sources)
        ]
        for net in bent
    }
    waiting = {id(net): 0 for net in bent}
    for net in bent:
        for other in below[id(net)]:
            waiting[id(other)] += 1
    least = {id(net): 0 for net in bent}
    ready = [net for net in bent if not waiting[id(net)]]
    done: list[_Net] = []
    while ready:
        net = min(ready, key=lambda one: (one.ends[1] - one.ends[0], one.ends))
        ready.remove(net)
        net.track = least[id(net)]
        while any(other.track == net.track and _touch(other, net) for other in done):
            net.track += 1
        done.append(net)
        for other in below[id(net)]:
            least[id(other)] = max(least[id(other)], net.track + 1)
            waiting[id(other)] -= 1
            if not waiting[id(other)]:
                ready.append(other)
    if len(done) < len(bent):
        raise TooTangled
    return 1 + max((net.track for net in done), default=-1)


def _touch(one: _Net, other: _Net) -> bool:
    return one.ends[0] <= other.ends[1] + 1 and other.ends[0] <= one.ends[1] + 1
