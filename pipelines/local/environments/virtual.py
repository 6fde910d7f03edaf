"""Virtual environments for jobs: one per image profile and requirements, made once and kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.local.environments.profiles import Profile, loosened, profile_of
from pipelines.local.environments.pythons import find_uv, nearest_python
from pipelines.local.jobs.context import JobContext, JobFailed
from pipelines.local.jobs.interpreters import Environments, Interpreter
from pipelines.local.jobs.material import note
from pipelines.local.jobs.requirements import read_requirements

SECONDS = 1800
"""How long an installation may take."""

COMPLETE = ".complete"
"""The file in an environment's folder that says that all of it is there."""

_SHOWN_LINES = 8


class VirtualEnvironments(Environments):
    """Environments in a cache folder of the user's.

    Only wheels are installed: building a package runs its code, and that outside of any isolation.

    Args:
        folder: the cache; by default ``sagedag/environments`` in the user's.
    """

    name = "venv"

    def __init__(self, folder: Path | None = None) -> None:
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        self._folder = folder or Path(cache) / "sagedag" / "environments"

    def interpreter(
        self,
        image: str,
        requirements: Sequence[Path],
        context: JobContext,
        *,
        installs_itself: bool = False,
    ) -> Interpreter:
        """Return the Python of the environment for an image; make it where it is not there yet."""
        del installs_itself
        profile = profile_of(image)
        version, base = nearest_python(profile.python)
        wanted = profile.requirements
        notes = []
        if profile.python and version != profile.python:
            wanted = tuple(map(loosened, wanted))
            notes.append(
                f"the image has Python {profile.python}, which is not on this machine; {version} "
                "takes its place, and the libraries may be newer"
            )
        own = [line for file in requirements for line in read_requirements(file)]
        lines = [*wanted, *filter(None, map(str.strip, own))]
        folder = self._folder / f"{profile.name}-{_digest(version, base, lines)}"
        made = self._make(folder, base, lines, profile, context)
        shown = ", ".join(wanted) or "nothing of an image that is not known"
        notes.insert(0, f"environment {folder.name}: Python {version}; {shown}")
        for text in notes if made or len(notes) > 1 else notes[:1]:
            note(context, text)
        return Interpreter(folder / "bin" / "python", (folder, *_base_of(folder)))

    def _make(
        self, folder: Path, base: Path, lines: list[str], profile: Profile, context: JobContext
    ) -> bool:
        """Make an environment unless it is there; others that want the same one wait."""
        if (folder / COMPLETE).is_file():
            return False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JobFailed(
                f"the folder of environments, {self._folder}, cannot be made: {error.strerror}",
                context.log,
                hint="Set XDG_CACHE_HOME to a folder that can be written.",
            ) from None
        with (self._folder / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (folder / COMPLETE).is_file():
                return False
            # What a killed installation left is not trusted.
            shutil.rmtree(folder, ignore_errors=True)
            note(context, f"making the environment {profile.name}: {', '.join(lines) or 'empty'}")
            with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
                listed.write("\n".join(lines) + "\n")
                listed.flush()
                for command in _commands(folder, base, Path(listed.name) if lines else None):
                    _run(command, context)
            (folder / COMPLETE).touch()
        return True


def _commands(folder: Path, base: Path, listed: Path | None) -> list[list[str]]:
    """Return what makes an environment: uv where there is one, else Python's own tools."""
    python = str(folder / "bin" / "python")
    wheels = ("--only-binary", ":all:")
    uv = find_uv()
    if uv is not None:
        commands = [[uv, "venv", "--quiet", "--no-project", "--python", str(base), str(folder)]]
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    else:
        commands = [[str(base), "-m", "venv", str(folder)]]
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if listed is not None:
        commands.append([*install, *wheels, "-r", str(listed)])
    return commands


def _run(command: list[str], context: JobContext) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise JobFailed(f"ClientError: the environment: {problem}", context.log) from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        for line in said:
            note(context, line)
        told = " ".join(line.strip() for line in said[:_SHOWN_LINES])
        raise JobFailed(
            f"ClientError: the environment could not be made: {told}",
            context.log,
            hint="Wheels alone are installed, from the index that uv or pip is configured for; "
            "--job-env current takes this interpreter as it is.",
        )


def _digest(version: str, base: Path, lines: list[str]) -> str:
    """Return what tells environments apart: interpreter, platform and requirements."""
    parts = (version, str(base), sys.platform, *lines)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _base_of(folder: Path) -> tuple[Path, ...]:
    """Return the installation that an environment stands on, as its own file says.

    It is not asked: its interpreter would run what was installed, outside of any isolation.
    """
    try:
        text = (folder / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return ()
    values = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    home = values.get("home")
    if not home:
        return ()
    # `home` may be a folder of links; what they lead to must be seen as well.
    real = Path(os.path.realpath(folder / "bin" / "python"))
    return (Path(home).parent, real.parents[1])
