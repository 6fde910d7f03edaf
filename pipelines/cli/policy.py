"""``sagedag policy``: the IAM policies that a definition needs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipelines.cli.options import (
    chosen_environment,
    environment_options,
    pairs,
    print_diagnostics,
    source,
    use_color,
    write_text,
)
from pipelines.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  sagedag policy definitions/pulsar --env prod
  sagedag policy definitions/pulsar --env prod --format terraform > policies.tf
  sagedag policy definitions/pulsar --env prod -o policies/
  sagedag policy definitions/pulsar --env prod --only pulsar-jobs > jobs.json"""
)
@click.argument("path", metavar="[PATH]", default=".")
@environment_options
@click.option(
    "--format",
    "style",
    type=click.Choice(("text", "json", "terraform")),
    default="text",
    show_default=True,
    help="How they are written.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--only", metavar="NAME", help="Print the document of this policy alone, as JSON.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write every document to DIR/NAME.json instead.",
)
def command(
    path: str,
    environment: str | None,
    variables: tuple[str, ...],
    style: str,
    as_json: bool,
    only: str | None,
    output: Path | None,
) -> int:
    """Write the least-privilege IAM policies that the definition PATH (default: the one
    below here) needs.

    There is one for the pipeline's role, one for each role that its jobs run with, the trust
    policies of these roles, and those of who plans, deploys and starts. Nothing is asked of AWS.
    What is known only when the pipeline runs is `*` in that part of an ARN.
    """
    from pipelines.language.check import check
    from pipelines.policy import policies, writing

    file, text = source(path)
    chosen = chosen_environment(environment)
    checked = check(file, environment=chosen, variables=pairs(variables, "--var"), text=text)
    if checked.failed or checked.program is None:
        print_diagnostics(checked.diagnostics, "text", err=True)
        return 1
    if checked.program.spec.environment.local:
        raise UsageError(
            f"the environment `{chosen}` is this machine: nothing there needs IAM",
            "name another with --env or SAGEDAG_ENV; environments.yaml says which there are",
        )
    made = policies(checked.program)
    if only is not None:
        one = next((policy for policy in made if policy.name == only), None)
        if one is None:
            raise UsageError(
                f"there is no policy `{only}`", "there is " + ", ".join(p.name for p in made)
            )
        click.echo(json.dumps(one.document, indent=2, ensure_ascii=False))
        return 0
    if output is not None:
        for policy in made:
            written = json.dumps(policy.document, indent=2, ensure_ascii=False) + "\n"
            write_text(output / f"{policy.name}.json", written)
            click.echo(output / f"{policy.name}.json")
        return 0
    if as_json or style == "json":
        click.echo(writing.as_json(made))
    elif style == "terraform":
        click.echo(writing.as_terraform(made))
    else:
        color = use_color(sys.stdout)
        click.echo(writing.as_text(made, color=color), color=color)
    return 0
