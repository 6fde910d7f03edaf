"""How long local runs take beside the work itself, and what memory they need."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from timing import PULSAR, ROOT, SAGEDAG, Line, clock, surroundings

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NO_OP = ("python3", "-c", "pass")
A_SECOND = ("python3", "-c", "import time; time.sleep(1)")


def measure_jobs(count: int) -> list[Line]:
    """Time what a local run adds to each job, above starting the job's process."""
    from pipelines.local.isolation import MODES

    bare = statistics.median(
        clock((sys.executable, *NO_OP[1:]), os.environ) for _ in range(max(count, 5))
    )
    lines = [Line("the process alone", f"{bare * 1000:.1f} ms")]
    working = [mode for mode in MODES if mode.probe().works]
    # The first run of a process imports what all others find; it is thrown away.
    run_once(no_ops(count), working[0], 1)
    for mode in working:
        record, seconds = run_once(no_ops(count), mode, 1)
        if record.status != "Succeeded":
            lines.append(Line(f"{mode.name}: {record.status}", "", str(record.failure_reason)))
            continue
        over = seconds / count - bare
        what = f"added to each job, {mode.name}"
        lines.append(Line(what, f"{over * 1000:.1f} ms", "≤ 60 ms", over <= 0.06))
    return lines


def measure_parallel() -> list[Line]:
    """Time six jobs of one second, two at once: three seconds and what the runner adds."""
    from pipelines.local.isolation import choose

    record, seconds = run_once(no_ops(6, A_SECOND), choose("auto"), 2)
    if record.status != "Succeeded":
        return [Line(record.status, "", str(record.failure_reason))]
    return [Line("with --parallel 2", f"{seconds:.2f} s", "≤ 3.6 s", seconds <= 3.6)]


def run_once(definition: dict[str, object], mode: Any, parallelism: int) -> tuple[Any, float]:
    """Run a definition in a store of its own; return its record and the seconds."""
    from pipelines.definition import read_definition
    from pipelines.local.execute import execute
    from pipelines.local.options import RunOptions
    from pipelines.local.store import open_store

    read = read_definition(json.dumps(definition))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with open_store(place / "store") as store:
            start = time.perf_counter()
            record = execute(
                read,
                name="no-ops",
                base=place,
                store=store,
                isolation=mode,
                options=RunOptions(parallelism=parallelism),
            )
            return record, time.perf_counter() - start


def measure_cached(rounds: int) -> list[Line]:
    """Time the pulsar pipeline when everything comes from the cache, above compiling it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = surroundings(place)
        run = (*SAGEDAG, "run", PULSAR, "--store", str(place / "store"), "--json")
        first = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, check=False)
        if first.returncode:
            words = first.stderr.decode("utf-8", "replace").strip().splitlines()
            return [Line("pulsar does not run", "", words[-1] if words else "")]
        compiling = (*SAGEDAG, "compile", PULSAR, "--env", "local")
        times = [(clock(run, environment), clock(compiling, environment)) for _ in range(rounds)]
    again, start = (statistics.median(found) for found in zip(*times, strict=True))
    over = again - start
    return [
        Line("start-up: sagedag compile", f"{start:.3f} s"),
        Line("the whole rerun", f"{again:.3f} s"),
        Line("beyond start-up", f"{over:.3f} s", "≤ 0.6 s", over <= 0.6),
    ]


MEMORY = """
import json, sys
from pathlib import Path
from pipelines.definition import read_definition
from pipelines.local.execute import execute
from pipelines.local.isolation import choose
from pipelines.local.observer import Observer
from pipelines.local.options import RunOptions
from pipelines.local.store import open_store

def megabytes():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024

class Watch(Observer):
    count, early = 0, 0.0
    def step_ended(self, end):
        self.count += 1
        if self.count == max(1, int(sys.argv[2]) // 10):
            self.early = megabytes()

watch = Watch()
folder = Path(sys.argv[1])
definition = read_definition((folder / "definition.json").read_bytes())
with open_store(folder / "store") as store:
    record = execute(definition, name="many", base=folder, store=store, isolation=choose("auto"),
                     options=RunOptions(parallelism=2), observer=watch)
print(json.dumps([record.status, watch.early, megabytes(), record.ended - record.started]))
"""


def measure_memory(count: int) -> list[Line]:
    """Compare the runner's memory after a tenth of many jobs with that after all of them."""
    if not Path("/proc/self/status").exists():
        return [Line("memory is read from /proc, which is not here", "")]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "definition.json").write_text(json.dumps(no_ops(count)))
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, folder, str(count)],
            env=surroundings(place),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return [Line("could not be measured", "", done.stderr.strip().splitlines()[-1])]
    status, early, late, seconds = json.loads(done.stdout)
    grown = late - early
    return [
        Line(f"{status} in", f"{seconds:.1f} s"),
        Line("memory after a tenth of them", f"{early:.1f} MB"),
        Line("more after all", f"{grown:+.1f} MB", "≤ 10 MB", grown <= 10),
    ]


def no_ops(count: int, command: Sequence[str] = NO_OP) -> dict[str, object]:
    """Return a definition of ``count`` independent Processing steps."""
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            }
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": list(command)},
        "RoleArn": "arn:aws:iam::000000000000:role/any",
    }
    steps = [
        {"Name": f"job-{number}", "Type": "Processing", "Arguments": arguments}
        for number in range(count)
    ]
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}
