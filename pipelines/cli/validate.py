"""``sagedag validate``: check definitions."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import (
    chosen_environment,
    environment_options,
    format_option,
    pairs,
    plural,
    print_diagnostics,
    sources,
    use_color,
)

if TYPE_CHECKING:
    from pipelines.language.diagnostics import Diagnostic


@click.command(
    epilog="""\b
Examples:
  sagedag validate                          every definition below this directory
  sagedag validate definitions/pulsar --env prod
  sagedag validate --format github          annotations in a GitHub job
  cat pipeline.yaml | sagedag validate -

Exit status: 0 all definitions are valid, 1 at least one is not, 2 wrong usage."""
)
@click.argument("paths", nargs=-1, metavar="[PATH…]")
@environment_options
@format_option
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but diagnostics.")
def command(
    paths: tuple[str, ...],
    environment: str | None,
    variables: tuple[str, ...],
    style: str,
    strict: bool,
    quiet: bool,
) -> int:
    """Check definitions and print every mistake with its place.

    PATH is a definition, a folder (every pipeline.yaml below it) or - for standard input.
    """
    from pipelines.language.check import check
    from pipelines.language.handlers_file import check_handlers

    chosen, given = chosen_environment(environment), pairs(variables, "--var")
    found: list[Diagnostic] = []
    count = 0
    for path, text in sources(paths):
        count += 1
        found.extend(check(path, environment=chosen, variables=given, text=text).diagnostics)
        found.extend(check_handlers(path.absolute().parent))
    # A variable is for the definitions that have it; it is unknown only if none has.
    unknown = [d for d in found if d.code == "unknown-variable"]
    if len(unknown) < count * len({d.source.text for d in unknown}):
        missed = Counter(d.source.text for d in unknown)
        found = [d for d in found if d not in unknown or missed[d.source.text] == count]
    # Files that several definitions extend are checked with each; say each thing once.
    unique = sorted({d.sort_key: d for d in found}.values(), key=lambda d: d.sort_key)
    print_diagnostics(unique, style)
    errors = sum(d.level == "error" for d in unique)
    warnings = len(unique) - errors
    if style == "text" and not quiet:
        _summary(count, errors, warnings, chosen, bool(unique))
    return 1 if errors or (strict and warnings) else 0


def _summary(count: int, errors: int, warnings: int, environment: str, gap: bool) -> None:
    definitions = plural(count, "definition")
    color = use_color(sys.stderr)
    if errors:
        text = f"{plural(errors, 'error')}"
        text += f" and {plural(warnings, 'warning')}" if warnings else ""
        text += f" in {definitions} (environment {environment})."
        click.echo(
            ("\n" if gap else "") + click.style(text, fg="red", bold=True), err=True, color=color
        )
        click.echo("`sagedag explain CODE` tells more about a code.", err=True)
        return
    text = f"{definitions} valid (environment {environment})"
    text += f", {plural(warnings, 'warning')}." if warnings else "."
    click.echo(("\n" if gap else "") + click.style(text, fg="green"), err=True, color=color)
