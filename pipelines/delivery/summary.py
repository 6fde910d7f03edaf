"""What came of a deploy, as Markdown: a job's summary, or the comment of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.affected import DEPLOYED
from pipelines.cloud.views.markdown import LONGEST, fenced, inline, marker, render_markdown
from pipelines.cloud.wording import clipped
from pipelines.delivery.deliver import Delivery
from pipelines.language.diagnostics import Diagnostic
from pipelines.language.project import shown

MOST = 20
"""How many messages or definitions are told."""

_DONE = {"create": "created", "update": "updated", "delete": "deleted"}


def render_summary(delivery: Delivery, *, dry_run: bool) -> str:
    """Return a delivery as Markdown of at most ``LONGEST`` characters and a little more.

    What comes from definitions, git or AWS stands in code spans and code blocks: it cannot become
    markup. The first line of a dry run's is a comment by which an earlier one is found again.
    """
    parts = [marker(delivery.environment, delivery.folder)] if dry_run else []
    if dry_run and delivery.planned is not None and delivery.error is None:
        # The plan's own first line is that comment.
        parts = [render_markdown(delivery.planned.plan, delivery.folder).rstrip(), ""]
    else:
        parts += [*_head(delivery, dry_run), ""]
        if delivery.planned is not None and not dry_run:
            plan = render_markdown(delivery.planned.plan)
            parts += [plan.partition("\n")[2].rstrip(), ""]
    parts += _choice(delivery)
    parts += _findings(delivery)
    text = "\n".join(parts).rstrip() + "\n"
    if len(text) > LONGEST + 5_000:
        text = text[:LONGEST].rsplit("\n", 1)[0] + "\n\n… the job's log has all of it.\n"
    return text


def _head(delivery: Delivery, dry_run: bool) -> Iterator[str]:
    where = inline(delivery.environment)
    titles = {
        "invalid": f"Not deployed to {where}: definitions are invalid",
        "findings": f"Not deployed to {where}: lint found errors",
        "unchanged": f"Nothing to deploy to {where}",
        "planned": f"Plan for {where}",
        "deployed": f"Deployed to {where}",
        "failed": f"Deploying to {where} failed",
    }
    title = titles[delivery.status]
    if dry_run and delivery.status != "planned":
        title = title.replace("Not deployed to", "No plan for", 1)
        title = title.replace("Deploying to", "Planning", 1)
    yield f"### {title}"
    if delivery.commit:
        yield ""
        yield f"Commit {inline(delivery.commit)}"
    if delivery.error is not None:
        yield ""
        lines = [clipped(delivery.error.message, 2_000)]
        if delivery.error.hint:
            lines.append(f"hint: {clipped(delivery.error.hint, 2_000)}")
        yield from fenced(lines, "")
    if delivery.applied:
        yield ""
        yield "| pipeline | | version |"
        yield "|---|---|---|"
        for each in delivery.applied:
            version = str(each.version) if each.version is not None else ""
            yield f"| {inline(each.name)} | {_DONE[each.action]} | {version} |"
        for note in dict.fromkeys(n for each in delivery.applied for n in each.notes):
            yield ""
            yield f"> {inline(note)}"
    if delivery.attempts > 1 and delivery.error is None:
        yield ""
        yield "Another deploy ran at the same time; this one made a new plan after it."


def _choice(delivery: Delivery) -> Iterator[str]:
    choice = delivery.choice
    difference = choice.difference
    if difference is None:
        return
    total = len(choice.chosen) + len(choice.left)
    since = f"since {inline(difference.base[:12])}" if difference.base else "in all"
    yield f"<details><summary>{len(choice.chosen)} of {total} definitions affected</summary>"
    yield ""
    if difference.since == DEPLOYED:
        yield "Compared with the commits that are deployed."
    else:
        yield f"Compared {since}." if difference.base else "Everything counts as changed."
    yield ""
    lines = []
    for each in choice.chosen[:MOST]:
        lines.append(shown(each.path))
        for because in each.because[:MOST]:
            change = because.change
            told = f"{change.status} {shown(change.path)}: " if change is not None else ""
            lines.append(f"    {told}{because.what}")
    if len(choice.chosen) > MOST:
        lines.append(f"and {len(choice.chosen) - MOST} more")
    yield from fenced([clipped(line, 300) for line in lines] or ["none"], "")
    yield ""
    yield "</details>"
    yield ""


def _findings(delivery: Delivery) -> Iterator[str]:
    messages = [*delivery.diagnostics, *delivery.findings]
    errors = [each for each in messages if each.level == "error"]
    others = [each for each in messages if each.level != "error"]
    if errors:
        yield from _messages("Errors", errors, " open")
    if others:
        yield from _messages("Remarks of the checks and of lint", others, "")


def _messages(title: str, messages: Sequence[Diagnostic], opened: str) -> Iterator[str]:
    yield f"<details{opened}><summary>{title}: {len(messages)}</summary>"
    yield ""
    lines = []
    for each in messages[:MOST]:
        place = f"{each.source.name}:{each.span.line}:{each.span.column}"
        lines.append(f"{place} {each.level}[{each.code}] {each.message}")
        if each.hint:
            lines.append(f"    {each.hint}")
    if len(messages) > MOST:
        lines.append(f"and {len(messages) - MOST} more")
    yield from fenced([clipped(line, 400) for line in lines], "")
    yield ""
    yield "</details>"
    yield ""
