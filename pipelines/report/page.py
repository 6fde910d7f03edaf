"""A report as one HTML file: no scripts, nothing to fetch, light and dark."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from pipelines.local.views.words import duration, number
from pipelines.report.model import Report

TEMPLATE = Path(__file__).with_name("page.html.j2")


def render(report: Report) -> str:
    """Return the page. What jobs wrote is text in it, whatever it holds."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        duration=duration, number=number, size=_size, percent=_percent, printable=_printable
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    # The graph is markup of our own making, escaped where it was drawn.
    return template.render(report=report, picture=jinja2.utils.markupsafe.Markup(report.picture))  # type: ignore[attr-defined]


def _percent(part: float, whole: float) -> str:
    return f"{100 * max(0.0, part) / whole:.2f}%" if whole > 0 else "0%"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _printable(text: str) -> str:
    """Return text without control characters and direction marks, which could reorder it."""
    return "".join(
        sign
        if sign in "\n\t" or unicodedata.category(sign)[0] != "C"
        else "\N{REPLACEMENT CHARACTER}"
        for sign in text
    )
