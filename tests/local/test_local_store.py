from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local_samples import always, document, model, output_of, processing, register

from pipelines.errors import Interrupted, SagedagError, UsageError
from pipelines.local.database import MIGRATIONS
from pipelines.local.history import History
from pipelines.local.registry import Registry
from pipelines.local.store import find_store, open_store, place_store, read_store

KILLS = int(os.environ.get("SAGEDAG_KILLS", "5"))
RUN = [sys.executable, str(Path(__file__).with_name("killed_run.py"))]


def test_the_store_is_found_upwards(tmp_path: Path) -> None:
    inner = tmp_path / "project/definitions/pulsar"
    inner.mkdir(parents=True)
    assert place_store(tmp_path / "project/definitions") == tmp_path / "project/.sagedag"
    assert place_store(inner) == inner / ".sagedag"
    (tmp_path / "project/.git").mkdir()
    assert place_store(inner) == tmp_path / "project/.sagedag"
    (tmp_path / "project/.sagedag").mkdir()
    assert find_store(inner) == place_store(inner) == tmp_path / "project/.sagedag"


def test_reading_an_empty_place_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no runs yet"):
        read_store(tmp_path)
    (tmp_path / "store.sqlite").touch()
    with pytest.raises(UsageError, match="holds no runs yet"):
        read_store(tmp_path)


def test_a_reader_cannot_write(place: Any) -> None:
    place.run(document(always("a")))
    with (
        read_store(place.store) as store,
        pytest.raises(SagedagError, match="readonly"),
        store.transaction() as connection,
    ):
        connection.execute("DELETE FROM executions")


def test_a_full_disk_is_told_and_the_store_stays_whole(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        pages = store.query("PRAGMA page_count")[0][0]
        store.query(f"PRAGMA max_page_count = {pages}")
        with (
            pytest.raises(SagedagError, match="cannot be written: database or disk is full"),
            store.transaction() as connection,
        ):
            connection.execute("CREATE TABLE more (text)")
            connection.execute("INSERT INTO more VALUES (?)", ("x" * 100_000,))
        store.query("PRAGMA max_page_count = 100000")
        with store.transaction() as connection:
            connection.execute("CREATE TABLE more (text)")


def as_another_user(work: Callable[[], None]) -> None:
    """Do something as a user who is not root."""
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            work()
        except BaseException:  # noqa: BLE001 - a child must not go on as the test
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_store_that_cannot_be_written_can_be_read(place: Any) -> None:
    place.run(document(always("a")))
    folder = Path(tempfile.mkdtemp(prefix="sagedag-test-"))
    shutil.copy(place.store / "store.sqlite", folder)
    (folder / "store.sqlite").chmod(0o444)
    folder.chmod(0o555)

    def work() -> None:
        with read_store(folder) as store:
            assert [each.status for each in History(store).executions()] == ["Succeeded"]
        with pytest.raises(SagedagError, match="cannot be written: Permission denied") as caught:
            open_store(folder)
        assert "--store" in caught.value.hint

    try:
        as_another_user(work)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_path_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SagedagError, match="is not UTF-8"):
        open_store(tmp_path / os.fsdecode(b"caf\xe9"))


def test_a_run_that_was_killed_ended_when_something_last_happened(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, store.transaction() as connection:
        connection.execute(
            "INSERT INTO executions (id, arn, pipeline, pipeline_arn, status, started,"
            " parallelism, isolation, definition, parameters)"
            " VALUES ('abc', 'a', 'old', 'p', 'Executing', 10, 2, 'paths', '{}', '{}')"
        )
        connection.execute(
            "INSERT INTO steps (execution, position, name, type, display_name, description,"
            " status, started, ended, log)"
            " VALUES ('abc', 1, 's', 'Fail', '', '', 'Succeeded', 11, 14, '')"
        )
    with open_store(tmp_path) as store:
        record = History(store).find("abc")
        assert (record.status, record.ended, record.seconds) == ("Stopped", 14, 4)


def test_a_store_that_is_none_or_newer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(SagedagError, match="cannot be used") as caught:
        open_store(tmp_path)
    assert "move the folder away" in caught.value.hint
    (tmp_path / "store.sqlite").unlink()
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SagedagError, match="newer version"):
        open_store(tmp_path)
    # A refusal gives the lock back.
    (tmp_path / "store.sqlite").unlink()
    open_store(tmp_path).close()


def test_a_store_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.executescript(MIGRATIONS[0])
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO executions (id, arn, pipeline, pipeline_arn, status, started, ended,"
            " parallelism, isolation, definition, parameters)"
            " VALUES ('abc', 'a', 'old', 'p', 'Succeeded', 1, 2, 2, 'paths', '{}', '{}')"
        )
        connection.execute(
            "INSERT INTO steps (execution, position, name, type, display_name, description,"
            " status, started, ended, log)"
            " VALUES ('abc', 1, 's', 'Fail', '', '', 'Failed', 1, 2, '')"
        )
    # A reader finds everything too, and who writes after it has nothing left to do.
    for opened in (read_store(tmp_path), open_store(tmp_path)):
        with opened as store:
            history = History(store)
            assert [record.options for record in history.executions()] == [None]
            assert [(step.name, step.phases) for step in history.steps("abc")] == [("s", None)]
            assert store.query("PRAGMA user_version")[0][0] == len(MIGRATIONS)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SagedagError, match="cannot be written"):
        open_store(tmp_path / "file/.sagedag")


