"""``sagedag lint``: what is valid and still not wise."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import (
    format_option,
    pairs,
    plural,
    print_diagnostics,
    sources,
    use_color,
    variables_option,
)

if TYPE_CHECKING:
    from pipelines.lint import Linted


@click.command(
    epilog="""\b
Examples:
  sagedag lint                              every definition below this directory
  sagedag lint definitions/pulsar --env prod
  sagedag lint --select security --ignore no-vpc
  sagedag lint --env prod --online          is everything there that is named?
  sagedag lint --format sarif > lint.sarif  for code scanning
  sagedag explain lint                      all rules, and how to set them

Exit status: 0 nothing of level error, 1 a definition is invalid, 2 wrong usage, 4 AWS refused,
7 findings."""
)
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="One environment (default: $SAGEDAG_ENV, else all that the project has).",
)
@variables_option
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    help="Look for these rules or groups alone, divided by commas; may be repeated.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODES",
    help="Leave these rules or groups out, too; may be repeated.",
)
@click.option(
    "--online",
    is_flag=True,
    help="Ask AWS, too, whether roles, images, functions and so on are there; needs --env.",
)
@format_option
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but findings.")
def command(
    paths: tuple[str, ...],
    environment: str | None,
    variables: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    online: bool,
    style: str,
    strict: bool,
    quiet: bool,
) -> int:
    """Find what is valid and still not wise, in definitions.

    PATH is a definition, a folder (every pipeline.yaml below it) or - for standard input. Without
    --env or SAGEDAG_ENV every environment is looked at, and what they have in common told once.
    """
    from pipelines.lint import Linter, Target
    from pipelines.lint.rules import RULES

    chosen = environment or os.environ.get("SAGEDAG_ENV")
    linter = Linter(chosen, _divided(select), _divided(ignore), online=online)
    given, count = pairs(variables, "--var"), 0
    for path, text in sources(paths):
        count += 1
        for _ in linter.look_at(Target(path, text, given)):
            pass
    result = linter.finish()
    titles = {rule.code: rule.page.title for rule in RULES}
    print_diagnostics([*result.errors, *result.findings], style, titles=titles)
    levels: Counter[str] = Counter(d.level for d in result.findings)
    if style == "text" and not quiet:
        _summary(result, levels, count)
    if result.errors:
        return 1
    return 7 if levels["error"] or (strict and levels["warning"]) else 0


def _divided(values: tuple[str, ...]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _summary(result: Linted, levels: Counter[str], count: int) -> None:
    color = use_color(sys.stderr)
    names = ", ".join(result.environments)
    word = "environment" if len(result.environments) == 1 else "environments"
    where = f"in {plural(count, 'definition')} ({word} {names})"
    words = {"error": "error", "warning": "warning", "info": "remark"}
    told = [plural(levels[level], word) for level, word in words.items() if levels[level]]
    if result.errors:
        text = f"{plural(len(result.errors), 'mistake')} {where}: mend them first."
    elif told:
        text = ", ".join(told[:-1]) + (" and " if told[1:] else "") + told[-1] + f" {where}"
    else:
        text = f"nothing found {where}"
    if not result.errors:
        text += f"; {result.ignored} ignored by comments." if result.ignored else "."
    bad = bool(result.errors) or bool(levels["error"])
    tint = "red" if bad else "yellow" if levels["warning"] else "green"
    gap = "\n" if result.errors or told else ""
    click.echo(gap + click.style(text, fg=tint, bold=bad), err=True, color=color)
    if result.only_local and not result.errors:
        click.echo("Rules about AWS need another environment than local: --env NAME.", err=True)
    if told or result.errors:
        click.echo("`sagedag explain CODE` tells more about a code.", err=True)
