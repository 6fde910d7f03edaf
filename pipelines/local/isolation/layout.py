"""The file system a confined job sees, as a list of steps that build it.

Everything of this machine is there, read-only, but: the job's folder stands at ``/opt/ml``,
``/tmp`` is the job's own, the user's home, the project, the store and the sockets of running
services are empty folders, and in these the interpreter and its packages are put back. The steps
are options of ``bwrap``, which our own launcher understands too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.local.isolation.model import ML, Sandbox

SYSTEM = frozenset(
    map(Path, ("/", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt", "/var", "/dev",
               "/proc", "/sys"))
)  # fmt: skip
"""Folders that no mask may cover: programs would not start."""

PREFIX_PARTS = ("bin", "lib", "lib64", "include", "share", "pyvenv.cfg")
"""What an interpreter needs of its prefix when the prefix itself must stay hidden."""

GPU_DEVICES = ("nvidia*", "dri", "kfd")
"""Device files that a job may use besides the harmless ones."""

HOSTS = "127.0.0.1 localhost algo-1\n::1 localhost ip6-localhost ip6-loopback\n"
"""The job's ``/etc/hosts``: its own name resolves without a name server."""


@dataclass(frozen=True)
class Layout:
    """Steps that build a job's root.

    Attributes:
        steps: each an option and its arguments.
        masks: the folders shown empty, in the order of the steps.
    """

    steps: tuple[tuple[str, ...], ...]
    masks: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """All steps as one command line."""
        return tuple(word for step in self.steps for word in step)


def plan_layout(sandbox: Sandbox) -> Layout:
    """The layout for one job; only reads this machine, but for writing the job's hosts file."""
    names = sandbox.ml.parent / "bin"
    covers, masks = _cover(sandbox.hidden, names if names.is_dir() else None, sandbox.shown)
    steps = [
        *_shared_steps(),
        ("--bind", str(sandbox.ml), ML),
        *(("--bind", str(sandbox.scratch), path) for path in _scratch_places()),
        *covers,
        *_device_steps(),
    ]
    hosts = Path(os.path.realpath("/etc/hosts"))
    if hosts.is_file():
        own = sandbox.ml.parent / "hosts"
        own.write_text(HOSTS, encoding="utf-8")
        steps.append(("--ro-bind", str(own), str(hosts)))
    steps.append(("--chdir", sandbox.cwd))
    return Layout(tuple(steps), masks)


@functools.cache
def _shared_steps() -> tuple[tuple[str, ...], ...]:
    """What all jobs of this process have in common, up to ``/opt``."""
    opt = Path("/opt")
    below = [step for name in _names(opt) if name != "ml" for step in _shown(opt / name)]
    return (*_top_level(), ("--dir", str(opt)), *below)


@functools.cache
def _scratch_places() -> tuple[str, ...]:
    """Where the job's scratch folder stands."""
    other = Path("/var/tmp")  # noqa: S108 - replaced by the job's own
    both = other.is_dir() and not other.is_symlink()
    return ("/tmp", str(other)) if both else ("/tmp",)  # noqa: S108 - replaced by the job's own


@functools.cache
def _device_steps() -> tuple[tuple[str, ...], ...]:
    found = (path for pattern in GPU_DEVICES for path in Path("/dev").glob(pattern))
    gpus = [("--dev-bind", str(path), str(path)) for path in found]
    return (("--proc", "/proc"), ("--dev", "/dev"), *gpus)


