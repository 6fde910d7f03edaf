"""Docker and Podman: the client on PATH and a daemon that answers on its Unix socket."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipelines.doctor.model import Finding

_NOT_NEEDED = "jobs run without it"
_SOCKET_SECONDS = 1.0


def check_containers(environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Say whether Docker and Podman could be used here.

    Args:
        environment: the variables to go by; by default this process's.
    """
    variables = os.environ if environment is None else environment
    return [_docker(variables), _podman(variables)]


def _docker(variables: Mapping[str, str]) -> Finding:
    client = shutil.which("docker", path=variables.get("PATH"))
    if client is None:
        return Finding("docker", "Docker", "absent", f"not on PATH; {_NOT_NEEDED}")
    host = variables.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        kind = host.partition("://")[0]
        return Finding("docker", "Docker", "absent", f"{client}; its daemon ({kind}) was not asked")
    places = [Path(host.removeprefix("unix://"))] if host else list(_docker_sockets(variables))
    answering = next((place for place in places if answers(place)), None)
    if answering is not None:
        return Finding("docker", "Docker", "works", f"{client}, daemon at {answering}")
    existing = [place for place in places if place.exists()]
    if existing:
        detail = f"{client}, but the daemon at {existing[0]} does not answer; {_NOT_NEEDED}"
        hint = "start the daemon, or join the group `docker`: sudo usermod -aG docker $USER"
    else:
        detail = f"{client}, but no daemon runs; {_NOT_NEEDED}"
        hint = "start Docker: sudo systemctl start docker, or Docker Desktop"
    return Finding("docker", "Docker", "broken", detail, hint)


def _docker_sockets(variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield where daemons listen: the usual place, rootless, Docker Desktop, Colima."""
    yield Path("/var/run/docker.sock")
    if runtime := variables.get("XDG_RUNTIME_DIR"):
        yield Path(runtime, "docker.sock")
    if home := variables.get("HOME"):
        yield Path(home, ".docker/run/docker.sock")
        yield Path(home, ".docker/desktop/docker.sock")
        yield Path(home, ".colima/default/docker.sock")


def _podman(variables: Mapping[str, str]) -> Finding:
    client = shutil.which("podman", path=variables.get("PATH"))
    if client is None:
        return Finding("podman", "Podman", "absent", f"not on PATH; {_NOT_NEEDED}")
    return Finding("podman", "Podman", "works", f"{client}, needs no daemon")


def answers(place: Path) -> bool:
    """Say whether something accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_SOCKET_SECONDS)
        try:
            client.connect(str(place))
        except (OSError, ValueError):
            # ValueError: a NUL in DOCKER_HOST's path.
            return False
    return True
