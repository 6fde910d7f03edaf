"""The mode ``paths``: no isolation; ``/opt/ml`` is spelled out as the job's real folder.

Command, environment and configuration files are rewritten, and a module that Python imports at its
start does the same for paths that the job's own code passes to ``open`` and ``os``.

Limits: code that opens files without Python (a compiled reader, a shell script's own text) and
programs in other languages see no ``/opt/ml``. The job can read and write whatever the user can.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from pipelines.local.isolation.guard import guarded
from pipelines.local.isolation.model import Isolation, Launch, Probe, Sandbox, holding, replace_ml

SHIM = Path(__file__).resolve().parent / "shim"
"""The folder put on PYTHONPATH; its ``sitecustomize`` redirects paths below ``/opt/ml``."""


class Paths(Isolation):
    """Rewrites paths; protects nothing; works everywhere."""

    name = "paths"
    note = "protects nothing: jobs see all your files; /opt/ml is rewritten, not mounted"
    protects = False

    def probe(self) -> Probe:
        """It always works."""
        return self._found()

    def rewrite(self, text: str, ml: Path) -> str:
        """The text with ``/opt/ml`` as the job's folder."""
        return replace_ml(text, ml)

    def launch(self, sandbox: Sandbox) -> contextlib.AbstractContextManager[Launch]:
        """Start the command with every ``/opt/ml`` in it rewritten."""
        environment = {
            name: replace_ml(value, sandbox.ml) for name, value in sandbox.environment.items()
        }
        behind = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{SHIM}:{behind}" if behind else str(SHIM)
        environment["SAGEDAG_ML"] = str(sandbox.ml)
        environment |= {"TMPDIR": str(sandbox.scratch), "HOME": str(sandbox.scratch)}
        cwd = Path(replace_ml(sandbox.cwd, sandbox.ml))
        argv = tuple(replace_ml(part, sandbox.ml) for part in sandbox.argv)
        if cwd == Path("/tmp"):  # noqa: S108 - the container's /tmp is the job's own scratch folder
            cwd = sandbox.scratch
        return holding(guarded(replace(sandbox, argv=argv, environment=environment, cwd=str(cwd))))
