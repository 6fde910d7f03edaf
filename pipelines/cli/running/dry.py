"""``--dry-run``: resolve and check everything, start nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.running.once import isolation_of, run_options
from pipelines.cli.running.request import RunRequest
from pipelines.cli.running.source import load

if TYPE_CHECKING:
    from pipelines.local.store import Store

FINDINGS = 7
"""The exit code where a step would fail."""


def dry_run(path: str, request: RunRequest) -> tuple[dict[str, Any], int]:
    """Go through one definition and print what a run would do.

    Returns:
        Its document for ``--json`` and the exit code.
    """
    from pipelines.local.dry_run import foresee
    from pipelines.local.isolation import choose
    from pipelines.local.store import place_store
    from pipelines.local.views.dry import dry_document, dry_lines

    source = load(path, request)
    options = run_options(source, request)
    isolation = choose(isolation_of(request))
    folder = (request.store_folder or place_store(source.root)).resolve()
    with _reading(folder) as store:
        steps = foresee(
            source.definition,
            name=source.name,
            base=source.base,
            store=store,
            isolation=isolation,
            options=options,
            published=[uri for asset in source.assets for uri, _ in asset.objects()],
        )
    if not request.as_json:
        click.echo(f"Pipeline   {source.name} (dry run: nothing is started)")
        click.echo(f"Isolation  {isolation.name}: {isolation.note}\n")
        for line in dry_lines(steps):
            click.echo(line)
    code = FINDINGS if any(step.problems for step in steps) else 0
    return dry_document(source.name, steps), code


@contextmanager
def _reading(folder: Path) -> Iterator[Store]:
    """Open a store for reading; where there is none, an empty one that goes away."""
    from pipelines.local.database import DATABASE
    from pipelines.local.store import open_store, read_store

    if (folder / DATABASE).is_file():
        with read_store(folder) as store:
            yield store
        return
    with tempfile.TemporaryDirectory() as empty, open_store(Path(empty)) as store:
        yield store
