"""Jobs of CI files, run for real: their scripts by bash, `sagedag` in this process.

Actions and images are stood in for: what they would bring (a checkout, Python, credentials) is
there already. ``python -m pip`` is recorded instead of run.
"""

from __future__ import annotations

import json
import os
import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml
from cloud_commands import sagedag

CLIENT = """\
import json, os, socket, sys
ask = {"words": sys.argv[1:], "folder": os.getcwd(), "variables": dict(os.environ)}
with socket.socket(socket.AF_UNIX) as line:
    line.connect(os.environ["SAGEDAG_TEST_SOCKET"])
    line.sendall(json.dumps(ask).encode() + b"\\n")
    answer = json.loads(line.makefile().readline())
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["code"])
"""


@dataclass(frozen=True)
class Ended:
    """How a script ended; ``steps`` has the exit codes by the steps' names."""

    code: int
    out: str
    steps: Mapping[str, int] = field(default_factory=dict)


class Shell:
    """Runs scripts in a folder, with `sagedag` and `python` as stand-ins on PATH.

    Args:
        folder: for the stand-ins; made.
        variables: what the scripts find besides.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        folder.mkdir()
        self.variables = dict(variables)
        self.installed = folder / "installed"
        self._bin = folder / "bin"
        self._bin.mkdir()
        (folder / "client.py").write_text(CLIENT)
        self._script("sagedag", f'exec "{sys.executable}" -S "{folder}/client.py" "$@"')
        self._script("python", f'echo "$*" >> "{self.installed}"')
        self._socket = str(folder / "socket")
        self._server = socketserver.ThreadingUnixStreamServer(self._socket, _Answering)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _script(self, name: str, line: str) -> None:
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def run(self, script: str, folder: Path, variables: Mapping[str, str]) -> Ended:
        """Run a script as GitHub and GitLab do: bash, ending at the first failure."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env={
                "PATH": f"{self._bin}:/usr/local/bin:/usr/bin:/bin",
                "HOME": str(self._bin),
                "SAGEDAG_TEST_SOCKET": self._socket,
                **self.variables,
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout)


class _Answering(socketserver.StreamRequestHandler):
    """Runs a command in this process, where the SDK is imported, with the asker's variables."""

    def handle(self) -> None:
        ask = json.loads(self.rfile.readline())
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(ask["variables"])
        try:
            ran = sagedag(Path(ask["folder"]), *ask["words"])
        finally:
            os.environ.clear()
            os.environ.update(before)
        answer = {"code": ran.code, "out": ran.out, "err": ran.err}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


def read(path: Path) -> dict[str, Any]:
    """Read a YAML file; GitHub's key `on` is no boolean."""
    text = re.sub(r"(?m)^on:", '"on":', path.read_text())
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def github_job(
    shell: Shell,
    file: Path,
    name: str,
    context: Mapping[str, str],
    variables: Mapping[str, str],
) -> Ended:
    """Run a job of a workflow: the steps in their order, with what they say under `env`.

    Args:
        context: the values of `${{ … }}`.
        variables: what the runner sets.
    """
    workflow = read(file)
    job = workflow["jobs"][name]
    assumed: dict[str, str] = {}
    told, codes = [], {}
    failed = 0
    for step in job["steps"]:
        if failed and "cancelled()" not in step.get("if", ""):
            continue
        if "uses" in step:
            if step["uses"].startswith("aws-actions/"):
                # The action exports the credentials of the role; here they are all the same.
                role = _filled(step["with"]["role-to-assume"], context)
                assumed = {"AWS_REGION": step["with"]["aws-region"], "ASSUMED": role}
            continue
        given = {**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
        given = {key: _filled(value, context) for key, value in given.items()}
        ended = shell.run(step["run"], file.parents[2], {**variables, **assumed, **given})
        told.append(ended.out)
        codes[step["name"]] = ended.code
        failed = failed or ended.code
    return Ended(failed, "".join(told), codes)


def _filled(text: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda match: context[match.group(1)], text)


def gitlab_job(shell: Shell, file: Path, name: str, variables: Mapping[str, str]) -> Ended:
    """Run a job of GitLab CI, with what it extends: its scripts in one shell."""
    document = read(file)
    job = {**document["default"], **document.get(document[name].get("extends", ""), {})}
    job.update(document[name])
    given = {**document["variables"], **variables, **job.get("variables", {})}
    known = dict(given)
    for key, value in given.items():
        known[key] = re.sub(r"\$([A-Z_]+)", lambda match: given.get(match.group(1), ""), value)
    script = [*job["before_script"], *job["script"]]
    return shell.run("\n".join(script), file.parent, known)


def codebuild(shell: Shell, file: Path, variables: Mapping[str, str]) -> Ended:
    """Run a buildspec: its commands in one shell, as version 0.2 does."""
    document = read(file)
    assert document["version"] == 0.2
    commands: Sequence[str] = [
        command
        for phase in ("install", "build")
        for command in document["phases"][phase]["commands"]
    ]
    given = {**document["env"]["variables"], **variables}
    return shell.run("\n".join(commands), file.parents[1], given)


class CodeHost:
    """The comments of GitHub's and GitLab's API, on loopback.

    Attributes:
        comments: what was written, oldest first.
        requests: method and path of every request.
        refuse: the status to answer with; 0: what is right.
    """

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.refuse = 0
        self.tokens: set[str] = set()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else {}
                status, answer = host.answer(self.command, self.path, dict(self.headers), body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/stolen")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = _do  # noqa: N815 - http.server's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> tuple[int, Any]:
        """Answer as the APIs do."""
        self.requests.append((method, path))
        gitlab = "/merge_requests/" in path or path.endswith("/user")
        token = headers.get("Private-Token") if gitlab else headers.get("Authorization")
        self.tokens.add(str(token))
        if self.refuse:
            return self.refuse, {"message": "Resource not accessible by integration"}
        if path.endswith("/user"):
            return 200, {"id": 7}
        if method == "GET":
            page = int(re.findall(r"[?&]page=(\d+)", path)[0])
            return 200, self.comments[(page - 1) * 100 : page * 100]
        if method == "POST":
            author = {"author": {"id": 7}} if gitlab else {"user": {"type": "Bot"}}
            self.comments.append({"id": 1000 + len(self.comments), **author, **body})
            return 201, self.comments[-1]
        number = int(path.rpartition("/")[2])
        (comment,) = (each for each in self.comments if each["id"] == number)
        comment.update(body)
        return 200, comment
