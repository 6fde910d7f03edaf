"""A plan on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.cloud.plan import Plan
from pipelines.cloud.views.lines import (
    SIGNS,
    WIDEST,
    Line,
    clipped_line,
    fitted,
    heading,
    obstacle_line,
    pipeline_lines,
    summary,
    title,
    upload_lines,
)

_COLORS = {"+": "32", "-": "31", "~": "33", "!": "35"}


def render_text(plan: Plan, *, color: bool = False, width: int = WIDEST) -> str:
    """Return a plan as lines of text.

    Args:
        color: use terminal colours.
        width: how many characters a line should have at most.
    """
    return "\n".join(_lines(plan, color, width))


def _lines(plan: Plan, color: bool, width: int) -> Iterator[str]:
    noted = [each for each in plan.pipelines if each.action != "none" or each.drifted]
    if noted or plan.uploads:
        yield f"Plan for {heading(plan)}"
        yield ""
    for each in noted:
        sign = SIGNS[each.action]
        yield _painted(f"{sign} {title(each)}", sign, color) + (
            f"  {each.file}" if each.file else ""
        )
        yield from render_lines(pipeline_lines(each), color, width, each.file)
        yield ""
    if plan.uploads:
        yield "To upload"
        yield from (f"    + {line}" for line in upload_lines(plan.uploads))
        yield ""
    for obstacle in plan.obstacles:
        yield _painted(f"! {obstacle_line(obstacle)}", "!", color)
    if plan.obstacles:
        yield ""
    for note in plan.notes:
        yield clipped_line(f"Note: {note}")
    yield summary(plan)


def render_lines(
    lines: Iterable[Line], color: bool, width: int = WIDEST, file: str = ""
) -> Iterator[str]:
    """Yield lines of a plan, their places at the right.

    Args:
        file: what is named above them: where a line is too wide it is not repeated.
    """
    for line in fitted(lines, width, file):
        text = "    " * line.depth + f"{line.sign} {line.text}"
        painted = _painted(text, line.sign, color)
        if not line.position:
            yield painted
            continue
        space = max(2, width - len(text) - len(line.position))
        place = f"\x1b[2m{line.position}\x1b[0m" if color else line.position
        yield painted + " " * space + place


def _painted(text: str, sign: str, color: bool) -> str:
    if not color or sign not in _COLORS:
        return text
    return f"\x1b[{_COLORS[sign]}m{text}\x1b[0m"
