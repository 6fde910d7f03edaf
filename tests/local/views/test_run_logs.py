"""The logs of a run that goes on elsewhere, of parts of it, and how a run is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_samples import document, processing

from pipelines.local.following import follow
from pipelines.local.history import History
from pipelines.local.store import open_store, read_store

ROOT = Path(__file__).parents[3]


def test_lines_of_steps_are_followed_while_they_run_and_until_the_run_ends(
    place: Any, runs: Callable[..., str]
) -> None:
    slow = document(processing("one", "a", "sleep=0.6"), processing("second", "b", "sleep=0.9"))
    (place.folder / "slow.json").write_text(json.dumps(slow))
    open_store(place.store).close()
    running = subprocess.Popen(
        [sys.executable, "-m", "pipelines", "run", "slow.json", "--store", str(place.store)],
        cwd=place.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline().startswith("Pipeline")
    result = runs("logs", "--follow")
    out, _ = running.communicate(timeout=30)
    assert running.returncode == 0, out
    # The run had not ended when following began, or it would have been no test.
    assert sorted(result.splitlines()) == [
        "one    | arguments a sleep=0.6",
        f"run {place.ran().record.id}: Succeeded",
        "second | arguments b sleep=0.9",
    ]
    assert runs("logs", "latest", "one", "-f").startswith("arguments a sleep=0.6\nrun ")


def test_following_gives_each_line_once_and_the_unfinished_one_at_the_end(place: Any) -> None:
    ran = place.run(document(processing("one")))
    log = Path(ran.steps["one"].log)
    log.write_bytes(b"first\nsecond \xff\nhalf")
    with open_store(place.store) as writing, read_store(place.store) as store:
        writing.query("SELECT 1")
        with writing.transaction() as connection:
            connection.execute("UPDATE executions SET status = 'Executing'")
            connection.execute("UPDATE steps SET status = 'Executing'")
        lines = follow(store, ran.record.id)
        assert [next(lines).text for _ in range(2)] == ["first", "second \N{REPLACEMENT CHARACTER}"]
        with log.open("ab") as stream:
            stream.write(b" and half\nlast")
        assert next(lines).text == "half and half"
        History(writing).end(ran.record.id, "Succeeded", None)
        assert [line.text for line in lines] == ["last"]


def test_following_a_run_whose_process_is_gone_ends(place: Any, runs: Callable[..., str]) -> None:
    ran = place.run(document(processing("one")))
    with open_store(place.store) as store, store.transaction() as connection:
        connection.execute("UPDATE executions SET status = 'Executing', ended = NULL")
    (place.store / "lock").write_text("999999999\n")
    assert runs("logs", ran.record.id, "--follow") == (
        f"one | arguments\nrun {ran.record.id}: Stopped\n"
    )


def test_the_end_of_a_log_and_the_log_of_a_training_job(
    place: Any, runs: Callable[..., str]
) -> None:
    ran = place.run(document(processing("one"), processing("two")))
    log = Path(ran.steps["one"].log)
    log.write_text("1\n2\n\x1b[31m3\n")
    log.with_suffix("").mkdir()
    (log.with_suffix("") / "003.log").write_text("loss=0.1\n")
    assert runs("logs", "latest", "one", "--tail", "2") == ("2\n\N{REPLACEMENT CHARACTER}[31m3\n")
    assert "== one (succeeded)\n2\n" in runs("logs", "--tail", "2")
    assert runs("logs", "latest", "one", "--job", "003") == "loss=0.1\n"
    assert runs("logs", "latest", "one", "-f", "--job", "003").startswith("loss=0.1\nrun ")
    refused = runs("logs", "latest", "one", "--job", "../two", code=2)
    assert "has no training job" in refused and "it has: 003" in refused
    assert "wants the step" in runs("logs", "latest", "--job", "003", code=2)
    assert "did you mean `one`" in runs("logs", "latest", "on", "-f", code=2)
