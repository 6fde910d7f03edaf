"""Definitions compiled for other tools to deploy: see :mod:`pipelines.cloud.exports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.cloud.client import Clients, Place
from pipelines.cloud.exports import Exported
from pipelines.cloud.planned_calls import stored_at
from pipelines.cloud.planner import missing_uploads
from pipelines.cloud.publishing import publish_all, put
from pipelines.cloud.refusals import Missing
from pipelines.cloud.schedules import group_name
from pipelines.cloud.state import read_state
from pipelines.deployment import (
    Connection,
    compile_all,
    place_of,
    provenance_of,
    setting_of,
    wanted_of,
)
from pipelines.language.diagnostics import Diagnostic
from steps._partitions import partition_of


@dataclass(frozen=True)
class Export:
    """Compiled definitions and where they are for.

    Args:
        pipelines: what is to be written.
        place: the environment on AWS.
        root: the project's root, which assets lie below.
        warnings: what the checks warned about.
    """

    pipelines: tuple[Exported, ...]
    place: Place
    root: Path = field(repr=False)
    warnings: tuple[Diagnostic, ...] = ()


def export(
    paths: Sequence[str | Path],
    *,
    environment: str,
    variables: Mapping[str, str] | None = None,
) -> Export:
    """Compile definitions for an environment; nothing is called.

    Args:
        paths: definition files, or folders whose definitions are meant.
        environment: the environment's name.
        variables: values of ``vars``.

    Raises:
        InvalidDefinition: a definition has errors; all of all definitions are told.
        UsageError: there is no such file or environment.
    """
    compiled = compile_all(paths, environment=environment, variables=variables)
    project = compiled[0].spec.project
    place = place_of(setting_of(project, environment))
    group = group_name(environment, provenance_of(project.root).repository)
    partition = partition_of(place.region)[0]
    made = tuple(
        Exported(wanted_of(each), place.account, place.region, partition, group)
        for each in compiled
    )
    warnings = tuple(warning for each in compiled for warning in each.warnings)
    return Export(made, place, project.root, warnings)


def by_way_of_s3(exported: Export) -> Export:
    """Return an export whose documents name where in S3 the definitions lie.

    :func:`publish` puts them there.
    """
    return replace(
        exported,
        pipelines=tuple(
            replace(each, stored=stored_at(each.wanted, exported.place))
            for each in exported.pipelines
        ),
    )


def publish(exported: Export, connection: Connection) -> int:
    """Upload assets, and definitions that go by S3, where they are missing; return how many.

    Raises:
        AwsError: AWS refused a call, or the credentials are another account's.
    """
    clients = connection.open(exported.place)
    clients.check_account()
    wanted = [each.wanted for each in exported.pipelines]
    uris = [asset.uri for each in wanted for asset in each.assets]
    published = read_state(clients, (), assets=uris).published
    uploads = tuple(missing_uploads(wanted, published, str(exported.root)))
    sent: list[str] = []
    publish_all(clients, uploads, exported.root, lambda uri, _: sent.append(uri))
    for each in exported.pipelines:
        if each.stored is not None and not _is_there(clients, *each.stored):
            uri = "s3://" + "/".join(each.stored)
            put(clients, uri, each.wanted.text.encode())
            sent.append(uri)
    return len(sent)


def _is_there(clients: Clients, bucket: str, key: str) -> bool:
    """Whether an object is there; its key says what it holds."""
    try:
        clients.call("s3:HeadObject", f"s3://{bucket}/{key}", Bucket=bucket, Key=key)
    except Missing:
        return False
    return True
