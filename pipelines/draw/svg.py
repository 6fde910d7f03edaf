"""A picture that stands alone: no scripts, no fonts, nothing to fetch; light and dark."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from pipelines.draw.graph import Graph, Node, visible
from pipelines.draw.layout import Item, Layout, lay_out
from pipelines.draw.scene import Level, compose

_GAP = 28  # between neighbours
_BEND = 14  # the room a passing line takes
_RISE = 44  # between layers
_BOX = 46  # a step's height
_NOTE = 15  # what a note adds to it
_PAD = 18  # around a branch and around everything
_HEAD = 26  # a branch's name
_LONGEST = 34  # characters of a name that are shown

_FAMILIES = {
    "Training": "train",
    "Tuning": "train",
    "AutoML": "train",
    "Condition": "decide",
    "Fail": "fail",
    "RegisterModel": "model",
    "CreateModel": "model",
    "Endpoint": "model",
    "EndpointConfig": "model",
    "QualityCheck": "decide",
    "ClarifyCheck": "decide",
}

_STYLE = """
.bg{fill:#fff}.box{fill:#f6f8fa;stroke:#57606a;stroke-width:1.2}
.name{fill:#1f2328;font-size:14px;font-weight:600}
.kind{fill:#57606a;font-size:11.5px}.note{fill:#57606a;font-size:10.5px;font-style:italic}
.title{fill:#1f2328;font-size:16px;font-weight:700}
.branch{fill:#8b949e;fill-opacity:.08;stroke:#8b949e;stroke-dasharray:5 4}
.branch-name{fill:#57606a;font-size:12px;font-weight:600}
.line{fill:none;stroke:#6e7781;stroke-width:1.4}.order{stroke-dasharray:5 4}
.head{fill:#6e7781}
.train{fill:#ddf4ff;stroke:#0969da}.decide{fill:#fff8c5;stroke:#9a6700}
.fail{fill:#ffebe9;stroke:#cf222e}.model{fill:#dafbe1;stroke:#1a7f37}
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif}
@media (prefers-color-scheme:dark){
.bg{fill:#0d1117}.box{fill:#21262d;stroke:#8b949e}.name,.title{fill:#e6edf3}
.kind,.note,.branch-name{fill:#a3acb6}.line{stroke:#8b949e}.head{fill:#8b949e}
.train{fill:#0c2d6b;stroke:#58a6ff}.decide{fill:#3d2e00;stroke:#d29922}
.fail{fill:#4c1114;stroke:#f85149}.model{fill:#04310f;stroke:#3fb950}}
"""

_STATES = ".state-not{opacity:.45}.state-failed .box{stroke:#cf222e;stroke-width:2.5}"


def escape_xml(text: str) -> str:
    """Return text as XML content. (The standard library's function imports an HTTP client.)"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def svg(graph: Graph, *, reduced: bool = True) -> str:
    """Return the graph as an SVG document.

    Args:
        graph: the graph; names may hold anything.
        reduced: leave out edges that follow from others.
    """
    drawn = _draw_level(compose(graph, reduced=reduced))
    title = visible(graph.title or "pipeline")
    head = 34
    width = max(drawn.width, _text_width(_short(title), 16)) + 2 * _PAD
    height = drawn.height + 2 * _PAD + head
    count = len(graph.nodes)
    style = _STYLE + (_STATES if any(node.state for node in graph.nodes) else "")
    steps = "1 step" if count == 1 else f"{count} steps"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" '
            f'width="{_n(width)}" height="{_n(height)}" role="img" '
            'aria-labelledby="sagedag-title sagedag-description">',
            f'<title id="sagedag-title">{_xml(title)}</title>',
            f'<desc id="sagedag-description">Pipeline of {steps}.</desc>',
            f"<style>{style}</style>",
            '<defs><marker id="sagedag-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
            '<path class="head" d="M0 .8 8 4 0 7.2z"/></marker></defs>',
            f'<rect class="bg" width="{_n(width)}" height="{_n(height)}" rx="8"/>',
            f'<text class="title" x="{_PAD}" y="{_PAD + 14}">{_xml(_short(title))}</text>',
            f'<g transform="translate({_n((width - drawn.width) / 2)} {_PAD + head})">',
            *drawn.parts,
            "</g>",
            "</svg>",
            "",
        ]
    )


@dataclass
class _Drawn:
    """Markup whose upper left corner is at 0, 0."""

    width: float = 0.0
    height: float = 0.0
    parts: list[str] = field(default_factory=list)


def _draw_level(level: Level) -> _Drawn:
    inner = {box: _draw_level(inside) for box, (_, inside) in level.branches.items()}
    sizes: dict[str, tuple[float, float]] = {}
    for name, node in level.nodes.items():
        sizes[name] = _node_size(node, level.notes.get(name, []))
    for box, drawn in inner.items():
        least = _text_width(_short(visible(level.branches[box][0])), 12)
        width = max(drawn.width, least) + 2 * _PAD
        sizes[box] = (width, drawn.height + _HEAD + _PAD)
    layout = lay_out(sizes, list(level.edges), _GAP, _BEND)
    tops, height = _tops(layout)
    result = _Drawn(
        max((item.x + item.width / 2 for layer in layout.layers for item in layer), default=0.0),
        height,
    )
    for pair, path in layout.paths.items():
        style = "line order" if level.edges[pair] == "order" else "line"
        names = " → ".join(visible(one.split("\0")[-1]) for one in pair)
        result.parts.append(
            f'<path class="{style}" marker-end="url(#sagedag-arrow)" d="{_route(path, tops)}">'
            f"<title>{_xml(names)}</title></path>"
        )
    for layer, (top, _) in zip(layout.layers, tops, strict=True):
        for item in layer:
            if item.name in inner:
                result.parts.extend(
                    _branch(item, top, visible(level.branches[item.name][0]), inner[item.name])
                )
            elif item.height:
                notes = level.notes.get(item.name, [])
                result.parts.extend(_node(item, top, level.nodes[item.name], notes))
    return result


def _tops(layout: Layout) -> tuple[list[tuple[float, float]], float]:
    """Return each layer's top and bottom, and the bottom of all."""
    tops = []
    y = 0.0
    for layer in layout.layers:
        tall = max((item.height for item in layer), default=0.0)
        tops.append((y, y + tall))
        y += tall + _RISE
    return tops, max(0.0, y - _RISE)


def _route(path: list[Item], tops: list[tuple[float, float]]) -> str:
    """Return a line through the path: straight down across a layer, a curve between two."""
    x, y = path[0].x, tops[path[0].layer][0] + path[0].height
    steps = [f"M{_n(x)} {_n(y)}"]
    bottom = tops[path[0].layer][1]
    if bottom > y:
        steps.append(f"V{_n(bottom)}")
    for item in path[1:]:
        last = item is path[-1]
        top, end = tops[item.layer]
        start = bottom
        if item.x != x:
            middle = (start + top) / 2
            steps.append(f"C{_n(x)} {_n(middle)} {_n(item.x)} {_n(middle)} {_n(item.x)} {_n(top)}")
        elif last:
            steps.append(f"V{_n(top)}")
        if not last:
            steps.append(f"V{_n(end)}")
        x, bottom = item.x, end
    return "".join(steps)


def _branch(item: Item, top: float, name: str, drawn: _Drawn) -> list[str]:
    left = item.x - item.width / 2
    inset = (item.width - drawn.width) / 2
    return [
        f'<g transform="translate({_n(left)} {_n(top)})">',
        f"<title>{_xml(name)}</title>",
        f'<rect class="branch" width="{_n(item.width)}" height="{_n(item.height)}" rx="10"/>',
        f'<text class="branch-name" x="12" y="17">{_xml(_short(name))}</text>',
        f'<g transform="translate({_n(inset)} {_HEAD})">',
        *drawn.parts,
        "</g>",
        "</g>",
    ]


def _node(item: Item, top: float, node: Node, notes: list[str]) -> list[str]:
    name = visible(node.label or node.name)
    w, h = item.width, item.height
    family = _FAMILIES.get(node.kind, "")
    style = f"box {family}".strip()
    if node.kind == "Condition":
        shape = f'<path class="{style}" d="M14 0H{_n(w - 14)}L{_n(w)} {_n(h / 2)} {_n(w - 14)} '
        shape += f'{_n(h)}H14L0 {_n(h / 2)}z"/>'
    else:
        shape = f'<rect class="{style}" width="{_n(w)}" height="{_n(h)}" rx="7"/>'
    hover = [f"{name} ({visible(node.caption)})"]
    parts = [
        f'<text class="name" x="{_n(w / 2)}" y="20">{_xml(_short(name))}</text>',
        f'<text class="kind" x="{_n(w / 2)}" y="36">{_xml(_short(visible(node.caption)))}</text>',
    ]
    if notes:
        hover.append(_needs(notes, len(notes)))
        note = _xml(_short(_needs(notes, 2)))
        parts.append(f'<text class="note" x="{_n(w / 2)}" y="51">{note}</text>')
    # States are words of ours: the first one of `not run` and `failed` has a look of its own.
    fared = f' class="state-{_xml(node.state.split()[0])}"' if node.state.strip() else ""
    return [
        f'<g{fared} transform="translate({_n(item.x - w / 2)} {_n(top)})" text-anchor="middle">',
        f"<title>{_xml('; '.join(hover))}</title>",
        shape,
        *parts,
        "</g>",
    ]


def _node_size(node: Node, notes: list[str]) -> tuple[float, float]:
    width = max(
        _text_width(_short(visible(node.label or node.name)), 14),
        _text_width(_short(visible(node.caption)), 11.5),
        _text_width(_short(_needs(notes, 2)), 10.5) if notes else 0,
    )
    slope = 14 if node.kind == "Condition" else 0
    return max(96.0, round(width + 28 + slope)), _BOX + (_NOTE if notes else 0)


def _needs(notes: list[str], shown: int) -> str:
    more = f" and {len(notes) - shown} more" if len(notes) > shown else ""
    return "needs " + ", ".join(visible(name) for name in notes[:shown]) + more


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _text_width(text: str, size: float) -> float:
    """Estimate a line's width, on the generous side: nobody knows the reader's font."""
    ems = 0.0
    for char in text:
        if unicodedata.east_asian_width(char) in "WF":
            ems += 1.0
        elif char in "il.,:;|!'I-jft ":
            ems += 0.4
        elif char.isupper() or char in "mwMW@%":
            ems += 0.82
        elif not unicodedata.combining(char):
            ems += 0.64
    return ems * size


def _xml(text: str) -> str:
    return escape_xml(visible(text)).replace('"', "&quot;")


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
