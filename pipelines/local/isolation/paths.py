"""The mode ``paths``: no isolation; ``/opt/ml`` is spelled out as the job's real folder.

Command, environment and configuration files are rewritten, and a module that Python imports at its
start does the same for paths that the job's own code passes to ``open`` and ``os``.

Limits: code that opens files without Python (a compiled reader, a shell script's own text) and
programs in other languages see no ``/opt/ml``. The job can read and write whatever the user can.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
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

    @contextlib.contextmanager
    def launch(self, sandbox: Sandbox) -> Iterator[Launch]:
        """Start the command with every ``/opt/ml`` in it rewritten."""
        with _one_word(sandbox.ml) as ml, self._launch(replace(sandbox, ml=ml)) as launched:
            yield launched

    def _launch(self, sandbox: Sandbox) -> contextlib.AbstractContextManager[Launch]:
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


@contextlib.contextmanager
def _one_word(ml: Path) -> Iterator[Path]:
    """Name a folder whose path has spaces by a link without any: shell commands do not quote it."""
    places = [place for place in (tempfile.gettempdir(), "/tmp", "/var/tmp") if _is_word(place)]  # noqa: S108 - the link's folder is made for this user alone
    places = [place for place in places if os.access(place, os.W_OK)]
    if _is_word(str(ml)) or not places:
        yield ml
        return
    folder = Path(tempfile.mkdtemp(prefix="sagedag-", dir=places[0]))
    try:
        (folder / "ml").symlink_to(ml)
        yield folder / "ml"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_word(path: str) -> bool:
    return not any(sign.isspace() for sign in path)
