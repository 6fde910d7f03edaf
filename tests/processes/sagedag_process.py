"""`sagedag` as a process of its own that need not import everything anew.

Importing the SDK takes seconds, and tests of what commands print start many processes. Here one
process per test run imports it once and forks for every command: each command still has its own
process, folder, environment, input, output and exit code. What is about the process itself (how it
starts, what it imports, signals, terminals) starts Python in the ordinary way instead.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMPILING = frozenset({"compile", "run"})


def run_sagedag(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
    together: bool = False,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run ``sagedag`` with these arguments.

    Args:
        env: the whole environment; this process's where it is None.
        text: what the command reads from its standard input.
        together: errors go where the output goes, in the order in which they are written.
    """
    environment = dict(os.environ if env is None else env)
    request = {"arguments": arguments, "cwd": str(cwd), "env": environment, "together": together}
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        asked.write(json.dumps(request).encode())
        given.write((text or "").encode())
        for file in (asked, given):
            file.seek(0)
        errors_to = output if together else errors
        files = [file.fileno() for file in (asked, given, output, errors_to)]
        compiles = COMPILING & {*arguments} and not any(a.endswith(".json") for a in arguments)
        server = _server(with_sdk=bool(compiles))
        server.settimeout(timeout)
        socket.send_fds(server, [b"?"], files)
        code = server.recv(16)
        assert code, "the process that forks for every command has died"
        for file in (output, errors):
            file.seek(0)
        out, err = (file.read().decode() for file in (output, errors))
    return subprocess.CompletedProcess(["sagedag", *arguments], int(code), out, err)


@functools.cache
def _server(*, with_sdk: bool) -> socket.socket:
    """Start the process that forks; it ends when this one does.

    One with the SDK is slower to fork, so commands that do not compile have one without.
    """
    ours, its = socket.socketpair()
    with its:
        # With the whole environment of this process: what is imported may look at it.
        process = subprocess.Popen(
            [sys.executable, __file__, str(its.fileno()), *(["sdk"] if with_sdk else [])],
            pass_fds=[its.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(requests: socket.socket) -> dict[str, Any] | None:
    """Fork for every request; return the request in the process that is to answer it."""
    while True:
        message, files, _, _ = socket.recv_fds(requests, 1, 4)
        if not message:
            return None
        with os.fdopen(files[0], "rb") as asked:
            request: dict[str, Any] = json.load(asked)
        child = os.fork()
        if not child:
            requests.close()
            for target, file in enumerate(files[1:]):
                os.dup2(file, target)
                os.close(file)
            return request
        for file in files[1:]:
            os.close(file)
        _, status = os.waitpid(child, 0)
        requests.send(str(os.waitstatus_to_exitcode(status)).encode())


def _import_the_sdk() -> None:
    from steps._sdk import offline
    from steps._sdk.names import STEPS, installed_major, names, step_base

    with offline("us-east-1"):
        names()
        for step_type in {**STEPS, **installed_major().steps}:
            step_base(step_type)


def _become(request: dict[str, Any]) -> None:
    """Be the command that was asked for."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=request["together"])  # type: ignore[union-attr]
    sys.argv = ["sagedag", *request["arguments"]]
    code: Any = 1
    try:
        pipelines.cli.main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter itself does
        traceback.print_exc()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Taking all that was imported apart again would take longer than the command.
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import pipelines.cli
    import pipelines.cli.run

    if "sdk" in sys.argv:
        _import_the_sdk()
    gc.freeze()
    asked_for = _serve(socket.socket(fileno=int(sys.argv[1])))
    if asked_for is not None:
        _become(asked_for)
