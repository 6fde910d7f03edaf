"""A disk that a job fills: the step fails, the record stays, and a later run succeeds."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sagedag_process import run_sagedag

SPACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
DEFINITION = """\
pipeline: filling
parameters: {Size: 10}
environments: {local: {}}
steps:
  work:
    type: Processing
    image: {framework: sklearn, version: 1.4-2-py312}
    instance: ml.m5.large
    command: [python3, -c, SCRIPT]
    arguments: ["${parameters.Size}"]
    outputs: [out]
"""
SCRIPT = (
    "import sys; stream = open('/opt/ml/processing/out/data', 'wb'); "
    "[stream.write(bytes(1000)) for _ in range(int(sys.argv[1]))]; stream.close()"
)


def test_a_job_that_fills_the_disk_fails_its_step_alone(tmp_path: Path) -> None:
    try:
        subprocess.run([*SPACE, "mount -t tmpfs tmpfs /mnt"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system of a test's own can be mounted here")
    (tmp_path / "pipeline.yaml").write_text(DEFINITION.replace("SCRIPT", json.dumps(SCRIPT)))
    compiled = run_sagedag("compile", cwd=tmp_path)
    assert compiled.returncode == 0, compiled.stderr
    (tmp_path / "filling.json").write_text(compiled.stdout)
    run = f"{shlex.quote(sys.executable)} -m pipelines"
    commands = f"""
        mount -t tmpfs -o size=6m tmpfs /mnt && cp filling.json /mnt && cd /mnt || exit 99
        {run} run filling.json -p Size=20000; echo "first: $?"
        {run} runs show
        head -c 100m /dev/zero > full 2> /dev/null; {run} run filling.json; echo "second: $?"
        rm full; {run} run filling.json; echo "third: $?"
    """
    done = subprocess.run(
        [*SPACE, commands], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    told = done.stdout + done.stderr
    assert "Traceback" not in done.stderr, told
    assert "No space left on device" in done.stdout, told
    assert "first: 5" in done.stdout, told
    assert "Status     Failed" in done.stdout, told
    assert "cannot be written: no space is left on its disk" in done.stderr, told
    assert "second: 1" in done.stdout, told
    assert "third: 0" in done.stdout, told
