"""What an import fetches from S3: staged beside its folder, then put there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.importer.fetching import Fetched
    from pipelines.importer.sources import Found


@contextmanager
def staged(folder: Path | None) -> Iterator[Path | None]:
    """Give an empty folder of the same project as ``folder``; it goes away in the end."""
    if folder is None:
        yield None
        return
    near = folder.absolute()
    while not near.is_dir():
        near = near.parent
    made = Path(tempfile.mkdtemp(prefix=".sagedag-import-", dir=near))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def downloaded(
    found: Found, folder: Path | None, profile: str | None, region: str | None
) -> Fetched:
    """Fetch what a definition names from S3, with the user's own credentials.

    Args:
        folder: where code goes; None for the configurations of Clarify checks alone.
        profile, region: of the command line; else those of the user's variables.
    """
    from pipelines.cloud.client import Place, connect
    from pipelines.cloud.objects import RemoteObjects
    from pipelines.importer.fetching import fetch

    place = Place(environment="aws")
    objects = RemoteObjects(
        lambda: connect(place, profile=profile, region=region),
        lambda line: click.echo(line, err=True),
    )
    return fetch(found.definition, objects, folder)


def keep(fetched: Fetched, folder: Path, *, force: bool) -> list[Path]:
    """Put what was fetched into a definition's folder; return the files and folders.

    Raises:
        UsageError: something is there already, and is not to be replaced.
    """
    tops = [folder / path for path in dict.fromkeys(fetched.paths.values())]
    there = [path for path in tops if path.exists()]
    if there and not force:
        hint = "choose another folder, or write into it with --force"
        raise UsageError(f"{there[0]} exists", hint)
    for current, _, names in os.walk(fetched.folder):
        for name in names:
            source = Path(current) / name
            target = folder / source.relative_to(fetched.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
    return tops
