"""The variables a job's process gets: an allow-list of the user's, and SageMaker's own."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.local.jobs.context import JobContext
from pipelines.local.jobs.interpreters import OWN, Interpreter

INHERITED = (
    "LANG",
    "LANGUAGE",
    "TZ",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
"""The user's variables that a job sees, besides those that begin with LC_. None holds a secret."""


IMAGE_FOLDERS = tuple(map(Path, ("/usr/bin", "/usr/local/bin", "/bin", "/opt/conda/bin")))
"""Where images have their interpreter."""

_PYTHON = re.compile(r"python(3(\.\d+)?)?")


def job_environment(
    context: JobContext, own: Mapping[str, str], interpreter: Interpreter = OWN
) -> dict[str, str]:
    """All variables of a job.

    Args:
        context: the job.
        own: those of the request and of its contract; they win over the defaults.
        interpreter: the Python that stands for the image's.

    Returns:
        The variables; paths in them are a container's.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in INHERITED or name.startswith("LC_")
    }
    defaults = {
        "PATH": search_path(context, interpreter),
        "HOME": "/tmp",  # noqa: S108 - private to the job
        "TMPDIR": "/tmp",  # noqa: S108 - private to the job
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **_aws(context),
    }
    return inherited | defaults | dict(context.environment) | dict(own)


def container_environment(context: JobContext, own: Mapping[str, str]) -> dict[str, str]:
    """All variables that a job's container gets besides its image's.

    Args:
        context: the job.
        own: those of the request and of its contract; they win over the others.
    """
    given = {name: value for name, value in _aws(context).items() if not name.endswith("_FILE")}
    return given | dict(context.environment) | dict(own)


def _aws(context: JobContext) -> dict[str, str]:
    """The variables of AWS's SDKs: made-up credentials, and no look at the user's."""
    return {
        "AWS_REGION": context.region,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ACCESS_KEY_ID": "LOCALRUNNOTAREALKEY",
        "AWS_SECRET_ACCESS_KEY": "local-run-not-a-real-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def own_interpreter(argv: tuple[str, ...], interpreter: Interpreter = OWN) -> tuple[str, ...]:
    """A command in which an image's Python is the one that stands for it.

    ``/usr/bin/python3`` and the like name the image's interpreter, whose place this machine's own
    takes, packages and all. ``python3`` alone needs nothing: PATH leads to this interpreter.
    """
    # Without words, a container's own entry point runs.
    program = Path(argv[0] if argv else "")
    if not program.is_absolute() or not _PYTHON.fullmatch(program.name):
        return argv
    if program.exists() and program.parent not in IMAGE_FOLDERS:
        return argv
    return (str(interpreter.executable), *argv[1:])


def search_path(context: JobContext, interpreter: Interpreter = OWN) -> str:
    """PATH with the job's own ``pip`` first, then this interpreter.

    ``python3`` and ``python`` are this interpreter. One that is called otherwise (``python3.11``
    alone in its folder) gets scripts of these names; a link would hide from a virtual environment
    that it is one.
    """
    program = interpreter.executable
    beside = program.parent
    own = context.folder / "bin"
    own.mkdir(parents=True, exist_ok=True)
    for name in ("pip_stand_in.py", "requirements.py"):
        shutil.copyfile(Path(__file__).with_name(name), own / name)
    if not interpreter.own:
        # What judges requirements must not depend on what the environment holds.
        import packaging

        source = Path(packaging.__file__).parent
        shutil.copytree(source, own / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pip", "pip3"):
        _write_script(own / name, f'"{program}" "{own / "pip_stand_in.py"}"')
    for name in ("python", "python3"):
        if not (beside / name).exists():
            _write_script(own / name, f'"{program}"')
    usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    if sys.platform == "darwin" and (brew := shutil.which("brew")):
        usual.insert(0, str(Path(brew).parent))
    return ":".join([str(own), str(beside), *usual])


def _write_script(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
