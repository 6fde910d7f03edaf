"""Compilations as processes of their own, in surroundings that differ or are hostile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

NO_NETWORK = """
import socket, sys

def _refuse(*arguments, **named):
    # An OSError alone could be caught and forgotten: what is written is seen in any case.
    sys.stderr.write(f"NETWORK {arguments}\\n")
    raise OSError("no network in this test")

socket.socket.connect = _refuse
socket.socket.connect_ex = _refuse
socket.getaddrinfo = _refuse
socket.create_connection = _refuse
"""


@dataclass(frozen=True)
class Surroundings:
    """A checkout and the environment that the command sees.

    Args:
        checkout: where the product and the definitions lie.
        extra: a folder in front of everything on Python's path.
        environment: the whole environment; nothing of this process's comes in.
        umask: for what the command writes.
    """

    checkout: Path
    extra: Path | None = None
    environment: Mapping[str, str] | None = None
    umask: int = 0o022

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``sagedag`` with these arguments."""
        return self.run_python(["-m", "pipelines", *arguments])

    def run_python(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Start Python in the checkout."""
        # The environment may hold nothing but PATH, so what Python needs comes by argument.
        places = [str(p) for p in (self.extra, self.checkout) if p is not None]
        begin = f"import sys; sys.path[:0] = {places!r}; sys.dont_write_bytecode = True\n"
        if self.extra is not None:
            begin += "import no_network\n"
        if arguments[0] == "-m":
            begin += "from pipelines.cli import main\n"
            begin += f"sys.argv = {['sagedag', *arguments[2:]]!r}\nmain()\n"
        else:
            begin += arguments[1]
        return subprocess.Popen(
            [sys.executable, "-P", "-c", begin],
            cwd=self.checkout,
            env={"PATH": os.environ["PATH"], **(self.environment or {})},
            umask=self.umask,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def copy_of_checkout(target: Path, *, age: float = 0, mode: int | None = None) -> Path:
    """Copy what compiling the pulsar pipeline needs; with other times and modes on demand."""
    for name in ("pipelines", "steps", "definitions"):
        ignored = shutil.ignore_patterns("__pycache__", ".sagedag")
        shutil.copytree(REPOSITORY / name, target / name, ignore=ignored)
    moment = time.time() - age
    for path in target.rglob("*"):
        if age:
            os.utime(path, (moment, moment))
        if mode is not None and path.is_file():
            path.chmod(mode)
    return target


def without_network(folder: Path) -> Path:
    """Write the module that refuses every connection; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "no_network.py").write_text(NO_NETWORK, "utf-8")
    return folder


def hostile_home(home: Path) -> dict[str, str]:
    """A home with a broken AWS configuration and an SDK configuration that changes defaults."""
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/config").write_text(
        "[profile broken]\nsource_profile = nowhere\nrole_arn = x\n"
        "credential_process = /bin/false\n"
        "[default]\nregion = mars-north-1\nendpoint_url = http://127.0.0.1:9\n",
        "utf-8",
    )
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = only-half\n", "utf-8")
    (home / ".config/sagemaker").mkdir(parents=True)
    settings = {
        "SchemaVersion": "1.0",
        "SageMaker": {
            "PythonSDK": {"Modules": {"Session": {"DefaultS3Bucket": "hostile-bucket"}}},
            "ProcessingJob": {"RoleArn": "arn:aws:iam::666666666666:role/hostile"},
            "TrainingJob": {"RoleArn": "arn:aws:iam::666666666666:role/hostile"},
            "Pipeline": {"Tags": [{"Key": "hostile", "Value": "yes"}]},
        },
    }
    # JSON is YAML.
    (home / ".config/sagemaker/config.yaml").write_text(json.dumps(settings), "utf-8")
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "AWS_PROFILE": "nonexistent",
        "AWS_DEFAULT_PROFILE": "nonexistent",
        "AWS_REGION": "mars-north-1",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(home / ".config/sagemaker/config.yaml"),
    }
