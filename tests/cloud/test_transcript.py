"""The life of a pipeline, from its first plan to its end, as a user sees it: one transcript.

It is kept in ``tests/cases/transcript/line.txt``; ids, times and what took how long are written as
words in capitals. ``SAGEDAG_REGEN=1`` writes it anew: look at it then as a user would.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from cloud_commands import sagedag
from executing import becomes, job, script, step, write_log
from moto_server import AwsServer

from pipelines.cloud.executions import watching
from pipelines.cloud.executions.watching import Pace

GOLDEN = Path(__file__).parents[1] / "cases" / "transcript" / "line.txt"
REGEN = os.environ.get("SAGEDAG_REGEN") == "1"

NORMAL: tuple[tuple[str, str], ...] = (
    # Of the length that they have, so that columns stay columns.
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "YYYY-MM-DD HH:MM:SS"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD HH:MM"),
    (r"(took|running for|(?:Succeeded|Stopped) in) \d+\.\d+ s", r"\1 DURATION"),
    # Stopped now, begun ten minutes ago.
    (r"10 min \d\d s", "10 min 00 s"),
    (r"sagedag \d+\.\d+\.\d+\S*", "sagedag VERSION"),
)


@dataclass
class Transcript:
    """Runs commands and writes down what a user sees."""

    folder: Path
    ids: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def run(self, words: str, code: int = 0) -> None:
        """Run a command and write it with its output and its exit code."""
        ran = sagedag(self.folder, *words.split())
        assert ran.code == code, (words, ran)
        self.text += f"$ sagedag {self.normal(words)}\n{self.normal(ran.out + ran.err)}"
        self.text += f"[exit {ran.code}]\n\n"

    def note(self, text: str) -> None:
        """Write what happened beside the commands."""
        self.text += f"# {text}\n\n"

    def commit(self) -> None:
        """Commit all there is; the transcript calls the commit by a word."""
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", "change")
        word = f"COMMIT-{len(self.ids) + 1:05}"
        self.ids[git(self.folder, "rev-parse", "HEAD")[:12]] = word
        self.note(f"git commit: {word}")

    def edit(self, file: str, before: str, after: str) -> None:
        """Change a file and commit it."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, after))
        self.note(f"{file}: {before} → {after}")
        self.commit()

    def normal(self, text: str) -> str:
        """Replace what is another one each time."""
        for identifier, word in self.ids.items():
            text = text.replace(identifier, word)
        for pattern, word in NORMAL:
            text = re.sub(pattern, word, text)
        return text


@pytest.fixture
def transcript(
    project: Path, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Transcript]:
    monkeypatch.setattr(watching, "Pace", partial(Pace, first=0.01, longest=0.02))
    monkeypatch.setenv("CI", "1")
    git(project, "init", "-q")
    git(project, "remote", "add", "origin", "https://github.com/org/lines.git")
    return partial(Transcript, project)


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_life_of_a_pipeline(transcript: Callable[[], Transcript], aws: AwsServer) -> None:
    told = transcript()
    file = "line/pipeline.yaml"
    told.commit()
    told.run("plan --env dev --detailed-exitcode", 3)
    told.run("upsert --env dev --yes --alias live")
    told.run("plan --env dev --detailed-exitcode", 0)
    told.edit(file, "max_depth: 6", "max_depth: 8")
    told.run("plan --env dev --detailed-exitcode", 3)
    # One line of difference, and no other part of the definition.
    plan = told.text.rpartition("$ sagedag plan")[2]
    assert len(re.findall(r"^ +[+~-] steps\.", plan, re.MULTILINE)) == 1
    told.run("upsert --env dev --yes --alias live")
    told.run("versions line --env dev")

    aws.forget_requests()
    told.run("start line --env dev -p Rows=many", 2)
    assert aws.writes == []
    aws.lacks.first_status = "Executing"
    start(told, aws, "EXECUTION-01")
    first = aws.lacks.executions[known(aws, told, "EXECUTION-01")]
    split = partial(step, "split", Metadata=job("ProcessingJob", "split-1"))
    train = partial(step, "train", Metadata=job("TrainingJob", "train-1"))
    write_log("/aws/sagemaker/TrainingJobs", "train-1/algo-1-1", "epoch 1", "epoch 2")
    script(
        aws,
        becomes(first, "Executing"),
        becomes(first, "Executing", split("Executing")),
        becomes(first, "Executing", split("Succeeded"), train("Executing")),
        becomes(first, "Succeeded", split("Succeeded"), train("Succeeded", seconds=95)),
    )
    told.run("wait line --env dev")
    told.run("logs line train --env dev")

    start(told, aws, "EXECUTION-02", "--from train")
    second = aws.lacks.executions[known(aws, told, "EXECUTION-02")]
    becomes(second, "Executing", step("train", "Executing"))()
    told.run("stop line --env dev")
    told.run("status line --env dev")
    told.run("list line --env dev")

    told.run("rollback line --env dev --yes")
    told.run("versions line --env dev")
    told.run("delete line --env dev --yes")
    told.run("list --env dev")

    if REGEN:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(told.text, encoding="utf-8")
    assert GOLDEN.exists(), f"{GOLDEN} is missing: look at the output and run SAGEDAG_REGEN=1"
    assert told.text == GOLDEN.read_text(encoding="utf-8")


def start(told: Transcript, aws: AwsServer, word: str, more: str = "") -> None:
    """Start an execution, which the transcript calls by a word."""
    before, text = set(aws.lacks.executions), told.text
    told.run(f"start line --env dev -p Rows=200 {more}".rstrip())
    (arn,) = set(aws.lacks.executions) - before
    told.ids[arn[-12:]] = word
    told.text = text + told.normal(told.text[len(text) :])


def known(aws: AwsServer, told: Transcript, word: str) -> str:
    """Return the ARN of the execution that the transcript calls by a word."""
    (identifier,) = [each for each, name in told.ids.items() if name == word]
    return next(arn for arn in aws.lacks.executions if arn.endswith(identifier))
