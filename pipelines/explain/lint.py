"""Pages of the rules of ``sagedag lint``."""

from __future__ import annotations

from pipelines.explain.codes import example_blocks
from pipelines.explain.document import Block, Code, Document, Heading, Table, Text
from pipelines.lint.model import Rule
from pipelines.lint.rules import GROUPS, RULES

_COMMENT = """\
steps:
  train:
    type: Training
    role: arn:aws:iam::111122223333:role/shared  # sagedag: ignore[hard-coded-account] one account
"""

_SETTINGS = """\
[tool.sagedag.lint]
select = ["all"]                     # codes and groups; what is left out: all
ignore = ["no-network-isolation"]    # of select and ignore the narrower one wins
levels = {no-vpc = "error", portability = "info"}
environments = ["dev", "prod"]       # where the command names none; left out: all
max-runtime = "12h"                  # the limit of `long-runtime`
required-tags = ["team", "cost-center"]
"""


def rule_page(rule: Rule) -> Document:
    """Return the page of a rule."""
    page = rule.page
    notes = [f"The rule is in the group `{rule.group}`."]
    if rule.cloud:
        notes.append("It is about AWS and is not asked in the environment `local`.")
    if rule.online:
        notes.append("It asks AWS, with `--online` alone.")
    return Document(
        page.code,
        f"lint rule, {page.level}",
        f"{page.title}.",
        (
            Text(page.meaning),
            Heading("Why it matters"),
            Text(page.reason),
            *example_blocks(page),
            Heading("Leave it out"),
            Text(
                " ".join(notes) + f" `--ignore {page.code}` leaves it out, "
                f"`# sagedag: ignore[{page.code}] REASON` at the end of a line accepts what it "
                "finds there."
            ),
        ),
    )


def rule_list() -> Document:
    """Return the page that lists all rules and says how to set them."""
    blocks: list[Block] = [
        Text(
            "`sagedag lint` looks at the same definition as `sagedag validate` and at the requests "
            "that it becomes. Nothing is sent anywhere, and the SageMaker SDK is not needed. "
            "Without `--env` every environment of `environments.yaml` is looked at, and what they "
            "have in common is told once. Rules about AWS are not asked in `local`."
        ),
        Text(
            "`--online` asks AWS, too, whether what the definition names is there. It needs "
            "`--env`, since credentials belong to one account. Its calls only read; what they are "
            "not allowed to see is told as `not-checked`."
        ),
        Text(
            "A finding of level error makes the command exit with 7; with `--strict` a warning "
            "does, too. A definition that is invalid exits with 1, as it does everywhere."
        ),
    ]
    for group, about in GROUPS.items():
        rows = tuple(
            (f"`{rule.code}`", rule.page.level, rule.page.title)
            for rule in RULES
            if rule.group == group
        )
        blocks += [
            Heading(f"{group}: {about[0].lower()}{about[1:]}"),
            Table(("code", "level", "what is found"), rows),
        ]
    blocks += [
        Heading("Accept a finding"),
        Text(
            "A comment accepts what is found at its line; on a line of its own, at the next one. "
            "What is told once for all steps is accepted for one at that step's line. "
            "Several codes are divided by commas. A missing reason is a finding itself, and so is "
            "a comment that ignores nothing."
        ),
        Code(_COMMENT),
        Heading("Settings"),
        Text(
            "The nearest `pyproject.toml` above a definition that has the table is read. "
            "`--select` replaces its `select`, `--ignore` adds to its `ignore`."
        ),
        Code(_SETTINGS, "toml"),
        Text("`sagedag explain CODE` shows a rule's example and how to mend it."),
    ]
    return Document("lint", "topic", "What is valid and still not wise.", tuple(blocks))
