"""run --shell and --watch, as processes."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_samples import document, get, output_of, processing
from test_run_command import SAGEDAG, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write(line())
    return made


def line() -> dict[str, object]:
    first = processing("first", data="rows.csv")
    second = processing("second", get("Steps.first.ProcessingJobName"), data=output_of("first"))
    return document(first, second)


def test_a_shell_finds_the_steps_inputs_and_leaves_nothing(project: Project) -> None:
    text = "pwd; cat /opt/ml/processing/data/report.json; echo x > /opt/ml/processing/out/mine\n"
    done = project("run", "birds.json", "--shell", "second", text=text)
    where, report = done.stdout.splitlines()
    assert where == "/tmp"
    assert json.loads(report)["seen"] == {"rows.csv": "1,2\n"}
    assert "The job would run: python3 /opt/ml/processing/input/code/job.py" in done.stderr
    assert not list((project.folder / ".sagedag").rglob("mine"))
    assert not list((project.folder / ".sagedag/work").glob("*/*"))
    shown = json.loads(project("runs", "show", "--json").stdout)
    assert shown["status"] == "Stopped"
    assert {step["StepName"]: step["StepStatus"] for step in shown["steps"]} == {
        "first": "Succeeded", "second": "Stopped",
    }  # fmt: skip
    # On the results of a run that succeeded, the step alone.
    project("run", "birds.json")
    again = project("run", "birds.json", "--shell", "second", text="true\n").stderr
    assert "Selected   second; the rest from run " in again


def test_a_shell_at_a_terminal_is_one(project: Project) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*SAGEDAG, "run", "birds.json", "--shell", "first"],
        cwd=project.folder,
        env=project.environment(TERM="xterm"),
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    os.close(child)
    try:
        read_until(parent, b"first:")
        os.write(parent, b"test -t 0 && echo it is $((6 * 7)); sleep 60\n")
        read_until(parent, b"it is 42")
        time.sleep(0.3)
        # Ctrl-C ends what runs in the shell, not the shell and not the run.
        os.write(parent, b"\x03")
        os.write(parent, b"echo still $((1 + 1)) here; exit\n")
        read_until(parent, b"still 2 here")
        assert process.wait(20) == 0
    finally:
        process.kill()
        os.close(parent)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    seen, ends = b"", time.monotonic() + 60
    while wanted not in seen:
        ready, _, _ = select.select([descriptor], [], [], 0.5)
        if ready:
            seen += os.read(descriptor, 4096)
        assert time.monotonic() < ends, seen.decode(errors="replace")
    return seen


@pytest.mark.parametrize(
    ("step", "says"),
    [("secnd", "did you mean `second`?"), ("gate", "is a Condition and runs no job of its own")],
)
def test_a_shell_where_no_job_runs_is_refused(project: Project, step: str, says: str) -> None:
    definition = line()
    gate = {"Name": "gate", "Type": "Condition", "Arguments": {"Conditions": [
        {"Type": "Equals", "LeftValue": 1, "RightValue": 1}]}}  # fmt: skip
    definition["Steps"] = [*definition["Steps"], gate]  # type: ignore[misc]
    project.write(definition)
    assert says in project("run", "birds.json", "--shell", step, code=2).stderr


class Watched:
    """A run that watches, and its output line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[str] = []

    def until(self, words: str) -> list[str]:
        """Read lines up to one with the words."""
        start = len(self.seen)
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self.seen.append(text.rstrip())
            if words in text:
                return self.seen[start:]
        raise AssertionError("\n".join(self.seen))


@pytest.fixture
def watched(project: Project) -> Iterator[Watched]:
    process = subprocess.Popen(
        [*SAGEDAG, "run", "birds.json", "--watch"],
        cwd=project.folder,
        env=project.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield Watched(process)
    process.kill()
    process.communicate()


def test_watching_runs_again_what_changed(project: Project, watched: Watched) -> None:
    watched.until("Watching ")
    (project.folder / "rows.csv").write_text("3,4\n")
    lines = watched.until("Watching ")
    assert "Changed: rows.csv" in lines
    assert not any("reused" in text and text.startswith("first") for text in lines)
    # The definition breaks and is mended: the watch goes on, and nothing need run.
    project.write("broken")
    assert any("error: " in text for text in watched.until("Watching "))
    project.write(line())
    lines = watched.until("Watching ")
    assert any(text.startswith("first   reused from run") for text in lines)
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(30) == 0
