"""Time a plan of many deployed definitions, against moto's server in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import ROOT, Line, surroundings


def measure_plan(count: int) -> list[Line]:
    """Time `plan` of deployed definitions against moto's server in a process of its own."""
    tests = ROOT / "tests/cloud"
    command = (sys.executable, str(tests / "moto_server.py"))
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            environment = {
                **surroundings(place),
                "PYTHONPATH": os.pathsep.join([str(tests), str(ROOT)]),
                "AWS_ENDPOINT_URL": url,
                "AWS_ACCESS_KEY_ID": "AKIABENCHBENCHBENCHB",
                "AWS_SECRET_ACCESS_KEY": "bench",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            done = subprocess.run(
                [sys.executable, "-c", PLAN, str(place / "many"), url, str(count)],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
    finally:
        server.stdin.close()
        server.wait()
    if done.returncode:
        return [Line("could not be measured", done.stderr.strip().splitlines()[-1])]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return [
        Line("all of it", f"{found['plan']:.2f} s"),
        Line("compiling alone", f"{found['compile']:.2f} s"),
        Line("sagedag deploy, lint included", f"{found['deploy']:.2f} s"),
        Line("calls of AWS", f"{found['calls']:.0f}", f"≤ {4 * count + 10}", None),
    ]


PLAN = """
import json, sys, time
from pathlib import Path
import boto3
from many import write_many
from pipelines.delivery import Order, deliver
from pipelines.deployment import Connection, compile_all, plan, upsert

boto3.client("s3").create_bucket(Bucket="dev-bucket")
place = write_many(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
upsert([place], environment="dev")
calls = []
start = time.perf_counter()
made = plan([place], environment="dev", connection=Connection(tell=calls.append))
middle = time.perf_counter()
compile_all([place], environment="dev")
end = time.perf_counter()
assert made.plan.is_empty
done = deliver(Order([place], "dev"))
last = time.perf_counter()
assert done.status == "unchanged" and not done.attempts, done.status
times = {"plan": middle - start, "compile": end - middle, "deploy": last - end}
print(json.dumps({**times, "calls": len(calls)}))
"""
