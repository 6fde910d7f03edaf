"""``sagedag report``: one run as a page that stands alone."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import write_text
from pipelines.cli.runs import STORE, opened


@click.command(
    epilog="""\b
Examples:
  sagedag report                      the latest run, as sagedag-report-RUN.html
  sagedag report 3f9 -o report.html
  sagedag report latest --against 81c
"""
)
@click.argument("run", default="latest")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file (default: sagedag-report-RUN.html here); - is standard output.",
)
@click.option(
    "--against",
    metavar="RUN",
    help="The run to compare with, or `none` (default: the one before, of the same pipeline).",
)
@STORE
def command(run: str, output: Path | None, against: str | None, folder: Path | None) -> None:
    """Write RUN (default: latest) as one HTML file.

    Its graph with states and times, parameters, models with their lineage, metrics, pictures, logs
    and requests, and what differs from an earlier run.
    """
    from pipelines.local.history import History
    from pipelines.report import gather, render
    from pipelines.report.gather import earlier

    with opened(folder) as store:
        history = History(store)
        record = history.find(run)
        if against == "none":
            other = None
        else:
            other = history.find(against) if against else earlier(store, record)
        page = render(gather(store, record, other))
    if str(output) == "-":
        click.echo(page, nl=False)
        return
    target = output or Path(f"sagedag-report-{record.id}.html")
    write_text(target, page)
    click.echo(f"Wrote {target}")
