"""What the pages of codes consist of: those of diagnostics and those of lint rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Literal

DEFINITION = "pipeline.yaml"


@dataclass(frozen=True)
class Example:
    """A small project.

    Args:
        files: the files' texts by name; ``pipeline.yaml`` is the definition.
        links: symbolic links by name, with where they lead.
        environment: the environment it is checked for.
        variables: what ``--var`` gives.
    """

    files: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)
    environment: str = "local"
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A code explained.

    Args:
        code: the code as messages print it.
        title: what is wrong, in one line.
        meaning: when the message comes, as Markdown.
        reason: why it is refused, or why it is worth a warning.
        broken: a project that gives the code.
        fixed: the same project, mended.
        level: what the message is, unless the code has both.
    """

    code: str
    title: str
    meaning: str
    reason: str
    broken: Example
    fixed: Example
    level: Literal["error", "warning", "info"] = "error"


@dataclass(frozen=True)
class Group:
    """Pages that belong together."""

    title: str
    pages: tuple[Page, ...]


def example(
    definition: str,
    files: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    environment: str = "local",
    variables: Mapping[str, str] | None = None,
) -> Example:
    """Return an example from texts that are indented as in the source."""
    texts = {DEFINITION: definition, **(files or {})}
    return Example(
        {name: dedent(text).lstrip("\n") for name, text in texts.items()},
        dict(links or {}),
        environment,
        dict(variables or {}),
    )
