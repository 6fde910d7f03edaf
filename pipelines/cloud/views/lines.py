"""What every view of a plan says: the same words for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.cloud.plan import (
    Change,
    CodeChange,
    FileChange,
    Obstacle,
    PipelinePlan,
    Plan,
    Upload,
)
from pipelines.cloud.wording import clipped

WIDEST = 100
"""How wide plans are where nobody says."""

SIGNS = {"create": "+", "update": "~", "delete": "-", "none": " "}


@dataclass(frozen=True)
class Line:
    """One line: its sign, its text, how deep it stands and where it was written.

    Args:
        parts: the same as a line that ends in a colon, what was and what is, for narrow places.
    """

    sign: str
    text: str
    depth: int = 0
    position: str = ""
    parts: tuple[str, str, str] | None = None


def size_words(size: int) -> str:
    """Return a size for people: ``1.2 KiB``."""
    if size < 1024:
        return f"{size} B"
    number = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        number /= 1024
        if number < 1024 or unit == "GiB":
            break
    return f"{number:.1f} {unit}"


def plural(count: int, word: str) -> str:
    """Return ``3 pipelines``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def change_line(change: Change, depth: int = 1) -> Line:
    """Return the line of a difference."""
    words, note, parts = change.words, "", None
    if change.note:
        note = f" ({change.note})" if ":" not in change.note else f": {change.note}"
    if change.before and change.after:
        parts = (f"{words}{note}:" if note else f"{words}:", change.before, change.after)
        words += f": {change.before} → {change.after}"
    elif change.before or change.after:
        words += f": {change.after or change.before}"
    return Line(change.sign, clipped_line(words + note), depth, change.position, parts)


def fitted(lines: Iterable[Line], width: int, file: str = "") -> Iterator[Line]:
    """Yield lines; those that are too wide say less of their place, or are told as several.

    Args:
        file: what is named above them: where a line is too wide its place does not repeat it.
    """
    for line in lines:
        text = 4 * line.depth + 2 + len(line.text)
        position = line.position
        if position and text + 2 + len(position) > width and file:
            position = position.removeprefix(file)
        if line.parts is None or text + (2 + len(position) if position else 0) <= width:
            yield replace(line, position=position)
            continue
        head, before, after = line.parts
        yield Line(line.sign, clipped_line(head), line.depth, line.position)
        yield Line("-", clipped_line(before), line.depth + 1)
        yield Line("+", clipped_line(after), line.depth + 1)


def clipped_line(text: str) -> str:
    """Return a line without control characters; its values are shortened already."""
    return clipped(text, 400)


def _file_line(change: FileChange) -> Line:
    sizes = [size_words(size) for size in (change.before, change.after) if size is not None]
    same = len(sizes) == 2 and change.before == change.after
    told = f"{sizes[0]}, same size" if same else " → ".join(sizes)
    return Line(change.sign, clipped_line(f"{change.name}  {told}"), 2)


MOST_FILES = 20


MOST_FIELDS = 4


def code_lines(changes: Iterable[CodeChange]) -> Iterator[Line]:
    """Yield the lines of assets that differ; one that several steps use is told once."""
    by_asset: dict[tuple[str, str], list[CodeChange]] = {}
    for change in changes:
        by_asset.setdefault((change.before, change.after), []).append(change)
    for same in by_asset.values():
        words = [change.words for change in same]
        if len(words) > MOST_FIELDS:
            words = [*words[: MOST_FIELDS - 1], f"{len(words) - MOST_FIELDS + 1} more"]
        fields = " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
        yield from _asset_lines(fields, same[0])


def _asset_lines(fields: str, change: CodeChange) -> Iterator[Line]:
    if not change.known:
        told = f"{fields}: other code (what is deployed could not be read)"
        yield Line("~", clipped_line(told), 1)
        return
    count = len(change.files)
    yield Line("~", clipped_line(f"{fields}: {plural(count, 'file')} changed"), 1)
    for file in change.files[:MOST_FILES]:
        yield _file_line(file)
    if count > MOST_FILES:
        yield Line(" ", f"and {count - MOST_FILES} more", 2)


def pipeline_lines(plan: PipelinePlan) -> Iterator[Line]:
    """Yield the lines of one pipeline, its own name not among them."""
    if plan.owner:
        yield Line("!", clipped_line(f"deployed by {plan.owner}"), 1)
    for note in plan.notes:
        yield Line("!" if plan.drifted and "something else" in note else " ", clipped_line(note), 1)
    for change in plan.drift:
        yield change_line(change, 2)
    for change in plan.changes:
        yield change_line(change)
    yield from code_lines(plan.code)
    for loss in plan.cache:
        yield Line(" ", clipped_line(f"cache of {loss.step} is lost: {loss.why}"), 1)


def upload_lines(uploads: Sequence[Upload]) -> list[str]:
    """Return what uploads are made of and where they go, in columns."""
    rows = []
    for upload in uploads:
        base, _, digest = upload.uri.rpartition("/")
        told = f"{plural(len(upload.files), 'file')}, {size_words(upload.size)}"
        rows.append((clipped(upload.source or "."), told, f"{base}/{digest[:8]}…"))
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)] if rows else []
    return [
        clipped_line(f"{source:{widths[0]}}  {told:{widths[1]}}  {target}")
        for source, told, target in rows
    ]


def obstacle_line(obstacle: Obstacle) -> str:
    """Return what stands in the way, and the way out."""
    return clipped_line(f"{obstacle.what}: {obstacle.way_out}")


def title(plan: PipelinePlan) -> str:
    """Return how a pipeline is headed."""
    what = {"create": "to be created", "update": "to be changed", "delete": "to be deleted"}
    return clipped_line(f"{plan.name}  {what.get(plan.action, 'unchanged')}")


def summary(plan: Plan) -> str:
    """Return the last line: how many of each."""
    if plan.is_empty:
        count = len(plan.pipelines)
        if not count:
            return "No changes."
        if count == 1:
            return f"No changes. `{plan.pipelines[0].name}` is deployed as it is defined."
        return f"No changes. {count} pipelines are deployed as they are defined."
    counts = {
        word: sum(1 for each in plan.pipelines if each.action == action)
        for action, word in (("create", "create"), ("update", "change"), ("delete", "delete"))
    }
    parts = [f"{count} to {word}" for word, count in counts.items() if count]
    rest = len(plan.pipelines) - len(plan.changed)
    if rest:
        parts.append(f"{rest} unchanged")
    if plan.uploads:
        total = sum(upload.size for upload in plan.uploads)
        parts.append(f"{plural(len(plan.uploads), 'asset')} to upload ({size_words(total)})")
    return "Plan: " + ", ".join(parts) + "."


def heading(plan: Plan) -> str:
    """Return where the plan is for."""
    return f"{plan.environment} (account {plan.account}, {plan.region})"
