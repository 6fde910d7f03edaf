"""The local store: one folder with a database, the objects of ``s3://`` and the logs.

======================  ==================================================
``store.sqlite``        executions, steps, models, packages (SQLite, WAL)
``s3/BUCKET/KEY``       objects
``logs/RUN/STEP.log``   what each job printed
``work/RUN/…``          scratch folders of jobs, gone when they end
``lock``                held by the one process that writes
======================  ==================================================

Writing needs the lock, which the kernel releases when its holder dies. Whoever takes it next closes
what a killed run left open, so a store is usable whenever it can be locked.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import Interrupted, SagedagError, UsageError
from pipelines.local.buckets import Buckets
from pipelines.local.jobs import discard

FOLDER = ".sagedag"
DATABASE = "store.sqlite"

INTERRUPTED = "interrupted: the process that ran it was killed"

# Each takes a store one version further; a store's version is how many it has had. What stands here
# has been released and never changes: a change is one more.
MIGRATIONS = (
    """
CREATE TABLE executions (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE, arn TEXT NOT NULL, pipeline TEXT NOT NULL, pipeline_arn TEXT NOT NULL,
  status TEXT NOT NULL, failure_reason TEXT, started REAL NOT NULL, ended REAL,
  parallelism INTEGER NOT NULL, isolation TEXT NOT NULL, definition TEXT NOT NULL,
  parameters TEXT NOT NULL, experiment TEXT
);
CREATE INDEX executions_by_pipeline ON executions (pipeline, number);
CREATE TABLE steps (
  execution TEXT NOT NULL REFERENCES executions (id), position INTEGER NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, display_name TEXT NOT NULL, description TEXT NOT NULL,
  status TEXT NOT NULL, started REAL NOT NULL, ended REAL, failure_reason TEXT,
  request TEXT, properties TEXT, metadata TEXT, cache_key TEXT, cache_outputs TEXT,
  cache_source TEXT, attempts INTEGER NOT NULL DEFAULT 0, log TEXT NOT NULL,
  PRIMARY KEY (execution, name)
) WITHOUT ROWID;
CREATE INDEX steps_by_cache_key ON steps (cache_key, ended) WHERE cache_key IS NOT NULL;
CREATE TABLE models (
  name TEXT PRIMARY KEY, execution TEXT NOT NULL, step TEXT NOT NULL, created REAL NOT NULL,
  description TEXT NOT NULL
);
CREATE TABLE package_groups (
  name TEXT PRIMARY KEY, arn TEXT NOT NULL, created REAL NOT NULL
);
CREATE TABLE packages (
  group_name TEXT NOT NULL REFERENCES package_groups (name), version INTEGER NOT NULL,
  execution TEXT NOT NULL, step TEXT NOT NULL, created REAL NOT NULL,
  description TEXT NOT NULL, metrics TEXT NOT NULL,
  PRIMARY KEY (group_name, version)
);
""",
    """
ALTER TABLE executions ADD COLUMN options TEXT;
ALTER TABLE steps ADD COLUMN iteration TEXT;
ALTER TABLE steps ADD COLUMN selective_source TEXT;
ALTER TABLE steps ADD COLUMN phases TEXT;
CREATE TABLE lineage_entities (
  arn TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
  source TEXT NOT NULL, execution TEXT NOT NULL, step TEXT NOT NULL, created REAL NOT NULL,
  description TEXT NOT NULL
);
CREATE TABLE lineage_associations (
  source TEXT NOT NULL, destination TEXT NOT NULL, type TEXT, execution TEXT NOT NULL,
  step TEXT NOT NULL, created REAL NOT NULL,
  PRIMARY KEY (source, destination)
) WITHOUT ROWID;
CREATE INDEX lineage_by_destination ON lineage_associations (destination);
""",
    """
