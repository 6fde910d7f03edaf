"""A plan on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.cloud.plan import Plan
from pipelines.cloud.views.lines import (
    SIGNS,
    Line,
    clipped_line,
    heading,
    obstacle_line,
    pipeline_lines,
    summary,
    title,
    upload_line,
)

_COLORS = {"+": "32", "-": "31", "~": "33", "!": "35"}
_WIDEST = 100


def render_text(plan: Plan, *, color: bool = False) -> str:
    """Return a plan as lines of text.

    Args:
        color: use terminal colours.
    """
    return "\n".join(_lines(plan, color))


def _lines(plan: Plan, color: bool) -> Iterator[str]:
    noted = [each for each in plan.pipelines if each.action != "none" or each.drifted]
    if noted or plan.uploads:
        yield f"Plan for {heading(plan)}"
        yield ""
    for each in noted:
        sign = SIGNS[each.action]
        yield _painted(f"{sign} {title(each)}", sign, color) + (
            f"  {each.file}" if each.file else ""
        )
        for line in pipeline_lines(each):
            yield render_line(line, color)
        yield ""
    if plan.uploads:
        yield "To upload"
        for upload in plan.uploads:
            yield f"    + {upload_line(upload)}"
        yield ""
    for obstacle in plan.obstacles:
        yield _painted(f"! {obstacle_line(obstacle)}", "!", color)
    if plan.obstacles:
        yield ""
    for note in plan.notes:
        yield clipped_line(f"Note: {note}")
    yield summary(plan)


def render_line(line: Line, color: bool) -> str:
    """Return one line of a plan, its place at the right."""
    text = "    " * line.depth + f"{line.sign} {line.text}"
    painted = _painted(text, line.sign, color)
    if not line.position:
        return painted
    space = max(2, _WIDEST - len(text) - len(line.position))
    place = f"\x1b[2m{line.position}\x1b[0m" if color else line.position
    return painted + " " * space + place


def _painted(text: str, sign: str, color: bool) -> str:
    if not color or sign not in _COLORS:
        return text
    return f"\x1b[{_COLORS[sign]}m{text}\x1b[0m"
