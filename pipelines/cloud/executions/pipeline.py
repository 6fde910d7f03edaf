"""A deployed pipeline with what belongs to it: versions, schedules, its latest executions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.cloud import ownership
from pipelines.cloud.client import Clients
from pipelines.cloud.executions.reading import list_executions, parsed
from pipelines.cloud.executions.records import Execution
from pipelines.cloud.refusals import Refused, Unsupported
from pipelines.cloud.schedules import group_name
from pipelines.cloud.state import Deployed, read_pipeline, read_state, read_versions
from pipelines.definition import Definition
from pipelines.errors import AwsError, DefinitionError

SHOWN = 5
"""How many executions."""


@dataclass(frozen=True)
class Described:
    """A deployed pipeline.

    Args:
        pipeline: as it is, with its schedules.
        definition: read; None where it is none that this tool reads.
        version: the newest; None where the API has none, or they can't be seen.
        aliases: which version has them.
        executions: the latest.
    """

    pipeline: Deployed
    definition: Definition | None = field(repr=False)
    version: int | None
    aliases: Mapping[str, int]
    executions: tuple[Execution, ...]


def schedule_group(tags: Mapping[str, str]) -> str:
    """Return the group of the schedules that a deploy made; empty where it was none of this tool.

    Args:
        tags: the pipeline's, which say whose it is.
    """
    if ownership.REPOSITORY not in tags or ownership.ENVIRONMENT not in tags:
        return ""
    return group_name(tags[ownership.ENVIRONMENT], tags[ownership.REPOSITORY])


def existing(clients: Clients, name: str) -> Deployed:
    """Return a pipeline without its schedules.

    Raises:
        AwsError: there is no such pipeline, or a call was refused.
    """
    found = read_pipeline(clients, name)
    if found is None:
        raise AwsError(
            f"there is no pipeline `{name}` in account {clients.identity.account}, "
            f"{clients.region}",
            "`sagedag list` shows those there are",
        )
    return found


def describe_pipeline(clients: Clients, name: str) -> Described:
    """Return a deployed pipeline.

    Raises:
        AwsError: there is no such pipeline, or a call was refused.
    """
    there = existing(clients, name)
    group = schedule_group(there.tags)
    there = read_state(clients, [name], group=group).pipelines[name] or there
    try:
        definition = parsed(there.text)
    except DefinitionError:
        definition = None
    version, aliases = _versions(clients, name)
    executions = tuple(list_executions(clients, name, limit=SHOWN))
    return Described(there, definition, version, aliases, executions)


def _versions(clients: Clients, name: str) -> tuple[int | None, dict[str, int]]:
    try:
        found = read_versions(clients, name)
    except (Unsupported, Refused):
        return None, {}
    aliases = {alias: each.number for each in found for alias in each.aliases}
    return (found[0].number if found else None), aliases
