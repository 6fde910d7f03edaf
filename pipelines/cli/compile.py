"""``sagedag compile``: write the pipeline definition JSON."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import (
    chosen_environment,
    environment_options,
    format_option,
    output_option,
    pairs,
    print_diagnostics,
    source,
    write_text,
)


@click.command(
    epilog="""\b
Examples:
  sagedag compile definitions/pulsar --env dev
  sagedag compile definitions/pulsar --env dev -o pulsar.json
  sagedag compile definitions/pulsar --var trees=20 | jq '.Steps[].Name'

Compiling needs no network and no credentials; the same input gives the same bytes."""
)
@click.argument("path", metavar="[PATH]", default=".")
@environment_options
@format_option
@output_option
def command(
    path: str,
    environment: str | None,
    variables: tuple[str, ...],
    style: str,
    output: Path | None,
) -> int:
    """Write the SageMaker pipeline definition of PATH (default: the one below here) as JSON."""
    from pipelines.compiler import compile_program
    from pipelines.language.check import check

    file, text = source(path)
    checked = check(
        file,
        environment=chosen_environment(environment),
        variables=pairs(variables, "--var"),
        text=text,
    )
    print_diagnostics(checked.diagnostics, style, err=True)
    if checked.failed or checked.program is None:
        return 1
    written = compile_program(checked.program).definition_json
    if output is None:
        click.echo(written, nl=False)
    else:
        write_text(output, written)
    return 0
