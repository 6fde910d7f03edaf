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
from pipelines.local.database import (
    DATABASE,
    SCHEMA_VERSION,
    close_interrupted,
    connect,
    connect_to_read,
    disk_trouble,
    prepare,
    unwritable,
    version_of,
)
from pipelines.local.jobs import discard

FOLDER = ".sagedag"


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
        """Write atomically: everything inside the block is stored, or nothing.

        Raises:
            SagedagError: the disk is full, or cannot be written any more.
        """
        with self._mutex, disk_trouble(self.folder):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk has ended the transaction already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def query(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return the rows that a SELECT finds."""
        with self._mutex, disk_trouble(self.folder):
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
        str(folder).encode()
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except UnicodeEncodeError:
        raise SagedagError(
            f"the path of the store {str(folder)!r} is not UTF-8",
            "name another store with --store, or set LC_ALL to a locale with UTF-8",
        ) from None
    except OSError as error:
        raise unwritable(folder, str(error.strerror)) from None
    try:
        _take(lock, folder, on_wait, stop)
        with disk_trouble(folder):
            connection = connect(folder)
            prepare(connection, folder)
            close_interrupted(connection)
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
    connection = connect_to_read(folder)
    version = version_of(connection, folder)
    if version == 0:
        connection.close()
        raise UsageError(f"{folder} holds no runs yet", hint="`sagedag run PATH` fills it")
    if version < SCHEMA_VERSION:
        # Made by an older sagedag; whoever writes brings it up to date.
        connection.close()
        open_store(folder).close()
        connection = connect_to_read(folder)
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
