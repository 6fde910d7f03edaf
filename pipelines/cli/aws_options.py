"""Options and habits that commands share which call AWS."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Decorated, environment_options
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.deployment import Connection


def aws_options(function: Decorated) -> Decorated:
    """Add ``--profile``, ``--region`` and ``--debug``; :func:`connection` reads them."""
    function = click.option(
        "--debug", is_flag=True, help="Print every call to AWS and its retries, without content."
    )(function)
    function = click.option(
        "--region", metavar="REGION", help="The AWS region (default: the environment's)."
    )(function)
    return click.option(
        "--profile",
        metavar="NAME",
        help="The AWS profile (default: your AWS variables, else the environment's).",
    )(function)


def cloud_environment_options(function: Decorated) -> Decorated:
    """Add ``--env`` and ``--var``; :func:`cloud_environment` reads the first."""
    return environment_options(
        function, "The environment of environments.yaml (default: $SAGEDAG_ENV)."
    )


def connection(options: Mapping[str, Any]) -> Connection:
    """Return what the options say about where to call."""
    import logging

    from pipelines.deployment import Connection

    # The SageMaker SDK sets the root logger to INFO, and botocore's own debug lines hold headers
    # and bodies; --debug has lines of ours instead.
    for name in ("boto3", "botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    tell = (lambda line: click.echo(line, err=True)) if options["debug"] else None
    # A line may stand unfinished there, such as that of an upload: it is written over.
    notice = (lambda line: click.echo(f"\r\033[K{line}", err=True)) if sys.stderr.isatty() else None
    return Connection(options["profile"] or "", options["region"] or "", tell, notice)


def cloud_environment(name: str | None) -> str:
    """Return the environment's name; here ``local`` is no sensible default.

    Raises:
        UsageError: none was named.
    """
    chosen = name or os.environ.get("SAGEDAG_ENV")
    if not chosen:
        raise UsageError(
            "which environment?", "name one of environments.yaml with --env or SAGEDAG_ENV"
        )
    return chosen


DECLINED = 1
"""How a command ends whose question was answered with no, as other deploy tools end
(docs/decisions/0022)."""


def confirm(question: str, *, yes: bool, hint: str = "pass --yes") -> None:
    """Ask before something is written; where the answer is no, end with :data:`DECLINED`.

    Args:
        yes: the answer was given on the command line.
        hint: what to do where nobody is there to answer.

    Raises:
        UsageError: nobody is there to answer.
        Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is there to confirm: standard input is no terminal",
            hint,
        )
    if not click.confirm(question, default=False, err=True):
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(DECLINED)
