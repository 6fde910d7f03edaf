"""``--mlflow``: the run's parameters, metrics and files go to MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pipelines.cli.running.request import RunRequest
from pipelines.cli.running.source import Source
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.definition import Definition
    from pipelines.local.observer import Observer
    from pipelines.local.options import RunOptions
    from pipelines.local.store import Store

INSTALL = 'pip install "mlflow>=3" (the SageMaker SDK 3 brings it along)'


def check_tracking(request: RunRequest) -> None:
    """Refuse ``--mlflow`` where there is no MLflow.

    Raises:
        UsageError: it is not installed.
    """
    from pipelines.tracking import is_installed

    if request.mlflow and not is_installed():
        raise UsageError("--mlflow needs MLflow, which is not installed", hint=INSTALL)


@contextmanager
def tracked(
    source: Source, request: RunRequest, store: Store, options: RunOptions, view: Observer
) -> Iterator[tuple[RunOptions, Observer]]:
    """Have MLflow told of a run, where the definition or the user asks.

    Yields:
        The options and the observer to run with.
    """
    asked = request.mlflow
    if asked is None:
        asked = bool(source.definition.source.get("MlflowConfig"))
    if not asked:
        yield options, view
        return
    from pipelines.local.observer import Observers
    from pipelines.tracking import Tracker, is_installed

    if not is_installed():
        message = f"the definition asks for MLflow, which is not installed: {INSTALL}"
        click.echo(f"warning: {message}", err=True)
        yield options, view
        return
    tracker = Tracker(store, experiment_of(source.definition, source.name), source.base)
    try:
        yield replace(options, variables=tracker.variables), Observers(view, tracker)
    finally:
        tracker.close()
        if tracker.warning:
            click.echo(f"warning: {tracker.warning}", err=True)


def experiment_of(definition: Definition, name: str) -> str:
    """Return the name of the experiment: MLflow's in the definition, the pipeline's else."""
    config = definition.source.get("MlflowConfig")
    given = config.get("MlflowExperimentName") if isinstance(config, Mapping) else None
    return given if isinstance(given, str) and given else name
