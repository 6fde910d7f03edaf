"""The pages of the rules of ``sagedag lint``, with what it really says about each example."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from reference_pages import NOTE

from pipelines.explain.document import Block, Code, Document, Heading
from pipelines.explain.lint import rule_list, rule_page
from pipelines.explain.markdown import render
from pipelines.language.diagnostics import render as render_diagnostics
from pipelines.language.pages import DEFINITION
from pipelines.lint import Rule, Target, lint
from pipelines.lint.rules import RULES


def pages() -> dict[str, str]:
    """Return the page of every rule and the list of them."""
    made = {f"docs/lint/{rule.code}.md": NOTE + render(_page(rule)) for rule in RULES}
    index = render(replace(rule_list(), title="Lint"))
    for rule in RULES:
        index = index.replace(f"| `{rule.code}` |", f"| [`{rule.code}`]({rule.code}.md) |")
    made["docs/lint/README.md"] = NOTE + index
    return made


def _page(rule: Rule) -> Document:
    document = rule_page(rule)
    blocks: list[Block] = []
    for block in document.blocks:
        if block == Heading("Mended") and not rule.online:
            blocks += [Heading("What is printed"), Code(printed(rule), "text")]
        blocks.append(block)
    return replace(document, blocks=tuple(blocks))


def printed(rule: Rule) -> str:
    """Return what ``sagedag lint`` prints about a rule's example, in a folder of its own."""
    before = Path.cwd()
    example = rule.page.broken
    with tempfile.TemporaryDirectory() as folder:
        for name, text in example.files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        os.chdir(folder)  # messages name files from the working directory
        try:
            found = lint(Target(Path(DEFINITION)), environment=example.environment).findings
        finally:
            os.chdir(before)
    return render_diagnostics([d for d in found if d.code == rule.code], "text")
