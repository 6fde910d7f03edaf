"""``sagedag graph``: draw a definition's steps."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import (
    chosen_environment,
    environment_options,
    output_option,
    pairs,
    print_diagnostics,
    sources,
    write_text,
)

STYLES = ("text", "mermaid", "dot", "svg")


@click.command(
    epilog="""\b
Examples:
  sagedag graph definitions/pulsar
  sagedag graph definitions/pulsar --format mermaid     for Markdown on GitHub and GitLab
  sagedag graph definitions/pulsar --format svg -o pulsar.svg
  sagedag graph definitions/pulsar --format dot | dot -Tpng > pulsar.png"""
)
@click.argument("path", metavar="[PATH]", default=".")
@environment_options
@click.option(
    "--format",
    "style",
    type=click.Choice(STYLES),
    default="text",
    show_default=True,
    help="How the graph is written.",
)
@output_option
def command(
    path: str,
    environment: str | None,
    variables: tuple[str, ...],
    style: str,
    output: Path | None,
) -> int:
    """Draw the steps of PATH (default: all below here) and what connects them."""
    import importlib

    from pipelines.language.load import load
    from pipelines.pictures import graph_of

    chosen, given = chosen_environment(environment), pairs(variables, "--var")
    # Each renderer is a module of its own: the others need not be imported.
    renderer = getattr(importlib.import_module(f"pipelines.draw.{style}"), style)
    written = []
    for file, text in sources([path]):
        loaded = load(file, environment=chosen, variables=given, text=text)
        if loaded.report.failed or loaded.spec is None:
            print_diagnostics(loaded.report.diagnostics, "text", err=True)
            return 1
        written.append(renderer(graph_of(loaded.spec)).rstrip("\n"))
    made = "\n\n".join(written) + "\n"
    if output is None:
        click.echo(made, nl=False)
    else:
        write_text(output, made)
    return 0
