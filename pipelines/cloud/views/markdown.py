"""A plan as Markdown: a comment of a pull request, a job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.cloud.plan import PipelinePlan, Plan
from pipelines.cloud.views.lines import (
    SIGNS,
    WIDEST,
    clipped_line,
    fitted,
    heading,
    obstacle_line,
    pipeline_lines,
    plural,
    size_words,
    summary,
    title,
    upload_lines,
)

LONGEST = 60_000
"""GitHub takes 65,536 characters in a comment (GitLab a million)."""


def marker(environment: str, folder: str = "") -> str:
    """Return the comment, not shown, by which an earlier comment of the same kind is found.

    Args:
        folder: the project's, where its repository may hold several.
    """
    words = [environment, folder] if _of(folder) else [environment]
    told = " ".join(re.sub("[^A-Za-z0-9_.-]", "_", word) for word in words)
    return f"<!-- sagedag plan {told} -->"


def _of(folder: str) -> str:
    return "" if folder in ("", "definitions") else f" of {inline(folder)}"


def render_markdown(plan: Plan, folder: str = "") -> str:
    """Return a plan as Markdown of at most :data:`LONGEST` characters.

    Everything that comes from a definition or from AWS stands inside code blocks, whose fences are
    longer than any run of backticks in them: it cannot become markup, links or mentions.
    """
    parts = [
        marker(plan.environment, folder),
        f"### Plan for {inline(heading(plan))}{_of(folder)}",
        "",
        _summary(plan),
        "",
    ]
    length = sum(len(part) + 1 for part in parts) + 400
    shown = [each for each in plan.pipelines if each.action != "none" or each.drifted]
    for number, each in enumerate(shown):
        block = "\n".join(_pipeline(each, opened=len(shown) <= 3))
        if length + len(block) > LONGEST:
            left = len(shown) - number
            parts.append(f"… and {plural(left, 'pipeline')} more: `sagedag plan` shows all of it.")
            break
        parts.append(block)
        length += len(block) + 1
    uploads = "\n".join(_uploads(plan))
    if uploads and length + len(uploads) <= LONGEST:
        parts.append(uploads)
    parts += [f"> **!** {inline(obstacle_line(each))}" for each in plan.obstacles]
    parts += [f"> {inline(note)}" for note in plan.notes]
    return "\n".join(parts).rstrip() + "\n"


def _summary(plan: Plan) -> str:
    if plan.is_empty and len(plan.pipelines) == 1:
        return f"No changes. {inline(plan.pipelines[0].name)} is deployed as it is defined."
    return summary(plan)


def _pipeline(plan: PipelinePlan, *, opened: bool) -> Iterator[str]:
    mark = SIGNS[plan.action]
    yield f"<details{' open' if opened else ''}><summary>{html(f'{mark} {title(plan)}')}</summary>"
    yield ""
    lines = []
    for line in fitted(pipeline_lines(plan), WIDEST):
        # The sign stands first: that is what colours a line of `diff`.
        sign = {"~": "!", " ": " ", "!": "#"}.get(line.sign, line.sign)
        place = f"    ({line.position})" if line.position else ""
        lines.append(f"{sign} {'  ' * (line.depth - 1)}{line.text}{place}")
    yield from fenced(lines, "diff")
    yield ""
    yield "</details>"
    yield ""


def _uploads(plan: Plan) -> Iterator[str]:
    if not plan.uploads:
        return
    total = sum(upload.size for upload in plan.uploads)
    count = plural(len(plan.uploads), "asset")
    yield f"<details><summary>To upload: {count}, {size_words(total)}</summary>"
    yield ""
    yield from fenced(upload_lines(plan.uploads), "")
    yield ""
    yield "</details>"
    yield ""


def fenced(lines: list[str], language: str) -> Iterator[str]:
    """Yield a code block whose fences are longer than any run of backticks in it."""
    text = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{language}"
    yield text
    yield fence


def inline(text: str) -> str:
    """Return a text as inline code."""
    line = clipped_line(text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def html(text: str) -> str:
    """Return a text inside HTML: no markup, and nothing that Markdown or GitHub would read."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]()#@!|~:])", lambda m: f"&#{ord(m.group(1))};", escaped)
