"""Deleting runs: what of theirs nothing else needs goes with them.

A run stays whose results others reuse: a later run took a step of it from the cache, or in running
a part of the pipeline. What the registry names stays as well, whoever made it.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.encoding import decode
from pipelines.local.history import ExecutionRecord, History, StepRecord
from pipelines.local.places import listed, output_uris, trained_model
from pipelines.local.store import Store


@dataclass(frozen=True)
class Doomed:
    """A run that can go.

    Attributes:
        record: the run.
        files: its outputs that nothing else needs.
        logs: the folder of its logs.
        size: the bytes of both.
        results: how many of its steps' results the step cache could have reused.
    """

    record: ExecutionRecord
    files: tuple[Path, ...]
    logs: Path
    size: int
    results: int


def users_of(store: Store, run: ExecutionRecord) -> list[str]:
    """Return the runs that reuse a run's results, the latest first."""
    rows = store.query(
        "SELECT DISTINCT execution FROM steps JOIN executions ON executions.id = execution"
        " WHERE (cache_source = ? OR selective_source = ?) AND execution != ?"
        " ORDER BY executions.number DESC",
        (run.arn, run.arn, run.id),
    )
    return [row["execution"] for row in rows]


def needed_by(store: Store, runs: Collection[str]) -> set[str]:
    """Return all runs whose results some runs reuse, over any number of runs between."""
    found: set[str] = set()
    looking = set(runs)
    arns = {record.arn: record.id for record in History(store).executions()}
    while looking:
        marks = ",".join("?" * len(looking))
        rows = store.query(
            f"SELECT cache_source, selective_source FROM steps WHERE execution IN ({marks})",  # noqa: S608 - marks alone
            tuple(looking),
        )
        sources = {arns.get(arn) for row in rows for arn in row if arn}
        looking = {run for run in sources if run is not None} - found - set(runs)
        found |= looking
    return found


def doom(store: Store, runs: Iterable[ExecutionRecord]) -> list[Doomed]:
    """Work out what goes when some runs go, all at once; nothing is deleted.

    Args:
        store: an open store.
        runs: those that go.
    """
    history = History(store)
    going = list(runs)
    needed = _Needed(_uris_needed(store, {record.id for record in going}))
    taken: set[Path] = set()
    found = []
    for record in going:
        steps = history.steps(record.id)
        files = tuple(
            path
            for path in _files(store, steps)
            if path not in taken and not needed.holds(path.relative_to(store.objects).as_posix())
        )
        taken.update(files)
        logs = store.folder / "logs" / record.id
        size = sum(_size(path) for path in (*files, *_below(logs)))
        rows = store.query(
            "SELECT COUNT(*) FROM steps WHERE execution = ? AND cache_key IS NOT NULL"
            " AND cache_source IS NULL AND status = 'Succeeded'",
            (record.id,),
        )
        found.append(Doomed(record, files, logs, size, int(rows[0][0])))
    return found


def delete(store: Store, doomed: Iterable[Doomed]) -> None:
    """Delete runs; killed at any moment, it can be done again.

    Args:
        store: a store opened for writing.
        doomed: what :func:`doom` found.
    """
    for each in doomed:
        run = each.record.id
        with store.transaction() as connection:
            # From here on, no run reuses what is about to go.
            connection.execute("UPDATE steps SET cache_key = NULL WHERE execution = ?", (run,))
        for path in each.files:
            path.unlink(missing_ok=True)
            _remove_empty(path.parent, store.objects)
        shutil.rmtree(each.logs, ignore_errors=True)
        with store.transaction() as connection:
            for table in ("lineage_associations", "lineage_entities", "steps"):
                connection.execute(f"DELETE FROM {table} WHERE execution = ?", (run,))  # noqa: S608 - a name of ours
            connection.execute("DELETE FROM executions WHERE id = ?", (run,))


class _Needed:
    """The objects that must stay: those that a URI names, and those below one."""

    def __init__(self, uris: Iterable[str]) -> None:
        self._places = {uri.removeprefix("s3://").rstrip("/") for uri in uris}

    def holds(self, name: str) -> bool:
        """Say whether an object is needed."""
        while name:
            if name in self._places:
                return True
            name = name.rpartition("/")[0]
        return False


def _uris_needed(store: Store, going: set[str]) -> Iterator[str]:
    """Yield every URI that other runs, models, packages and endpoints name."""
    history = History(store)
    for record in history.executions():
        for step in history.steps(record.id) if record.id not in going else ():
            yield from _outputs(step)
    for table, columns in (
        ("steps", "execution, request, properties"),
        ("models", "'' AS execution, description"),
        ("packages", "'' AS execution, description"),
        ("hosting", "'' AS execution, description"),
        ("lineage_entities", "execution, source, description"),
    ):
        for row in store.query(f"SELECT {columns} FROM {table}"):  # noqa: S608 - names of ours
            if row["execution"] in going:
                continue
            for text in tuple(row)[1:]:
                if isinstance(text, str) and "s3://" in text:
                    yield from _uris(text if text.startswith("s3://") else decode(text))


def _uris(value: object) -> Iterator[str]:
    if isinstance(value, str):
        text = value.strip('"')
        if text.startswith("s3://"):
            yield text
    elif isinstance(value, Mapping):
        for name, item in value.items():
            # Below it, every job has a place of its own, which its outputs name.
            if name != "OutputDataConfig":
                yield from _uris(item)
    elif isinstance(value, list):
        for item in value:
            yield from _uris(item)


def _files(store: Store, steps: Iterable[StepRecord]) -> Iterator[Path]:
    """Yield the objects that a run's own steps wrote."""
    for step in steps:
        if step.cache_source or step.selective_source:
            continue
        for uri in dict.fromkeys(_outputs(step)):
            if uri.startswith("s3://"):
                yield from _below(store.objects / uri[5:].rstrip("/"))


def _outputs(step: StepRecord) -> Iterator[str]:
    told = step.properties if isinstance(step.properties, Mapping) else {}
    models = [trained_model(told, job) or "" for job in listed(told, "TrainingJobSummaries")]
    for uri in (*(uri for _, uri in output_uris(step)), *models):
        # A training job leaves more beside its model.
        for name in ("model", "output"):
            uri = uri.removesuffix(f"/output/{name}.tar.gz")
        yield uri


def _below(place: Path) -> Iterator[Path]:
    if place.is_symlink() or place.is_file():
        yield place
    elif place.is_dir():
        yield from (path for path in sorted(place.rglob("*")) if not path.is_dir())


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove folders that hold nothing any more; buckets stay."""
    while folder != top and folder.parent != top:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
