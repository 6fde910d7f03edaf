"""``sagedag upsert``: deploy."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.aws_options import aws_options, cloud_environment_options, confirm, connection
from pipelines.cli.plan import make, show
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.cloud.apply import Applied
    from pipelines.cloud.plan import Call, Plan
    from pipelines.deployment import Planned


@click.command(
    epilog="""\b
Examples:
  sagedag upsert definitions/pulsar --env dev
  sagedag upsert --env prod --yes --alias live
  sagedag upsert --plan prod.plan
  sagedag upsert --env dev --prune

It can be interrupted at any moment: run it again, and it goes on where it stopped.

\b
Exit codes: 0 deployed, 1 invalid definition or not confirmed, 2 wrong usage,
4 AWS refused, 6 what is deployed moved since the plan was made, 130 interrupted."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@cloud_environment_options
@aws_options
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Carry out a plan saved by `sagedag plan --out`, without asking.",
)
@click.option("--alias", metavar="NAME", default="", help="Give this alias to what is deployed.")
@click.option("--prune", is_flag=True, help="Delete what this repository no longer defines.")
@click.option(
    "--take-over", is_flag=True, help="Deploy over another repository's or environment's pipeline."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Deploy PATH (default: the definitions below here): show the plan, ask, carry it out."""
    from pipelines.cloud.buckets import check_obstacles
    from pipelines.deployment import carry_out, check_owners

    planned = saved(paths, options) if options["plan_file"] else make(paths, options)
    plan = planned.plan
    quiet = options["as_json"]
    show(plan, err=quiet)
    done: tuple[Applied, ...] = ()
    if not plan.is_empty:
        check_owners(plan, options["take_over"])
        agreed = options["yes"] or options["plan_file"] is not None
        if options["plan_file"] is None:  # what a saved plan met may be mended by now
            check_obstacles(plan)
        hint = "pass --yes, or carry out a saved plan with --plan FILE"
        confirm(f"\nDeploy to {plan.environment}?", yes=agreed, hint=hint)
        click.echo(err=quiet)
        done = carry_out(planned, Progress(plan, err=quiet))
        click.echo(f"Deployed to {plan.environment}.", err=quiet)
    if quiet:
        click.echo(json.dumps([asdict(each) for each in done], indent=2))
    return 0


def saved(paths: Sequence[str], options: dict[str, Any]) -> Planned:
    """Read a saved plan; environments.yaml beside its project says where to call."""
    from pipelines.cloud.plan import read_plan
    from pipelines.deployment import Planned, find_place

    if paths or any(options[name] for name in ("variables", "alias", "prune")):
        raise UsageError(
            "--plan carries out what the file says; PATH, --var, --alias and --prune were "
            "decided when it was made"
        )
    plan = read_plan(options["plan_file"])
    if options["environment"] not in (None, plan.environment):
        raise UsageError(
            f"the plan is for {plan.environment}, not for {options['environment']}",
            f"make one with --env {options['environment']}",
        )
    root = Path(plan.root)
    if not root.is_dir():
        raise UsageError(
            f"the plan's project {plan.root} is not here",
            "run it in the folder that the plan was made in, or in the same checkout elsewhere",
        )
    clients = connection(options).open(find_place(plan.environment, root))
    return Planned(plan, clients, root)


class Progress:
    """Prints how a deploy goes, from whatever thread it is told.

    Args:
        plan: what is carried out.
        err: print to standard error.
    """

    def __init__(self, plan: Plan, *, err: bool = False) -> None:
        self._err = err
        self._lock = threading.Lock()
        # With its files an asset has an archive and a manifest.
        self._objects = sum(len(upload.files) + 2 for upload in plan.uploads)
        self._sent = 0
        self._live = not err and sys.stdout.isatty()

    def uploaded(self, uri: str, size: int) -> None:
        """Count an object; on a terminal the line is kept up to date."""
        del size
        with self._lock:
            self._sent += 1
            if self._live:
                click.echo(f"\rUploaded {self._sent} of {self._objects} objects", nl=False)
                if self._sent == self._objects:
                    click.echo()
            elif self._sent == self._objects:
                click.echo(f"Uploaded {self._objects} objects", err=self._err)
            del uri

    def called(self, pipeline: str, call: Call) -> None:
        """Say nothing: --debug shows calls."""

    def finished(self, pipeline: Applied) -> None:
        """Say what became of a pipeline."""
        done = {"create": "created", "update": "updated", "delete": "deleted"}
        version = f", version {pipeline.version}" if pipeline.version is not None else ""
        with self._lock:
            click.echo(f"{pipeline.name}  {done[pipeline.action]}{version}", err=self._err)
            for note in pipeline.notes:
                click.echo(f"  {note}", err=self._err)
