"""``--watch``: run again whenever a file of the pipeline changes; what did not change is reused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import print_error
from pipelines.cli.running.once import run_once
from pipelines.cli.running.request import RunRequest, read_parameters
from pipelines.cli.running.source import Source, load
from pipelines.errors import SagedagError

if TYPE_CHECKING:
    from pipelines.local.stopping import Stop

INTERVAL = 0.4
"""Seconds between two looks. Looking needs no library, and works on every file system."""

MOST_FILES = 20_000

_SKIPPED = {".git", ".venv", "venv", "node_modules", ".sagedag", "__pycache__", ".mypy_cache"}

Stamps = dict[Path, tuple[int, int]]


def watch(path: str, request: RunRequest, stop: Stop) -> int:
    """Run a definition, and again after each change, until it is asked to stop.

    Returns:
        0 where it was stopped while it waited, else the exit code of the run that was stopped.
    """
    places = [Path(path) if Path(path).is_dir() else Path(path).absolute().parent]
    while True:
        before = look(places)
        code, known = _run(path, request, stop)
        if known:
            places = known
            # What was written while it ran counts as a change, what was only found now does not.
            before = {**look(places), **{p: s for p, s in before.items() if p in look(places)}}
        if stop.event.is_set():
            return code
        click.echo(f"\nWatching {len(before)} files; Ctrl-C ends it.")
        changed = _wait(places, before, stop)
        if not changed:
            return 0
        shown = ", ".join(os.path.relpath(each) for each in changed[:3])
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        click.echo(f"\nChanged: {shown}{more}\n")


def _run(path: str, request: RunRequest, stop: Stop) -> tuple[int, list[Path]]:
    """Run once; what is wrong is printed, and the next change may mend it.

    Returns:
        The exit code, and the files and folders that the definition depends on; none where it
        could not be read.
    """
    places: list[Path] = []
    try:
        source = load(path, request)
        places = _places(source, request)
        return run_once(path, request, stop, source)[1], places
    except SagedagError as error:
        print_error(error)
        return error.exit_code, places
    except click.exceptions.Exit as ending:
        return ending.exit_code, places


def _places(source: Source, request: RunRequest) -> list[Path]:
    """Return the files and folders that a run of a definition depends on."""
    values = read_parameters(source.definition, request)
    for parameter in source.definition.parameters:
        if isinstance(parameter.default, str):
            values.setdefault(parameter.name, parameter.default)
    local = [source.base / value for value in values.values() if value and "://" not in value]
    code = [place for asset in source.assets for _, place in asset.files if isinstance(place, Path)]
    return [
        source.base,
        *source.files,
        *code,
        *request.params_files,
        *(each for each in local if _exists(each)),
    ]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def look(places: list[Path]) -> Stamps:
    """Return the time and size of every file at and below some places."""
    found: Stamps = {}
    for path in (each for place in places for each in _below(place)):
        try:
            status = path.stat()
        except OSError:
            continue
        found[path.absolute()] = (status.st_mtime_ns, status.st_size)
        if len(found) >= MOST_FILES:
            break
    return found


def _below(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder, names, files in os.walk(place):
        names[:] = sorted(set(names) - _SKIPPED)
        for name in files:
            yield Path(folder, name)


def _wait(places: list[Path], before: Stamps, stop: Stop) -> list[Path]:
    """Wait until files have changed and rest again; none where it was asked to stop."""
    last = before
    while not stop.event.wait(INTERVAL):
        now = look(places)
        if now != before and now == last:
            return sorted(
                path for path in now.keys() | before.keys() if now.get(path) != before.get(path)
            )
        last = now
    return []
