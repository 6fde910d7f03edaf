"""The modes ``docker`` and ``podman``, when asked for: the image itself runs in a container.

A job that has no image, such as a stand-in's function, runs in another mode.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.local.isolation.guard import guarded
from pipelines.local.isolation.model import ML, Container, Isolation, Launch, Probe, Sandbox

CANNOT_RUN = 125
"""The exit status of ``docker run`` when the engine itself failed (docker run reference)."""

SECONDS = 60

_CLIENT = ("PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK")
"""What of the user's variables the engine's client needs, besides DOCKER_… and CONTAINER_…."""


class Engine(Isolation):
    """Runs a job's image by an engine's client.

    Args:
        program: ``docker`` or ``podman``.
    """

    note = "jobs run in their own images, and write only to their own folder"
    protects = True
    runs_images = True

    def __init__(self, program: str) -> None:
        self.name = program

    def probe(self) -> Probe:
        """Ask the client for its engine."""
        if shutil.which(self.name) is None:
            return self._missing(f"the program {self.name} is not installed")
        try:
            done = subprocess.run(
                [self.name, "version", "--format", "{{.Server.Version}}"],
                capture_output=True, text=True, timeout=SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as problem:
            return self._missing(str(problem))
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            return self._missing(said[-1] if said else f"{self.name} does not answer")
        return self._found()

    @contextlib.contextmanager
    def launch(self, sandbox: Sandbox) -> Iterator[Launch]:
        """Start the container behind the guard; nothing of it is left at the end."""
        assert sandbox.container is not None
        name = f"sagedag-{os.getpid()}-{sandbox.ml.parent.parent.name}-{sandbox.ml.parent.name}"
        argv = run_argv(
            self.name,
            sandbox.container,
            name=name,
            ml=sandbox.ml,
            scratch=sandbox.scratch,
            environment=sandbox.environment,
            gpus=Path("/dev/nvidia0").exists(),
        )
        client = client_environment(os.environ)
        plain = replace(sandbox, argv=argv, environment=client, cwd=str(sandbox.scratch))
        try:
            yield guarded(plain)
        finally:
            # A killed client leaves its container running.
            self._quietly(("rm", "--force", name))
            if os.getuid() != 0:
                owner = f"{os.getuid()}:{os.getgid()}"
                given = Container(sandbox.container.image, ("chown", "-R", owner, ML, "/tmp"), ())  # noqa: S108 - the container's
                self._quietly(
                    run_argv(
                        self.name, given, name=f"{name}-owner", ml=sandbox.ml,
                        scratch=sandbox.scratch, environment={}, gpus=False,
                    )[1:]
                )  # fmt: skip

    def _quietly(self, words: tuple[str, ...]) -> None:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run([self.name, *words], capture_output=True, timeout=SECONDS, check=False)


def run_argv(
    program: str,
    container: Container,
    *,
    name: str,
    ml: Path,
    scratch: Path,
    environment: Mapping[str, str],
    gpus: bool,
) -> tuple[str, ...]:
    """Return the client's command for a container; nothing but the arguments goes in.

    The container shares the machine's network, so that the local S3 on loopback is reached.
    """
    argv = [program, "run", "--rm", "--init", "--name", name]
    argv += ["--network", "host", "--add-host", "algo-1:127.0.0.1"]
    argv += ["--security-opt", "no-new-privileges"]
    argv += ["--gpus", "all"] if gpus else []
    argv += ["--mount", _mount(ml, ML), "--mount", _mount(scratch, "/tmp")]  # noqa: S108 - the container's
    for key in sorted(environment):
        argv += ["--env", f"{key}={environment[key]}"]
    if container.entry:
        argv += ["--entrypoint", container.entry[0]]
    return (*argv, container.image, *container.entry[1:], *container.arguments)


def client_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what of the user's variables the engine's client gets."""
    return {
        name: value
        for name, value in variables.items()
        if name in _CLIENT or name.startswith(("DOCKER_", "CONTAINER_"))
    }


def _mount(source: Path, target: str) -> str:
    """Return a mount's words as CSV, which the option is: a path may hold commas and quotes."""
    quoted = f"source={source}".replace('"', '""')
    field = f'"{quoted}"' if set(quoted) & {",", '"', "\n"} else quoted
    return f"type=bind,{field},target={target}"
