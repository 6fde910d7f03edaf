"""What is drawn of an execution on a terminal."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta, timezone
from typing import Any

from rich.console import Console

from pipelines.cli.executions import lines
from pipelines.cli.executions.live import LiveWatcher
from pipelines.cloud.executions.records import Execution, StepRecord, step_of
from pipelines.cloud.refusals import Refused
from pipelines.definition import Definition, read_definition

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/line/execution/0123456789ab"
BEGIN = datetime(2026, 1, 31, 8, tzinfo=timezone.utc)


def fail(name: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}


def definition(*names: str) -> Definition:
    document = {"Version": "2020-12-01", "Steps": [fail(name) for name in names]}
    return read_definition(json.dumps(document))


def step(name: str, status: str, **more: Any) -> StepRecord:
    end = BEGIN + timedelta(seconds=75) if status in ("Succeeded", "Failed", "Stopped") else None
    return StepRecord(name, status, BEGIN, end, **more)


def drawn(execution: Execution, known: Definition | None, *, height: int = 40) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=90, height=height, color_system=None)
    with LiveWatcher(console, known) as watcher:
        watcher.seen(execution)
    # What was drawn last, without the drawing before it and the cursor's hiding.
    last = stream.getvalue().rpartition("\x1b[2K")[2] or stream.getvalue()
    return last.replace("\x1b[?25l", "").replace("\x1b[?25h", "")


def test_the_table_holds_what_ran_and_what_waits() -> None:
    steps = (
        step("split", "Succeeded", cached_from=ARN[:-12] + "fedcba987654"),
        step("check", "Succeeded", outcome="False"),
        step("train", "Failed", failure="AlgorithmError: \x1b[2Jno\nmore", attempts=2),
        step("body", "Executing", parent="loop", index=3),
    )
    execution = Execution(ARN, "Executing", BEGIN, BEGIN, steps=steps)
    out = drawn(execution, definition("split", "check", "train", "body", "later"))
    rows = [" ".join(row.split()) for row in out.splitlines() if row.strip()]
    assert "✓ split reused from fedcba987654" in rows
    assert "✓ check succeeded 1 min 15 s false" in rows
    assert any(
        row.startswith("✗ train failed 1 min 15 s attempt 2, AlgorithmError:") for row in rows
    )
    assert any(" loop[3].body running " in f" {row} " for row in rows)
    assert "· later waiting" in rows
    assert "\x1b[2J" not in out


def test_many_steps_fit_on_the_screen() -> None:
    steps = tuple(step(f"s{n}", "Succeeded") for n in range(50))
    names = [each.name for each in steps] + [f"later{n}" for n in range(30)]
    execution = Execution(
        ARN, "Executing", BEGIN, BEGIN, steps=(*steps[:-1], step("s49", "Executing"))
    )
    out = drawn(execution, definition(*names), height=20)
    rows = [row for row in out.splitlines() if row.strip()]
    assert len(rows) <= 20
    assert "s49" in out
    assert "more steps are not shown" in out
    # Without the definition there is nothing to say of what comes.
    assert "later" not in drawn(execution, None, height=20)


def test_a_refusal_is_shown_until_it_is_over() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=90, color_system=None)
    told = Refused("throttled", "", operation="o", resource="r", code="Throttling")
    with LiveWatcher(console, None) as watcher:
        watcher.refused(told, 6.0)
        assert "throttled; asking again in 6.0 s" in _text(watcher)
        watcher.seen(Execution(ARN, "Stopping", BEGIN, BEGIN))
        assert "throttled" not in _text(watcher)
        assert "stopping: running jobs are being stopped" in _text(watcher)


def _text(watcher: LiveWatcher) -> str:
    console = Console(file=io.StringIO(), width=90)
    with console.capture() as captured:
        console.print(watcher._draw())
    return captured.get()


def test_sentences_of_the_end() -> None:
    over = Execution(ARN, "CompletedWithFailures", BEGIN, BEGIN + timedelta(minutes=3))
    assert lines.closing(over) == "Completed with failures in 3 min 00 s (0 steps)"
    assert lines.state("Executing") == "running"
    secret = Execution(ARN, "Failed", BEGIN, BEGIN, failure="AKIAIOSFODNN7EXAMPLE was refused")
    assert "AKIA" in secret.failure
    assert "IOSFODNN7" not in "\n".join(lines.header(secret))
    assert "IOSFODNN7" not in json.dumps(lines.document(secret))


def test_steps_of_the_api_in_odd_forms() -> None:
    bare = step_of({"StepName": "a"})
    assert (bare.status, bare.attempts, bare.jobs, bare.label) == ("", 1, (), "a")
    failing = step_of({"StepName": "a", "Metadata": {"Fail": {"ErrorMessage": "too bad"}}})
    assert failing.failure == "too bad"
    odd = step_of({"StepName": "a", "Metadata": {"Model": {"Arn": ""}, "New": "text"}})
    assert odd.jobs == ()
