"""``sagedag explain``: what a step kind, a field, a key, a topic or an error code means."""

from __future__ import annotations

import sys

import click

from pipelines.cli.options import use_color, width_of


@click.command(
    epilog="""\b
Examples:
  sagedag explain                       all step kinds, keys and topics
  sagedag explain Training              a step kind, with an example
  sagedag explain Training.instance     a field, and what is inside it
  sagedag explain Processing.inputs.source
  sagedag explain parameters            a key of the top level
  sagedag explain references            a topic of the language
  sagedag explain codes                 all error codes
  sagedag explain unknown-key           one of them, with an example and its fix"""
)
@click.argument("word", required=False, default="", metavar="[KIND|KIND.FIELD|KEY|TOPIC|CODE]")
def command(word: str) -> int:
    """Explain a step kind, a field, a key, a topic or an error code.

    Without an argument, list what there is to explain.
    """
    from pipelines.explain import explain
    from pipelines.explain.terminal import WIDEST, render

    page = explain(word)
    color = use_color(sys.stdout)
    width = width_of(sys.stdout, WIDEST)
    click.echo(render(page, width=width, color=color), color=color)
    return 0
