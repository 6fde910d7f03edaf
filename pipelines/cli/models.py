"""``sagedag models``: the local model registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipelines.cli.runs import JSON, STORE, ListByDefault, opened

VERSION = click.option(
    "--version", type=click.IntRange(1), help="The version (default: the latest)."
)
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@click.group(
    cls=ListByDefault,
    epilog="""\b
Examples:
  sagedag models
  sagedag models show pulsar
  sagedag models show pulsar --version 3 --json
  sagedag models approve pulsar --version 3 --note "precision is fine"
  sagedag models reject pulsar
""",
)
def command() -> None:
    """List and inspect registered and created models; without a command, list."""


@command.command("list")
@STORE
@JSON
def list_models(folder: Path | None, as_json: bool) -> None:
    """List every version of every group, latest first, and created models."""
    from pipelines.local import responses
    from pipelines.local.encoding import plain
    from pipelines.local.registry import Registry
    from pipelines.local.views.words import clock, columns, metric_line

    with opened(folder) as store:
        registry = Registry(store)
        groups = registry.groups()
        packages = {group.name: registry.packages(group.name) for group in groups}
        models = registry.models()
    if as_json:
        everything = {
            **responses.list_groups(groups),
            "ModelPackages": {
                name: responses.list_packages(found)["ModelPackageSummaryList"]
                for name, found in packages.items()
            },
            "Models": [
                {key: model.description[key] for key in ("ModelName", "ModelArn", "CreationTime")}
                for model in models
            ],
        }
        click.echo(json.dumps(plain(everything), indent=2))
        return
    if not groups and not models:
        click.echo("no model is registered here yet")
        return
    if groups:
        rows = [("GROUP", "VERSION", "APPROVAL", "REGISTERED", "RUN", "METRICS")]
        for name, found in packages.items():
            rows += [
                (
                    name,
                    str(record.version),
                    record.approval,
                    clock(record.created),
                    record.execution,
                    metric_line(record.metrics, 3),
                )
                for record in found
            ]
        for line in columns(rows, right=(1,)):
            click.echo(line)
    if models:
        if groups:
            click.echo()
        made = [(model.name, clock(model.created), model.execution) for model in models]
        for line in columns([("MODEL", "CREATED", "RUN"), *made]):
            click.echo(line)


@command.command("show")
@click.argument("group")
@VERSION
@STORE
@JSON
def show(group: str, version: int | None, folder: Path | None, as_json: bool) -> None:
    """Show one version of a model package GROUP: approval, artefacts, metrics."""
    from pipelines.local.encoding import plain
    from pipelines.local.registry import Registry
    from pipelines.local.views.runs import package_details

    with opened(folder) as store:
        record = Registry(store).package(group, version)
        if as_json:
            response = {**record.description, "Metrics": record.metrics}
            click.echo(json.dumps(plain(response), indent=2))
            return
        for line in package_details(store, record):
            click.echo(line)


def _judgement(function: Decorated) -> Decorated:
    """Add what approving and rejecting are told."""
    for option in (STORE, click.option("--note", default="", help="Why."), VERSION):
        function = option(function)
    return click.argument("group")(function)


@command.command("approve")
@_judgement
def approve(group: str, version: int | None, note: str, folder: Path | None) -> None:
    """Approve one version of a model package GROUP.

    Checks of later runs compare with the baselines of the latest approved version.
    """
    _judge(group, version, "Approved", note, folder)


@command.command("reject")
@_judgement
def reject(group: str, version: int | None, note: str, folder: Path | None) -> None:
    """Reject one version of a model package GROUP."""
    _judge(group, version, "Rejected", note, folder)


def _judge(group: str, version: int | None, approval: str, note: str, folder: Path | None) -> None:
    from pipelines.local.registry import Registry
    from pipelines.local.store import open_store

    with opened(folder) as store:
        # Nothing is locked for a group or version that is not there.
        found = Registry(store).package(group, version)
        place = store.folder
    with open_store(place, on_wait=lambda text: click.echo(text, err=True)) as store:
        found = Registry(store).judge(group, found.version, approval, note)
    click.echo(f"{found.group} version {found.version}: {found.approval}")
