"""A run as a view is told of it, on a clock that stands still; run in a terminal by the tests.

Usage: python view_scenes.py small|many: draws one screen, waits for a line on standard input, ends
the run.
"""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.definition import Step, read_definition
from pipelines.local.identity import Identity
from pipelines.local.jobs import Progress
from pipelines.local.observer import Observer, RunStart, StepEnd
from pipelines.local.views.live import LiveView


def started(view: Observer, *steps: dict[str, Any]) -> dict[str, Step]:
    definition = read_definition({"Version": "2020-12-01", "Steps": list(steps)})
    identity = Identity("pulsar", "3f9k2m1q8z0x")
    view.started(
        RunStart(identity, definition, 4, "userns", "jobs see little", Path("/s/.sagedag"))
    )
    return {step.name: step for step in definition.steps}


def plain(name: str, kind: str = "Processing", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": {}, **more}


def ended(
    view: Observer, name: str, seconds: float, status: str = "Succeeded", **more: Any
) -> None:
    view.step_ended(StepEnd(name, "Processing", status, seconds, Path("log"), **more))


def small(view: Observer, tick: Callable[[float], None]) -> None:
    """A branch, a search with trials, a transform, a cached step, a failure."""
    gate = plain("good-enough", "Condition")
    gate["Arguments"] = {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": [plain("register"), plain("score", "Transform")],
        "ElseSteps": [plain("reject")],
    }
    started(view, plain("preprocess"), plain("search", "Tuning"), gate)
    view.step_started("preprocess")
    ended(view, "preprocess", 0.01, cache_source="81c0aa11bb22")
    view.step_started("search")
    for number in (1, 2, 3):
        view.progress("search", Progress(0, 8, "jobs", f"00{number}", "running", f"depth={number}"))
    view.progress("search", Progress(1, 8, "jobs", "001", "succeeded", "depth=1 auc=0.91"))
    tick(75.2)
    view.progress("search", Progress(part="003", state="running", note="epoch 4 \x1b[31mloss 0.2"))
    view.line("search", "job 001: depth=1  auc=0.91 (best so far)")
    view.step_started("good-enough")
    ended(view, "good-enough", 0.0, note="true")
    view.step_started("score")
    view.progress("score", Progress(3, 12, "files", note="candidates-03.csv"))
    view.step_started("register")
    ended(view, "register", 1.25, "Failed", reason="ValidationException: no such group\nmore")
    tick(2.5)


def many(view: Observer, tick: Callable[[float], None]) -> None:
    """A ForEach of 100 rounds of two steps: some run, some failed."""
    loop = plain("each", "ForEach")
    loop["Arguments"] = {"IterableItems": ["a"], "ForEachBody": [plain("prepare"), plain("fit")]}
    steps = started(view, plain("first"), loop, plain("last"))
    view.step_started("first")
    ended(view, "first", 3.0)
    view.step_started("each")
    rounds = [
        Step(f"{name}-{number}", "Processing", {}, "") for number in range(100)
        for name in ("prepare", "a-model-with-quite-a-long-name-fit")
    ]  # fmt: skip
    view.expanded(steps["each"], rounds)
    for number, step in enumerate(rounds[:48]):
        view.step_started(step.name)
        if number in (17, 30):
            ended(view, step.name, 2.0, "Failed", reason="exit code 1")
        elif number < 44:
            ended(view, step.name, 1.5)
        else:
            view.line(step.name, "working on ünïcödé 数据数据数据数据数据数据 now")
        tick(0.5)


SCENES = {"small": small, "many": many}


def main() -> None:
    now = 100.0

    def tick(seconds: float) -> None:
        nonlocal now
        now += seconds

    view = LiveView(Console(), clock=lambda: now, interval=0)
    settings = termios.tcgetattr(sys.stdin)
    settings[3] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSANOW, settings)
    SCENES[sys.argv[1]](view, tick)
    view.draw()
    print("\x1b]0;drawn\x07", end="", flush=True)
    for line in sys.stdin:
        if line.strip() == "draw":
            tick(0.1)
            view.draw()
            print("\x1b]0;drawn again\x07", end="", flush=True)
        else:
            break
    view.stopping()
    view.draw()
    view.ended("Failed")


if __name__ == "__main__":
    main()
