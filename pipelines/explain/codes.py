"""Pages of the diagnostic codes."""

from __future__ import annotations

from pipelines.explain.document import Block, Code, Document, Heading, Table, Text
from pipelines.explain.yaml_text import flow
from pipelines.language.codes import GROUPS
from pipelines.language.pages import DEFINITION, Example, Page


def code_page(page: Page) -> Document:
    """Return the page of a code."""
    return Document(
        page.code,
        page.level,
        f"{page.title}.",
        (
            Text(page.meaning),
            Heading("Why it matters"),
            Text(page.reason),
            *example_blocks(page),
        ),
    )


def example_blocks(page: Page) -> list[Block]:
    """Return a code's example and how it is mended."""
    return [
        Heading("Example"),
        *_files(page.broken),
        Heading("Mended"),
        *_files(page.fixed),
    ]


def _files(example: Example) -> list[Block]:
    """Return the YAML files of an example; further files are only named."""
    blocks: list[Block] = []
    options = [f"--env {example.environment}"] if example.environment != "local" else []
    options += [f"--var {name}={flow(value)}" for name, value in example.variables.items()]
    if options:
        blocks.append(Text(f"With `{' '.join(options)}`:"))
    shown = {name: text for name, text in example.files.items() if name.endswith(".yaml")}
    for name, text in shown.items():
        if len(shown) > 1 or name != DEFINITION:
            blocks.append(Text(f"`{name}`:"))
        blocks.append(Code(text))
    others = [f"`{name}`" for name in example.files if name not in shown]
    others += [f"`{name}`, a link to `{target}`" for name, target in example.links.items()]
    if others:
        blocks.append(Text(f"Beside it: {'; '.join(others)}."))
    return blocks


def code_list() -> Document:
    """Return the page that lists all codes."""
    blocks: list[Block] = []
    for group in GROUPS:
        rows = tuple((f"`{page.code}`", page.title) for page in group.pages)
        blocks += [Heading(group.title), Table(("code", "what is wrong"), rows)]
    blocks.append(Text("`sagedag explain CODE` shows an example and how to mend it."))
    return Document(
        "codes", "topic", "The codes in brackets behind `error` and `warning`.", tuple(blocks)
    )