def test_one_writes_the_others_wait_and_are_told(tmp_path: Path) -> None:
    first, told, opened = open_store(tmp_path), [], threading.Event()

    def second() -> None:
        with open_store(tmp_path, on_wait=told.append):
            opened.set()

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.4)
    assert not opened.is_set()
    assert len(told) == 1 and f"process {os.getpid()}" in told[0]
    first.close()
    assert opened.wait(5)
    thread.join()


def test_waiting_can_be_given_up(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with open_store(tmp_path), pytest.raises(Interrupted):
        open_store(tmp_path, stop=stop)


def test_a_failed_transaction_leaves_nothing(place: Any) -> None:
    place.run(document(always("a")))
    with open_store(place.store) as store:
        with pytest.raises(RuntimeError), store.transaction() as connection:
            connection.execute("DELETE FROM executions")
            raise RuntimeError
        assert len(History(store).executions()) == 1


def six_steps() -> dict[str, Any]:
    cached = {"CacheConfig": {"Enabled": True}}
    return document(
        processing("first", "sleep=0.1", **cached),
        processing("left", "sleep=0.1", data=output_of("first"), **cached),
        processing("right", "sleep=0.1", data=output_of("first"), **cached),
        processing("join", data=output_of("left"), DependsOn=["right"], **cached),
        register("register", Containers=[{"Image": "i", "ModelDataUrl": output_of("join")}]),
        model("model", PrimaryContainer={"Image": "i", "ModelDataUrl": output_of("join")}),
    )


def jobs_in(folder: Path) -> list[int]:
    """Find processes that work in a folder: of a killed run there must be none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in text and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


@pytest.fixture
def prepared(place: Any) -> Iterator[Any]:
    (place.folder / "definition.json").write_text(json.dumps(six_steps()))
    yield place
    for process in jobs_in(place.folder):
        os.kill(process, signal.SIGKILL)


def test_a_killed_run_leaves_a_store_from_which_the_next_succeeds(prepared: Any) -> None:
    chooser = random.Random(os.environ.get("SAGEDAG_KILLS_SEED", "7"))
    for number in range(1, KILLS + 1):
        process = subprocess.Popen([*RUN, str(prepared.folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        # Some die while they start, most somewhere in the run's second or so.
        if chooser.random() < 0.8:
            process.stdout.readline()
        time.sleep(chooser.uniform(0, 1.2))
        process.kill()
        process.wait()
        process.stdout.close()
        ran = prepared.run(six_steps(), cache=number % 2 == 0)
        assert ran.status == "Succeeded", ran.record.failure_reason
        assert len(ran.steps) == 6
    with read_store(prepared.store) as store:
        history, registry = History(store), Registry(store)
        for record in history.executions():
            assert record.status in ("Succeeded", "Stopped")
            assert record.ended is not None
            if record.status == "Stopped":
                assert "interrupted" in str(record.failure_reason)
            for step in history.steps(record.id):
                assert step.status in ("Succeeded", "Stopped")
        versions = [package.version for package in registry.packages("group")]
        assert versions == list(range(len(versions), 0, -1))
    assert list((prepared.store / "s3").glob("*/**/*.tmp")) == []
    assert not list((prepared.store / "work").glob("*/*"))
    assert sqlite3.connect(prepared.store / "store.sqlite").execute(
        "PRAGMA integrity_check"
    ).fetchone() == ("ok",)


def test_the_jobs_of_a_killed_run_die_with_it(prepared: Any) -> None:
    definition = document(processing("long", "sleep=60"))
    (prepared.folder / "definition.json").write_text(json.dumps(definition))
    process = subprocess.Popen([*RUN, str(prepared.folder)], stdout=subprocess.PIPE, text=True)
    log = None
    for _ in range(100):
        time.sleep(0.1)
        log = next(iter(prepared.store.glob("logs/*/long.log")), None)
        if log is not None and "arguments" in log.read_text():
            break
    assert log is not None
    process.kill()
    process.communicate()
    for _ in range(50):
        if not jobs_in(prepared.folder):
            break
        time.sleep(0.1)
    assert jobs_in(prepared.folder) == []


def test_the_lock_is_not_inherited_by_jobs(place: Any) -> None:
    with open_store(place.store) as store:
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
        try:
            store.close()
            descriptor = os.open(place.store / "lock", os.O_RDWR)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(descriptor)
        finally:
            child.kill()
            child.wait()
