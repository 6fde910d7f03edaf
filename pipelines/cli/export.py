"""``sagedag export``: pipelines for other tools to deploy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from pipelines.cli.aws_options import aws_options, cloud_environment, connection
from pipelines.cli.options import (
    environment_options,
    output_option,
    pairs,
    print_diagnostics,
    write_text,
)
from pipelines.errors import UsageError

NAMES = ("cloudformation", "terraform", "ack")

DIRECT, FROM_S3 = 51_200, 1_048_576
"""Bytes of a template that CloudFormation gets in a request, and from S3 (its quotas)."""


@click.command(
    epilog="""\b
Examples:
  sagedag export definitions/pulsar --env prod --format cloudformation -o pulsar.json
  sagedag export --env prod --format terraform -o pipelines.tf.json
  sagedag export definitions/pulsar --env prod --format ack --publish | kubectl apply -f -

Without --publish nothing is called: the code that the definitions name must be in S3 before a
pipeline starts, and what is written lists where."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@environment_options
@click.option(
    "--format",
    "style",
    type=click.Choice(NAMES),
    required=True,
    help="AWS::SageMaker::Pipeline, aws_sagemaker_pipeline, or a Pipeline of ACK for Kubernetes.",
)
@output_option
@click.option("--publish", is_flag=True, help="Upload the code that is not in S3 yet, first.")
@click.option(
    "--definition-in-s3",
    is_flag=True,
    help="With --publish: put the definitions into S3 and write where they are.",
)
@aws_options
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Write PATH (default: the definitions below here) for CloudFormation, Terraform or ACK."""
    from pipelines.cloud.exports import FORMATS
    from pipelines.exporting import by_way_of_s3, export, publish
    from pipelines.language.diagnostics import InvalidDefinition

    _check_in_s3(options)
    try:
        made = export(
            paths or (".",),
            environment=cloud_environment(options["environment"]),
            variables=pairs(options["variables"], "--var"),
        )
    except InvalidDefinition as error:
        print_diagnostics(error.diagnostics, "text", err=True)
        return error.exit_code
    print_diagnostics(made.warnings, "text", err=True)
    for each in made.pipelines:
        if each.left_out():
            names = ", ".join(each.left_out())
            click.echo(f"warning: {each.wanted.name}: no export has words for {names}", err=True)
        if options["style"] == "ack" and each.wanted.schedules:
            click.echo(f"warning: {each.wanted.name}: ACK has no schedules", err=True)
    if options["definition_in_s3"]:
        made = by_way_of_s3(made)
    write = FORMATS[options["style"]].write
    text = write(made.pipelines)
    if options["style"] == "cloudformation" and options["publish"] and len(text.encode()) > DIRECT:
        made = by_way_of_s3(made)
        text = write(made.pipelines)
    if options["publish"]:
        count = publish(made, connection(options))
        click.echo(f"{count} objects uploaded.", err=True)
    if options["style"] == "cloudformation":
        for line in too_large(len(text.encode())):
            click.echo(f"warning: {line}", err=True)
    if options["output"] is None:
        click.echo(text, nl=False)
    else:
        write_text(options["output"], text)
    return 0


def _check_in_s3(options: Mapping[str, Any]) -> None:
    if not options["definition_in_s3"]:
        return
    if options["style"] == "ack":
        # The controller's custom resource definition knows the text of a definition alone.
        raise UsageError("ACK takes a definition as text alone", "leave --definition-in-s3 away")
    if not options["publish"]:
        raise UsageError(
            "--definition-in-s3 names objects that --publish uploads", "give --publish as well"
        )


def too_large(size: int) -> Iterator[str]:
    """Yield what to do with a template that CloudFormation does not take as it is."""
    if size > FROM_S3:
        yield (
            f"the template has {size:,} bytes; CloudFormation takes {FROM_S3:,}: "
            "export fewer definitions at once"
        )
    elif size > DIRECT:
        yield (
            f"the template has {size:,} bytes; CloudFormation takes more than {DIRECT:,} from S3 "
            "alone: `aws cloudformation deploy --s3-bucket BUCKET …` puts it there, and --publish "
            "makes it small by putting the definitions there"
        )
