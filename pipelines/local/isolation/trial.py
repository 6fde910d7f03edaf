"""Trying an isolation out: one small job, really run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pipelines.local.isolation.model import Isolation, Sandbox

SECONDS = 20.0
"""How long a trial may take before the mode counts as not working."""

_SCRIPT = "import os; open('/opt/ml/trial', 'w').write('ok'); os.listdir('/proc/self')"


def try_out(isolation: Isolation) -> str:
    """Run a job that writes to its ``/opt/ml``. Returns why that failed; empty when it worked."""
    with tempfile.TemporaryDirectory(prefix="sagedag-trial-") as name:
        folder = Path(os.path.realpath(name))
        ml, scratch = folder / "ml", folder / "tmp"
        ml.mkdir()
        scratch.mkdir()
        reader, writer = os.pipe()
        try:
            sandbox = Sandbox(
                ml=ml,
                scratch=scratch,
                argv=(sys.executable, "-I", "-S", "-c", _SCRIPT),
                environment={"PATH": os.defpath},
                cwd="/opt/ml",
                status=writer,
            )
            with isolation.launch(sandbox) as launch:
                ended = subprocess.run(
                    launch.argv,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    env=dict(launch.environment),
                    cwd=launch.cwd,
                    pass_fds=launch.inherited,
                    timeout=SECONDS,
                    check=False,
                )
        except (OSError, subprocess.TimeoutExpired) as problem:
            return str(problem)
        finally:
            os.close(writer)
            said = os.read(reader, 4096).decode("utf-8", "replace")
            os.close(reader)
        if (ml / "trial").is_file() and ended.returncode == 0:
            return ""
        lines = (said or ended.stderr.decode("utf-8", "replace")).strip().splitlines()
        return lines[-1] if lines else f"a trial job ended with exit code {ended.returncode}"
