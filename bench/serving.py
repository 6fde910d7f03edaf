"""How long a served model takes to answer."""

from __future__ import annotations

import http.client
import signal
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from timing import PULSAR, ROOT, SAGEDAG, Line, surroundings

WORKERS = 2
CONNECTIONS = 4


def measure_serving(count: int) -> list[Line]:
    """Time requests of one candidate to the pulsar model, over loopback, kept-alive connections."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = surroundings(place)
        store = ("--store", str(place / "store"))
        made = subprocess.run(
            (*SAGEDAG, "run", PULSAR, *store), env=environment, cwd=ROOT, capture_output=True,
            check=False,
        )  # fmt: skip
        if made.returncode:
            return [Line("pulsar does not run", "", made.stderr.decode()[-200:].strip())]
        words = ("serve", "pulsar", "--port", "0", "--workers", str(WORKERS), *store)
        start = time.perf_counter()
        served = subprocess.Popen(
            (*SAGEDAG, *words), env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        try:
            assert served.stdout is not None
            address = next(line for line in served.stdout if line.startswith("Address"))
            ready = time.perf_counter() - start
            port = int(address.rpartition(":")[2].partition("/")[0])
            alone = _ask(port, count)
            start = time.perf_counter()
            with ThreadPoolExecutor(CONNECTIONS) as pool:
                shares = [count // CONNECTIONS] * CONNECTIONS
                together = list(pool.map(lambda share: _ask(port, share), shares))
            seconds = time.perf_counter() - start
        finally:
            served.send_signal(signal.SIGINT)
            served.wait(60)
    slow = statistics.quantiles(alone, n=100)[98] if len(alone) > 1 else alone[0]
    rate = sum(map(len, together)) / seconds
    return [
        Line("from the command to ready", f"{ready:.2f} s"),
        Line("a prediction, median", f"{statistics.median(alone) * 1000:.2f} ms"),
        Line("a prediction, 99 of 100", f"{slow * 1000:.2f} ms"),
        Line(f"{CONNECTIONS} clients, {WORKERS} workers", f"{rate:.0f} /s"),
    ]


def _ask(port: int, count: int) -> list[float]:
    """Return the seconds of each of so many requests, one after the other."""
    candidates = Path(PULSAR, "data", "candidates.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.rpartition(",")[0] + "\n" for line in candidates[:100]]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for number in range(count):
        start = time.perf_counter()
        connection.request(
            "POST", "/invocations", rows[number % len(rows)], {"Content-Type": "text/csv"}
        )
        answer = connection.getresponse()
        body = answer.read()
        times.append(time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"the model answered {answer.status}: {body[:200]!r}")
    connection.close()
    return times
