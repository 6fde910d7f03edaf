"""Running commands in this process, so that the SDK is imported once."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from pipelines.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def sagedag(folder: Path, *words: str, typed: str | None = None) -> Ran:
    """Run ``sagedag WORDS`` in a folder, in this process.

    Args:
        typed: what somebody types at a terminal; None: standard input is no terminal.
    """
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with _inside(folder), _typing(typed), redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def _typing(typed: str | None) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.StringIO() if typed is None else _Terminal(typed)
    try:
        yield
    finally:
        sys.stdin = before


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
