"""Redirects paths below ``/opt/ml`` to a job's folder, in processes of Python started without it.

Python imports a module of this name at its start when its folder is on PYTHONPATH. Only code that
opens files through Python is reached.
"""

# Every Python process of a job runs this: it imports nothing that takes time.

from __future__ import annotations

import builtins
import importlib.machinery
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ML = "/opt/ml"
_REAL = os.environ.get("SAGEDAG_ML", "")

# fmt: off
_ONE_PATH = (
    "open", "stat", "lstat", "access", "chdir", "chmod", "chown", "listdir", "scandir", "mkdir",
    "readlink", "remove", "unlink", "rmdir", "truncate", "utime", "statvfs", "mkfifo", "getxattr",
    "listxattr",
)  # what os writes in Python over these, such as walk, follows by itself
_TWO_PATHS = ("rename", "replace", "link", "symlink")
_ABILITIES = (
    os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks,
)
_COMMANDS = ("execv", "execve", "execvp", "execvpe", "posix_spawn", "posix_spawnp", "system")
# fmt: on


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
    if isinstance(value, bytes):
        return os.fsencode(_reworded(os.fsdecode(value)))
    if isinstance(value, str):
        first, *rest = value.split(_ML)
        for after in rest:
            starts = not first or not (first[-1].isalnum() or first[-1] in "_./-")
            ends = not after or not (after[0].isalnum() or after[0] in "_.-")
            first += (_REAL if starts and ends else _ML) + after
        return first
    if isinstance(value, (list, tuple)):
        return type(value)([_reworded(each) for each in value])
    return _moved(value)


class _Moved:
    """A function with paths moved. A class that keeps it as a member does not bind it, as it would
    not bind the built-in one: pathlib of Python 3.10 keeps the functions of os so.
    """

    def __init__(self, moved: Callable[..., Any], function: Callable[..., Any]) -> None:
        self._moved = moved
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._moved(*arguments, **named)


def _named(moved: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    return _Moved(moved, function)


def _wrap(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """The function with its first arguments moved."""

    def moved(*arguments: Any, **named: Any) -> Any:
        first = [_moved(each) for each in arguments[:count]]
        for name in ("path", "file", "src", "dst", "name", "top"):
            if name in named:
                named[name] = _moved(named[name])
        return function(*first, *arguments[count:], **named)

    return _named(moved, function)


def _wrap_command(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its program and arguments moved."""

    def moved(*arguments: Any, **named: Any) -> Any:
        return function(*[_reworded(each) for each in arguments], **named)

    return _named(moved, function)


def _install() -> None:
    for names, count in ((_ONE_PATH, 1), (_TWO_PATHS, 2)):
        for name in names:
            if hasattr(os, name):
                plain = getattr(os, name)
                moved = _wrap(plain, count)
                setattr(os, name, moved)
                for able in _ABILITIES:
                    if plain in able:
                        able.add(moved)
    for name in _COMMANDS:
        if hasattr(os, name):
            setattr(os, name, _wrap_command(getattr(os, name)))
    opened = _wrap(builtins.open, 1)
    builtins.open = opened
    io.open = opened
    _install_in_subprocess()


def _install_in_subprocess() -> None:
    """``subprocess`` starts programs by a compiled function; it is not imported yet."""
    import _posixsubprocess

    plain = _posixsubprocess.fork_exec

    def fork_exec(args: Any, programs: Any, close: Any, kept: Any, cwd: Any, *more: Any) -> Any:
        return plain(_reworded(args), _reworded(programs), close, kept, _moved(cwd), *more)

    _posixsubprocess.fork_exec = _named(fork_exec, plain)


def _run_hidden() -> None:
    """Import the ``sitecustomize`` that this one hides, if the interpreter has one."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100,PTH120 - before pathlib
    others = [path for path in sys.path if os.path.abspath(path or ".") != here]  # noqa: PTH100 - before pathlib
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = type(sys)("sitecustomize")
        module.__spec__ = spec
        module.__file__ = spec.origin
        spec.loader.exec_module(module)


_run_hidden()
if _REAL:
    _install()
