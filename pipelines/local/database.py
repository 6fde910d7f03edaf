"""The store's database: opened, brought up to this version's form, its troubles told."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import SagedagError

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

_DISK_WORDS = ("is full", "disk I/O", "readonly", "unable to open")
_LEAST_SPACE = 256 * 1024
"""Bytes without which SQLite's journal finds no place."""


def connect(folder: Path) -> sqlite3.Connection:
    """Open the database for writing.

    Raises:
        SagedagError: it is none, or cannot be written.
    """
    try:
        connection = _open(folder, "mode=rwc")
        # WAL with NORMAL loses nothing when a process dies, only (at most the last commits) when
        # the machine does.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error as error:
        if any(word in str(error) for word in _DISK_WORDS):
            raise unwritable(folder, str(error)) from None
        raise _unusable(folder, str(error)) from None
    return connection


def connect_to_read(folder: Path) -> sqlite3.Connection:
    """Open the database for reading, also where the user may not write.

    Raises:
        SagedagError: it is none, or cannot be read.
    """
    try:
        return connect(folder)
    except SagedagError:
        if os.access(folder, os.W_OK) and os.access(folder / DATABASE, os.W_OK):
            raise
    try:
        # Reading in WAL mode writes beside the database; where nobody here can, nobody writes.
        return _open(folder, "immutable=1")
    except sqlite3.Error as error:
        raise _unusable(folder, str(error)) from None


def _open(folder: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{(folder / DATABASE).resolve().as_uri()}?{how}",
        uri=True,
        timeout=30,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


def version_of(connection: sqlite3.Connection, folder: Path) -> int:
    """Return the version of the database's form.

    Raises:
        SagedagError: the file is no database, or a newer sagedag made it.
    """
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise _unusable(folder, str(error)) from None
    if version > SCHEMA_VERSION:
        raise _unusable(folder, "it was made by a newer version of sagedag")
    return version


def prepare(connection: sqlite3.Connection, folder: Path) -> None:
    """Bring the database to this version's form."""
    version = version_of(connection, folder)
    if version == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for migration in MIGRATIONS[version:]:
        for statement in migration.split(";"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def close_interrupted(connection: sqlite3.Connection) -> None:
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


@contextmanager
def disk_trouble(folder: Path) -> Iterator[None]:
    """Tell a disk's trouble as what it is; SQLite's other errors are bugs of ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if not any(word in str(error) for word in _DISK_WORDS):
            raise
        raise unwritable(folder, str(error)) from None


def unwritable(folder: Path, reason: str) -> SagedagError:
    """Return the error of a store that cannot be written, with the way out."""
    hint = "make the folder writable, or name another store with --store"
    with contextlib.suppress(OSError):
        if shutil.disk_usage(folder).free < _LEAST_SPACE:
            reason = "no space is left on its disk"
            hint = (
                "free some space (`sagedag runs prune --keep N` does), then run again; --resume "
                "goes on with a run that had begun"
            )
    return SagedagError(f"the store {folder} cannot be written: {reason}", hint)


def _unusable(folder: Path, reason: str) -> SagedagError:
    return SagedagError(
        f"the store {folder} cannot be used: {reason}",
        hint="move the folder away to start with an empty store",
    )
