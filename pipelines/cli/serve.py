"""``sagedag serve``: answer requests with a model that a local run made."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.runs import STORE, opened
from pipelines.errors import ExecutionFailed, Interrupted, UsageError

if TYPE_CHECKING:
    from pipelines.local.isolation import Isolation
    from pipelines.local.jobs import JobContext
    from pipelines.local.jobs.interpreters import Environments
    from pipelines.local.objects import ObjectStore
    from pipelines.local.s3 import LocalS3
    from pipelines.local.serving import Host, HostSettings
    from pipelines.local.serving.targets import Target
    from pipelines.local.store import Store

MOST_WORKERS = 4
"""How many workers there are at most where nobody says: each holds the model in memory."""


@click.command(
    epilog="""\b
Examples:
  sagedag serve pulsar
  sagedag serve pulsar:3 --port 9000 --workers 2
  sagedag serve latest
  curl -H 'Content-Type: text/csv' --data-binary @rows.csv http://127.0.0.1:8080/invocations
"""
)
@click.argument("target")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where to listen on 127.0.0.1; 0 takes any free port.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that each load the model (default: one a processor, at most 4).",
)
@click.option("--variant", metavar="NAME", default="", help="The endpoint's variant or component.")
@click.option(
    "--max-payload",
    type=click.IntRange(1, 1000),
    default=6,
    show_default=True,
    metavar="MB",
    help="The longest request.",
)
@click.option(
    "--job-env",
    type=click.Choice(["current", "venv"]),
    default="current",
    show_default=True,
    help="Where the model's libraries come from, as for `sagedag run`.",
)
@click.option("--isolation", default="auto", metavar="MODE", help="As for `sagedag run`.")
@STORE
def command(
    target: str,
    port: int,
    workers: int | None,
    variant: str,
    max_payload: int,
    job_env: str,
    isolation: str,
    folder: Path | None,
) -> None:
    """Serve a model with SageMaker's hosting contract, until Ctrl-C.

    TARGET is an endpoint, a model, a model package group (GROUP or GROUP:VERSION), a package's
    ARN, or a run (its id, or `latest`).
    """
    from pipelines.local.environments import choose_environments
    from pipelines.local.isolation import choose
    from pipelines.local.serving import HostSettings
    from pipelines.local.serving.targets import find_target

    chosen, environments = choose(isolation), choose_environments(job_env)
    with opened(folder) as store:
        found = find_target(store, target, variant)
        if len(found.served.containers) > 1:
            raise ExecutionFailed(
                f"{found.served.name} is a chain of {len(found.served.containers)} containers; "
                "only single ones are served here",
                hint="a Transform step runs such chains",
            )
        _check_port(port)
        settings = HostSettings(
            port=port,
            workers=workers or min(os.cpu_count() or 1, MOST_WORKERS),
            max_bytes=max_payload << 20,
            content_types=found.served.content_types,
        )
        with (
            _signals() as stop,
            _host(store, found, (chosen, environments), settings, stop) as host,
        ):
            _announce(found, chosen, settings.workers, host.port)
            while not stop.is_set():
                if host.wait(0.2) and not stop.is_set():
                    host.raise_end()
            click.echo("stopping: requests that were begun are answered first")


@contextmanager
def _host(
    store: Store,
    found: Target,
    ways: tuple[Isolation, Environments],
    settings: HostSettings,
    stop: threading.Event,
) -> Iterator[Host]:
    """Start the server in a folder of its own, which goes with it."""
    from pipelines.local.jobs import JobFailed, JobStopped, discard
    from pipelines.local.objects import ObjectStore
    from pipelines.local.s3 import LocalS3
    from pipelines.local.serving import Host
    from pipelines.local.serving.folders import serving_folder
    from pipelines.local.views.words import clean, tail

    folder = serving_folder(store.folder)
    objects = ObjectStore(store.objects)
    s3 = LocalS3(objects)
    context = _context(folder, objects, s3, ways, stop)
    host = Host(found.served.containers[0], context, settings)
    try:
        host.start()
        yield host
    except JobStopped:
        raise Interrupted("stopped before the model was ready") from None
    except JobFailed as error:
        lines = "".join(f"\n  | {clean(line)}" for line in tail(context.log))
        raise ExecutionFailed(error.reason + lines, error.hint) from None
    finally:
        host.stop()
        s3.close()
        discard(folder)


def _context(
    folder: Path,
    objects: ObjectStore,
    s3: LocalS3,
    ways: tuple[Isolation, Environments],
    stop: threading.Event,
) -> JobContext:
    from pipelines.local.identity import ACCOUNT, REGION
    from pipelines.local.jobs import JobContext
    from pipelines.local.views.words import clean

    return JobContext(
        name=folder.name,
        arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/local",
        folder=folder / "job",
        objects=objects,
        isolation=ways[0],
        environments=ways[1],
        cancelled=stop,
        on_line=lambda line: click.echo(clean(line)),
        log=folder / "log",
        account=ACCOUNT,
        region=REGION,
        environment=s3.environment(),
    )


def _announce(found: Target, isolation: Isolation, workers: int, port: int) -> None:
    rows = (
        ("Serving", f"{found.served.name} ({found.kind}; {found.origin})"),
        ("Isolation", f"{isolation.name}: {isolation.note}"),
        ("Workers", str(workers)),
        ("Address", f"http://127.0.0.1:{port}/invocations"),
    )
    for name, value in rows:
        click.echo(f"{name:<11}{value}")
    if found.served.content_types:
        click.echo(f"{'Types':<11}{', '.join(found.served.content_types)}")
    click.echo("\nCtrl-C ends it.")


def _check_port(port: int) -> None:
    """Refuse a port that something listens on already, before a model is loaded."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be used: {error.strerror}",
                "choose another with --port, or any free one with --port 0",
            ) from None


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """Turn Ctrl-C, and what ends a service, into a request to stop."""
    stop = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in wanted}
    for number in wanted:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