def _cover(
    hidden: tuple[Path, ...], names: Path | None, shown: tuple[Path, ...] = ()
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The steps that hide folders and put back what programs need, and the hidden folders.

    Args:
        hidden: what to hide besides homes and sockets.
        names: the folder with scripts called ``python3``, when the interpreter is called otherwise.
        shown: folders of another interpreter.
    """
    home = os.environ.get("HOME", "")
    if names is None:
        return _cached_cover(hidden, home)
    masks = _masks(hidden)
    other = [part for path in shown for part in _parts(path, masks)]
    return _covers(masks, [*_interpreter(masks), *other, *_name_service(), names])


@functools.lru_cache(maxsize=64)
def _cached_cover(
    hidden: tuple[Path, ...],
    home: str,  # noqa: ARG001 - what was read of the environment is part of the key
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    masks = _masks(hidden)
    return _covers(masks, [*_interpreter(masks), *_name_service()])


def _names(folder: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(path.name for path in folder.iterdir())
    return []


def _top_level() -> Iterator[tuple[str, ...]]:
    """Everything in ``/`` that is not built anew."""
    for name in _names(Path("/")):
        if name not in ("dev", "proc", "opt", "tmp", "lost+found"):
            yield from _shown(Path("/", name))


def _shown(path: Path) -> Iterator[tuple[str, ...]]:
    """The step that shows a file, a folder or a link where it is."""
    if path.is_symlink():
        yield ("--symlink", os.readlink(path), str(path))  # noqa: PTH115 - the text as it is
    elif path.is_dir() or path.is_file():
        yield ("--ro-bind", str(path), str(path))


def _masks(hidden: Iterable[Path]) -> set[Path]:
    """The real paths of the folders to show empty."""
    wanted = [Path("/home"), Path("/root"), Path("/run"), Path("/var/run"), *hidden]
    with contextlib.suppress(RuntimeError):
        wanted.append(Path.home())
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        wanted.append(Path(pwd.getpwuid(os.getuid()).pw_dir))
    real = {Path(os.path.realpath(path)) for path in wanted}
    return {path for path in real - SYSTEM if path.is_dir()}


@functools.cache
def _installation() -> tuple[Path, ...]:
    """Every folder of the interpreter and its packages, as spelled."""
    wanted = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    wanted += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    wanted += site.getsitepackages()
    if site.ENABLE_USER_SITE:
        wanted.append(site.getusersitepackages())
    return tuple(dict.fromkeys(map(Path, wanted)))


def _interpreter(masks: set[Path]) -> list[Path]:
    """What the interpreter needs besides what is shown anyway, as spelled."""
    found: dict[Path, None] = {}
    for path in _installation():
        found.update((part, None) for part in _parts(path, masks))
    found[Path(sys.executable)] = None
    return list(found)


def _parts(path: Path, masks: set[Path]) -> list[Path]:
    """What of an interpreter's folder is shown: all, or what it needs where the rest must hide."""
    real = Path(os.path.realpath(path))
    if any(mask == real or real in mask.parents for mask in masks) or real in SYSTEM:
        return [part for name in PREFIX_PARTS if (part := path / name).exists()]
    return [path] if path.exists() else []


def _name_service() -> list[Path]:
    """The resolver's configuration, which often lies among the sockets."""
    path = Path("/etc/resolv.conf")
    return [path] if path.is_file() else []


def _covers(
    masks: set[Path], kept: Iterable[Path]
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The steps that hide folders and put things back into them, outer ones first."""
    events: dict[Path, tuple[str, ...]] = {}
    for path in kept:
        real = Path(os.path.realpath(path))
        events[real] = ("--ro-bind", str(real), str(real))
        for link, text in _links_on_the_way(path):
            events[link] = ("--symlink", text, str(link))
    for mask in masks:
        events[mask] = ("--tmpfs", str(mask))
    tmp = {Path("/tmp"), Path("/var/tmp")}  # noqa: S108 - replaced by the job's own
    steps: list[tuple[str, ...]] = []
    done: list[str] = []
    shown: dict[Path, bool] = dict.fromkeys(tmp, False)
    for path in sorted(events, key=lambda each: (len(each.parts), each)):
        visible = next((shown[above] for above in path.parents if above in shown), True)
        hides = events[path][0] == "--tmpfs"
        if path in tmp or visible != hides:
            continue
        steps.append(events[path])
        if events[path][0] != "--symlink":
            shown[path] = not hides
        if hides:
            done.append(str(path))
    return tuple(steps), tuple(done)


def _links_on_the_way(path: Path) -> Iterator[tuple[Path, str]]:
    """Every symbolic link met while a path is resolved: (its real place, its text)."""
    todo = list(reversed(path.parts[1:]))
    current, met = Path("/"), 0
    while todo:
        part = todo.pop()
        step = current.parent if part == ".." else current / part
        if step.is_symlink() and met < 40:
            met += 1
            text = os.readlink(step)  # noqa: PTH115 - the text as it is
            yield step, text
            current = Path("/") if text.startswith("/") else current
            todo += [piece for piece in reversed(text.split("/")) if piece not in ("", ".")]
        else:
            current = step
