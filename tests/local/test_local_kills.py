"""Runs killed at random moments and resumed: the same result, and nothing finished runs twice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from local_samples import document, get, model, output_of, processing, register

from pipelines.local.history import History, StepRecord
from pipelines.local.registry import Registry
from pipelines.local.store import open_store, read_store

KILLS = int(os.environ.get("SAGEDAG_KILLS", "4"))
SCRIPT = str(Path(__file__).with_name("killed_run.py"))
STEPS = ("first", "left", "right", "join", "register", "model")


def six_steps() -> dict[str, Any]:
    return document(
        processing("first", "sleep=0.1"),
        processing("left", "sleep=0.1", data=output_of("first")),
        processing("right", "sleep=0.1", data=output_of("first")),
        processing("join", get("Steps.right.ProcessingJobStatus"), data=output_of("left")),
        register("register", Containers=[{"Image": "i", "ModelDataUrl": output_of("join")}]),
        model("model", PrimaryContainer={"Image": "i", "ModelDataUrl": output_of("join")}),
    )


def result(ran: Any) -> Any:
    """What a run came to, without its names and times."""

    def timeless(value: Any) -> Any:
        if isinstance(value, str) and value.startswith("{") and value != "{":
            value = json.loads(value)
        if isinstance(value, dict):
            return {key: timeless(item) for key, item in value.items() if key != "span"}
        return value

    reports = {step: timeless(ran.report(step)) for step in STEPS[:4]}
    return ran.status, ran.statuses, reports, len(ran.packages)


def finished(place: Any) -> tuple[str, str, dict[str, StepRecord]]:
    """The latest execution, how it stands, and its steps that have succeeded."""
    with open_store(place.store) as store:
        history = History(store)
        latest = history.executions(limit=1)
        if not latest:
            return "", "", {}
        steps = history.steps(latest[0].id)
        return latest[0].id, latest[0].status, {s.name: s for s in steps if s.status == "Succeeded"}


def test_every_resume_of_a_killed_run_ends_as_an_undisturbed_one(place: Any) -> None:
    (place.folder / "definition.json").write_text(json.dumps(six_steps()))
    undisturbed = result(place.run(six_steps()))
    chooser = random.Random(os.environ.get("SAGEDAG_KILLS_SEED", "11"))
    before = place.ran().record.id
    open_run, kept, kept_any = "", {}, 0
    for _ in range(KILLS):
        command = [sys.executable, SCRIPT, str(place.folder), *([open_run] if open_run else [])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        # Some die while they start, most somewhere in the run.
        if chooser.random() < 0.9:
            process.stdout.readline()
        time.sleep(chooser.uniform(0, 1.0))
        process.kill()
        process.communicate()
        execution, status, steps = finished(place)
        assert execution in (open_run, before) or not open_run
        assert all(steps[name] == record for name, record in kept.items())
        if execution == before or status == "Succeeded":
            # It died before it began, or after all was done.
            before, open_run, kept = execution, "", {}
            continue
        open_run, kept = execution, steps
        if chooser.random() < 0.3:
            # The next one, which goes on with this run, is killed too.
            continue
        ran = place.run(six_steps(), resume=execution)
        assert ran.record.id == execution
        assert result(ran) == undisturbed
        assert all(ran.steps[name] == record for name, record in kept.items())
        kept_any += bool(kept)
        before, open_run, kept = execution, "", {}
    if KILLS >= 20:
        assert kept_any > KILLS / 5
    with read_store(place.store) as store:
        executions = {record.id for record in History(store).executions()}
        packages = Registry(store).packages("group")
        assert len({package.execution for package in packages}) == len(packages)
        models = Registry(store).models()
        assert len({each.execution for each in models}) == len(models)
        assert {each.execution for each in models} <= executions
