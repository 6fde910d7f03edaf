"""The pages of the diagnostic codes, with what the checks really say about each example."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from reference_pages import NOTE

from pipelines.explain.codes import code_list, code_page
from pipelines.explain.document import Block, Code, Document, Heading
from pipelines.explain.markdown import render
from pipelines.language.check import check
from pipelines.language.codes import GROUPS
from pipelines.language.diagnostics import render as render_diagnostics
from pipelines.language.pages import DEFINITION, Example, Page


def errors() -> dict[str, str]:
    """Return the page of every code and the list of them."""
    pages = [page for group in GROUPS for page in group.pages]
    made = {f"docs/errors/{page.code}.md": NOTE + render(_page(page)) for page in pages}
    index = render(replace(code_list(), title="Error codes"))
    for page in pages:
        index = index.replace(f"| `{page.code}` |", f"| [`{page.code}`]({page.code}.md) |")
    made["docs/errors/README.md"] = NOTE + index
    return made


def _page(page: Page) -> Document:
    document = code_page(page)
    blocks: list[Block] = []
    for block in document.blocks:
        if block == Heading("Mended"):
            blocks += [Heading("What is printed"), Code(printed(page.broken), "text")]
        blocks.append(block)
    return Document(document.title, document.label, document.summary, tuple(blocks))


def printed(example: Example) -> str:
    """Return what ``sagedag validate`` prints about an example, checked in a folder of its own."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in example.files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for name, target in example.links.items():
            Path(folder, name).symlink_to(target)
        os.chdir(folder)  # messages name files from the working directory
        try:
            checked = check(
                Path(DEFINITION), environment=example.environment, variables=example.variables
            )
            text = render_diagnostics(checked.diagnostics, "text")
        finally:
            os.chdir(before)
    return text.replace(str(Path(folder).resolve()), ".").replace(folder, ".")