CREATE TABLE hosting (
  kind TEXT NOT NULL, name TEXT NOT NULL, execution TEXT NOT NULL, step TEXT NOT NULL,
  created REAL NOT NULL, description TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
""",
    """
ALTER TABLE executions ADD COLUMN paused REAL NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN faults TEXT;
""",
)
SCHEMA_VERSION = len(MIGRATIONS)

RESUMED = "sagedag: the run is resumed; the step runs again"
"""The line in a step's log behind which its part of a resumed run begins."""


class Store:
    """An open store; get one from :func:`open_store` or :func:`read_store`.

    Attributes:
        folder: the store's folder.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: int | None) -> None:
        self.folder = folder
        self._connection = connection
        self._lock = lock
        self._mutex = threading.RLock()

    @property
    def objects(self) -> Path:
        """The folder that holds the buckets."""
        return self.folder / "s3"

    @property
    def abandoned(self) -> bool:
        """Whether nobody writes: what still counts as running was killed.

        A reader cannot ask for the lock without disturbing writers; the number of the process
        that took it last is good enough to show people how things stand.
        """
        if self._lock is not None:
            return False
        try:
            holder = int((self.folder / "lock").read_text())
            os.kill(holder, 0)
        except (ValueError, ProcessLookupError, FileNotFoundError):
            return True
        except OSError:
            # It lives and is another user's.
            return False
        return False

    def log(self, execution: str, step: str) -> Path:
        """The file that holds what a step's job printed."""
        return self.folder / "logs" / execution / f"{step}.log"

    def work(self, execution: str) -> Path:
        """The folder for an execution's scratch folders."""
        return self.folder / "work" / execution

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write atomically: everything inside the block is stored, or nothing."""
        with self._mutex:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def query(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return the rows that a SELECT finds."""
        with self._mutex:
            return self._connection.execute(sql, tuple(values)).fetchall()

    def close(self) -> None:
        """Close the database and give up the lock."""
        with self._mutex:
            self._connection.close()
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def place_store(start: Path) -> Path:
    """Decide where the store of a definition's root stands.

    Args:
        start: the root of the definitions, or the folder of a definition JSON.

    Returns:
        The nearest ``.sagedag`` upwards; else one beside the nearest ``.git``; else one beside a
        folder called ``definitions``, or in ``start``.
    """
    found = find_store(start)
    if found is not None:
        return found
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder / FOLDER
    return (start.parent if start.name == "definitions" else start) / FOLDER


def find_store(start: Path) -> Path | None:
    """Find the nearest ``.sagedag`` folder upwards of ``start``; None where there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return None


def open_store(
    folder: Path,
    *,
    on_wait: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Store:
    """Open a store for writing, made where it does not exist; wait until nobody else writes.

    Args:
        folder: the store's folder.
        on_wait: told once, in a sentence, who is waited for.
        stop: set to give up waiting.

    Raises:
        Interrupted: ``stop`` was set while waiting.
        SagedagError: the folder cannot be written, or holds no store this version can use.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SagedagError(f"the store {folder} cannot be written: {error.strerror}") from None
    try:
        _take(lock, folder, on_wait, stop)
        connection = _connect(folder)
        _prepare(connection, folder)
        _close_interrupted(connection)
        # Left by a run that was killed: its jobs' folders and half-written objects.
        discard(folder / "work")
        Buckets(folder / "s3").sweep()
    except BaseException:
        os.close(lock)
        raise
    return Store(folder, connection, lock)


def read_store(folder: Path) -> Store:
    """Open a store for reading; a run may be writing to it.

    Raises:
        UsageError: there is no store, or nothing has run yet.
        SagedagError: the database cannot be read by this version.
    """
    if not (folder / DATABASE).is_file():
        raise UsageError(
            f"{folder} holds no runs yet", hint="`sagedag run PATH` makes the store and fills it"
        )
    connection = _connect(folder)
    version = _version(connection, folder)
    if version == 0:
        connection.close()
        raise UsageError(f"{folder} holds no runs yet", hint="`sagedag run PATH` fills it")
    if version < SCHEMA_VERSION:
        # Made by an older sagedag; whoever writes brings it up to date.
        connection.close()
        open_store(folder).close()
        connection = _connect(folder)
    connection.execute("PRAGMA query_only = ON")
    return Store(folder, connection, None)


def _take(
    lock: int,
    folder: Path,
    on_wait: Callable[[str], None] | None,
    stop: threading.Event | None,
) -> None:
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if stop is not None and stop.is_set():
                raise Interrupted("interrupted while waiting for the store") from None
            if not told and on_wait is not None:
                holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
                by = f" (process {holder})" if holder.isdigit() else ""
                on_wait(f"another run{by} is writing to {folder}; waiting for it to end")
            told = True
            time.sleep(0.1)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _connect(folder: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            folder / DATABASE, timeout=30, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        # WAL with NORMAL loses nothing when a process dies, only (at most the last commits) when
        # the machine does.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        raise _unusable(folder, str(error)) from None
    return connection


def _version(connection: sqlite3.Connection, folder: Path) -> int:
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise _unusable(folder, str(error)) from None
    if version > SCHEMA_VERSION:
        raise _unusable(folder, "it was made by a newer version of sagedag")
    return version


def _prepare(connection: sqlite3.Connection, folder: Path) -> None:
    """Bring the database to this version's form."""
    version = _version(connection, folder)
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for migration in MIGRATIONS[version:]:
        for statement in migration.split(";"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _close_interrupted(connection: sqlite3.Connection) -> None:
    """Mark as stopped what a killed process left open; only the lock's holder may."""
    connection.execute("BEGIN IMMEDIATE")
    # When it was killed nobody wrote down: the last thing that is known to have happened counts.
    last = (
        "COALESCE((SELECT MAX(COALESCE(steps.ended, steps.started)) FROM steps"
        " WHERE steps.execution = executions.id), started)"
    )
    for table, ended in (("executions", last), ("steps", "started")):
        connection.execute(
            f"UPDATE {table} SET status = 'Stopped', failure_reason = ?, ended = {ended} "  # noqa: S608 - names of ours
            "WHERE status IN ('Starting', 'Executing', 'Stopping')",
            (INTERRUPTED,),
        )
    connection.execute("COMMIT")


def _unusable(folder: Path, reason: str) -> SagedagError:
    return SagedagError(
        f"the store {folder} cannot be used: {reason}",
        hint="move the folder away to start with an empty store",
    )
