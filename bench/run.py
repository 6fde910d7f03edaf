"""Measure what must be fast, and print it beside its target: `make bench`.

Everything cold runs in processes of its own, round by round one after the other, so that a slow
moment of the machine hits all of them; what is printed is the median. Nothing fails here: a slow
machine is no mistake.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from deploys import measure_plan
from local_runs import measure_cached, measure_jobs, measure_memory, measure_parallel
from serving import measure_serving
from timing import PULSAR, ROOT, SAGEDAG, Line, clock, surroundings

# What a script that builds the same pipeline with the SDK has to import.
SDK_IMPORTS = """
from sagemaker.core.workflow import conditions, functions, parameters, properties
from sagemaker.mlops.workflow import condition_step, fail_step, model_step, pipeline, steps
"""

COLD: Mapping[str, tuple[str, ...]] = {
    "python": (sys.executable, "-c", "pass"),
    "validate": (*SAGEDAG, "validate", "--quiet", PULSAR),
    "lint": (*SAGEDAG, "lint", "--quiet", "--env", "dev", PULSAR),
    "graph": (*SAGEDAG, "graph", PULSAR),
    "schema": (*SAGEDAG, "schema"),
    "explain": (*SAGEDAG, "explain", "Processing"),
    "SDK import": (sys.executable, "-c", SDK_IMPORTS),
    "compile": (*SAGEDAG, "compile", PULSAR, "--env", "dev"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="of each cold command")
    parser.add_argument("--steps", type=int, default=500, help="of the big definition")
    parser.add_argument("--jobs", type=int, default=20, help="that do nothing, for the overhead")
    parser.add_argument("--scheduled", type=int, default=1000, help="jobs, for the memory")
    parser.add_argument("--definitions", type=int, default=200, help="of the plan")
    parser.add_argument("--requests", type=int, default=1000, help="to the served model")
    options = parser.parse_args(argv)
    if min(vars(options).values()) < 1:
        parser.error("the numbers begin at 1")
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    sections: list[tuple[str, Callable[[], list[Line]]]] = [
        (f"cold, median of {options.rounds}", lambda: measure_cold(options.rounds)),
        (f"a definition of {options.steps} steps", lambda: measure_big(options.steps)),
        (f"{options.jobs} local jobs that do nothing", lambda: measure_jobs(options.jobs)),
        ("six jobs of a second, two at once", measure_parallel),
        ("pulsar again, all of it cached", lambda: measure_cached(options.rounds)),
        (
            f"{options.scheduled} jobs one after the other",
            lambda: measure_memory(options.scheduled),
        ),
        (
            f"{options.requests} requests to the served pulsar model",
            lambda: measure_serving(options.requests),
        ),
    ]
    if find_spec("moto") is not None:
        title = f"plan of {options.definitions} definitions, nothing changed"
        sections.append((title, lambda: measure_plan(options.definitions)))
    for title, measure in sections:
        print(f"\n{title}", flush=True)
        for line in measure():
            mark = {None: " ", True: "✓", False: "✗"}[line.met]
            target = f"target {line.target}" if line.target else ""
            print(f"{mark} {line.what:<34}{line.value:>10}   {target}".rstrip(), flush=True)
    return 0


def measure_cold(rounds: int) -> list[Line]:
    """Time the short commands, and compiling against what it cannot avoid."""
    with tempfile.TemporaryDirectory() as folder:
        environment = surroundings(Path(folder))
        times: dict[str, list[float]] = {name: [] for name in COLD}
        for turn in range(rounds + 1):
            for name, command in COLD.items():
                seconds = clock(command, environment)
                # The first round fills the disk's cache and the byte code's.
                if turn:
                    times[name].append(seconds)
    median = {name: statistics.median(found) for name, found in times.items()}
    lines = [Line("Python alone", f"{median['python']:.3f} s")]
    limits = {"validate": 0.4, "lint": 0.5, "graph": 0.3, "schema": 0.3, "explain": 0.3}
    for name, limit in limits.items():
        found = median[name]
        lines.append(Line(f"sagedag {name}", f"{found:.3f} s", f"≤ {limit} s", found <= limit))
    lines.append(Line("the SDK's import alone", f"{median['SDK import']:.3f} s"))
    lines.append(Line("sagedag compile", f"{median['compile']:.3f} s"))
    over = median["compile"] / median["SDK import"] - 1
    lines.append(Line("compile over the import", f"{over:+.1%}", "≤ +15 %", over <= 0.15))
    return lines


def measure_big(count: int) -> list[Line]:
    """Time checking and compiling a big definition, the SDK imported already."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        path = write_big(place, count)
        done = subprocess.run(
            [sys.executable, "-c", BIG, str(path), PULSAR + "/pipeline.yaml"],
            env=surroundings(place),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return [Line("could not be measured", done.stderr.strip().splitlines()[-1])]
    found: dict[str, float] = json.loads(done.stdout)
    return [Line(what, f"{seconds:.3f} s") for what, seconds in found.items()]


BIG = """
import json, sys, time
from pipelines.compiler import compile_program
from pipelines.language.check import check

small = check(sys.argv[2], environment="local")
compile_program(small.program)
start = time.perf_counter()
checked = check(sys.argv[1], environment="local")
middle = time.perf_counter()
if checked.failed:
    sys.exit(str(checked.diagnostics[0]))
text = compile_program(checked.program).definition_json
end = time.perf_counter()
print(json.dumps({"check": middle - start, "compile": end - middle}))
"""


def write_big(folder: Path, count: int) -> Path:
    """Write a definition of ``count`` Processing steps, in rows of ten."""
    (folder / "job.py").write_text("print('done')\n")
    lines = [
        "pipeline: big",
        "defaults: {instance: ml.m5.large, image: {framework: sklearn, version: 1.4-2-py312}}",
        "steps:",
    ]
    for number in range(count):
        lines += [
            f"  step-{number}:",
            "    type: Processing",
            "    code: job.py",
            f"    arguments: {{number: {number}, seed: 7}}",
            "    outputs: [result]",
        ]
        if number % 10:
            source = f"${{steps.step-{number - 1}.outputs.result}}"
            lines.append(f'    inputs: {{before: "{source}"}}')
    path = folder / "pipeline.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


if __name__ == "__main__":
    # Run as a script from anywhere: the packages are beside this folder.
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
