"""Pages as Markdown, for the reference documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.explain.document import Block, Code, Document, Heading, Table


def render(document: Document, *, level: int = 1) -> str:
    """Return a page as Markdown.

    Args:
        level: the level of its title's heading.
    """
    head = f"{'#' * level} {document.title}\n\n{document.summary}\n"
    body = render_blocks(document.blocks, level=level)
    return f"{head}\n{body}" if body else head


def render_blocks(blocks: Sequence[Block], *, level: int = 1) -> str:
    """Return blocks as Markdown; headings are one below ``level``."""
    return "\n".join("\n".join(_block(block, level)) + "\n" for block in blocks)


def _block(block: Block, level: int) -> list[str]:
    if isinstance(block, Heading):
        return [f"{'#' * (level + 1)} {block.text}"]
    if isinstance(block, Code):
        return [f"```{block.language}", *block.text.rstrip("\n").split("\n"), "```"]
    if isinstance(block, Table):
        head = block.head or ("",) * (len(block.rows[0]) if block.rows else 2)
        return [_row(head), _row(("---",) * len(head)), *(_row(row) for row in block.rows)]
    return [" ".join(paragraph.split()) for paragraph in _divided(block.text)]


def _divided(text: str) -> list[str]:
    parts = re.split(r"\n\s*\n", text.strip())
    divided: list[str] = []
    for part in parts:
        divided += [*([""] if divided else []), part]
    return divided


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(cell: str) -> str:
    return " ".join(cell.replace("|", "\\|").split())
