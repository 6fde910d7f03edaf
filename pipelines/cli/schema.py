"""``sagedag schema``: print the JSON Schema of definitions."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli.options import output_option, write_text


@click.command(
    epilog="""\b
Examples:
  sagedag schema > definitions/schema/pipeline.schema.json

A first line like this makes editors complete and check a definition:
  # yaml-language-server: $schema=../schema/pipeline.schema.json"""
)
@output_option
def command(output: Path | None) -> int:
    """Print the JSON Schema (draft-07) of definitions, for editors."""
    from pipelines.language.editor_schema import editor_schema

    text = json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
    return 0
