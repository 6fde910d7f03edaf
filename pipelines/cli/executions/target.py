"""Which pipeline or execution a word on the command line means, and where."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cli.aws_options import cloud_environment, connection
from pipelines.cli.options import pairs
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.cloud.client import Clients
    from pipelines.cloud.executions.reading import Named
    from pipelines.deployment import Connection

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":pipeline/(?P<name>[A-Za-z0-9-]{1,256})(/execution/(?P<id>[A-Za-z0-9-]+))?"
)
_PIPELINE = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,255}")
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
LATEST = "latest"


@dataclass(frozen=True)
class Target:
    """What a word means.

    Args:
        clients: AWS where it lives; the account was checked.
        named: the execution that is meant.
        environment: the environment's name; empty where an ARN said where to look.
        folder: the folder whose project is meant.
        options: the words of the command line that say where to call: other commands need them too.
    """

    clients: Clients
    named: Named
    environment: str
    folder: Path
    options: tuple[str, ...] = ()

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.named.pipeline

    @property
    def is_execution(self) -> bool:
        """Whether one execution was named, not only its pipeline."""
        return bool(self.named.arn or self.named.id)

    def command(self, verb: str, arn: str, *more: str) -> str:
        """Return the command that does something else with an execution."""
        from pipelines.cloud.executions.records import execution_id, pipeline_of

        name = arn
        if self.environment:
            # An ARN may write the pipeline's name in small letters; an id alone tells it only here.
            known, told = self.pipeline, pipeline_of(arn)
            name = f"{known if known.lower() == told.lower() else told}/{execution_id(arn)}"
        return shlex.join(["sagedag", verb, name, *more, *self.options])


def find_target(word: str, options: Mapping[str, Any]) -> Target:
    """Return what a word means; nothing but the credentials' account is asked of AWS.

    Args:
        word: ``PIPELINE``, ``PIPELINE/ID``, ``PIPELINE/latest``, the same with a definition's path,
            ``latest``, an id, an ARN.
        options: ``environment``, ``variables``, ``profile``, ``region``, ``debug``.

    Raises:
        UsageError: it means nothing, or more than one thing.
        InvalidDefinition: the definition has errors.
        AwsError: the credentials are another account's.
    """
    from pipelines.cloud.executions.reading import Named
    from pipelines.deployment import find_place

    how = connection(options)
    if word.startswith("arn:"):
        return _by_arn(word, options, how)
    environment = cloud_environment(options["environment"])
    text, identifier, bare = _parts(word)
    name, folder = text, Path.cwd()
    if Path(text).exists():
        name, folder = _defined(text, environment, options)
    elif not _PIPELINE.fullmatch(text):
        raise UsageError(
            f"`{word}` is neither a path that exists nor a pipeline's name",
            "name an execution as PIPELINE/ID, by its ARN, or its pipeline's latest by PIPELINE",
        )
    clients = how.open(find_place(environment, folder))
    clients.check_account()
    bare = bare and name == text
    named = Named(name, identifier, bare=bare)
    return Target(clients, named, environment, folder, _again(environment, options))


def _again(environment: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    given = {"env": environment, "profile": options["profile"], "region": options["region"]}
    return tuple(word for name, value in given.items() if value for word in (f"--{name}", value))


def _parts(word: str) -> tuple[str, str, bool]:
    """Return a word's pipeline, the execution's id, and whether it may be an id alone."""
    if word == LATEST:
        return ".", "", False
    if "/" not in word or Path(word).exists():
        return word, "", "/" not in word
    text, _, identifier = word.rpartition("/")
    if not text or not _ID.fullmatch(identifier):
        raise UsageError(
            f"`{word}` names no execution", "an execution is PIPELINE/ID, as `sagedag list` shows"
        )
    return text, "" if identifier == LATEST else identifier, False


def _defined(text: str, environment: str, options: Mapping[str, Any]) -> tuple[str, Path]:
    from pipelines.cli.options import print_diagnostics
    from pipelines.deployment import pipeline_named
    from pipelines.language.diagnostics import InvalidDefinition

    variables = pairs(options.get("variables") or (), "--var")
    try:
        return pipeline_named(text, environment=environment, variables=variables)
    except InvalidDefinition as error:
        import click

        print_diagnostics(error.diagnostics, "text", err=True)
        raise click.exceptions.Exit(error.exit_code) from None


def _by_arn(word: str, options: Mapping[str, Any], how: Connection) -> Target:
    """An ARN says itself where to look; an environment must agree with it."""
    from pipelines.cloud.client import Place
    from pipelines.cloud.executions.reading import Named
    from pipelines.deployment import find_place

    found = _ARN.fullmatch(word)
    if found is None:
        raise UsageError(
            f"`{word}` is no ARN of a pipeline or an execution",
            "arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME/execution/ID",
        )
    environment = options["environment"] or os.environ.get("SAGEDAG_ENV") or ""
    region, account = found["region"], found["account"]
    place = Place(region, account, region)
    if environment:
        place = find_place(environment)
        if (place.account or account, place.region or region) != (account, region):
            raise UsageError(
                f"the ARN is of account {account} in {region}; the environment `{environment}` is "
                f"account {place.account} in {place.region}",
                "leave --env away: the ARN says where to look",
            )
    clients = how.open(place)
    clients.check_account()
    arn = word if found["id"] else ""
    named = Named(found["name"], arn=arn)
    return Target(clients, named, environment, Path.cwd(), _again(environment, options))
