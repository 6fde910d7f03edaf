"""Redirects paths below ``/opt/ml`` to a job's folder, in processes of Python started without it.

Python imports a module of this name at its start when its folder is on PYTHONPATH. Only code that
opens files through Python is reached.
"""

from __future__ import annotations

import builtins
import functools
import importlib.machinery
import importlib.util
import io
import os
import re
import sys
from collections.abc import Callable
from typing import Any

_ML = "/opt/ml"
_REAL = os.environ.get("SAGEDAG_ML", "")
_INSIDE_TEXT = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")

_ONE_PATH = (
    "open stat lstat access chdir chmod chown listdir scandir mkdir makedirs readlink remove unlink "
    "rmdir removedirs truncate utime statvfs mkfifo walk getxattr listxattr"
).split()
_TWO_PATHS = "rename renames replace link symlink".split()
_COMMANDS = "execv execve execvp execvpe posix_spawn posix_spawnp system".split()


def _moved(path: Any) -> Any:
    """A path as the job's real one; anything else unchanged."""
    if isinstance(path, int):
        return path
    try:
        plain = os.fspath(path)
    except TypeError:
        return path
    if isinstance(plain, bytes):
        top, real = os.fsencode(_ML), os.fsencode(_REAL)
        return real + plain[len(top) :] if plain == top or plain.startswith(top + b"/") else path
    if plain == _ML or plain.startswith(_ML + "/"):
        return _REAL + plain[len(_ML) :]
    return path


def _reworded(value: Any) -> Any:
    """A command, or a part of one, with the paths in it moved."""
    if isinstance(value, str):
        return _INSIDE_TEXT.sub(lambda _: _REAL, value)
    if isinstance(value, (list, tuple)):
        return type(value)([_reworded(each) for each in value])
    return _moved(value)


def _wrap(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The function with its first arguments moved."""

    @functools.wraps(function)
    def moved(*arguments: Any, **named: Any) -> Any:
        first = [_moved(each) for each in arguments[:count]]
        for name in ("path", "file", "src", "dst", "name", "top"):
            if name in named:
                named[name] = _moved(named[name])
        return function(*first, *arguments[count:], **named)

    return moved


def _wrap_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its program and arguments moved."""

    @functools.wraps(function)
    def moved(*arguments: Any, **named: Any) -> Any:
        return function(*[_reworded(each) for each in arguments], **named)

    return moved


def _install() -> None:
    for names, count in ((_ONE_PATH, 1), (_TWO_PATHS, 2)):
        for name in names:
            if hasattr(os, name):
                setattr(os, name, _wrap(getattr(os, name), count))
    for name in _COMMANDS:
        if hasattr(os, name):
            setattr(os, name, _wrap_command(getattr(os, name)))
    opened = _wrap(builtins.open, 1)
    builtins.open = opened
    io.open = opened
    # posixpath asks os, yet the interpreter may have replaced these by compiled ones.
    for name in ("exists", "isfile", "isdir", "islink", "lexists", "getsize", "realpath"):
        setattr(os.path, name, _wrap(getattr(os.path, name), 1))
    _install_in_subprocess()


def _install_in_subprocess() -> None:
    """``subprocess`` starts programs by a compiled function that takes the command as it is."""
    import subprocess  # noqa: PLC0415 - only processes of a job pay for it

    plain = subprocess.Popen.__init__

    @functools.wraps(plain)
    def moved(self: Any, args: Any, *others: Any, **named: Any) -> None:
        if named.get("cwd") is not None:
            named["cwd"] = _moved(named["cwd"])
        plain(self, _reworded(args), *others, **named)

    subprocess.Popen.__init__ = moved  # type: ignore[method-assign]


def _run_hidden() -> None:
    """Import the ``sitecustomize`` that this one hides, if the interpreter has one."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120 - before pathlib
    others = [path for path in sys.path if os.path.abspath(path or ".") != here]  # noqa: PTH100
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_run_hidden()
if _REAL:
    _install()
