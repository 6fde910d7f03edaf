"""The project on disk: its root, its environments file, its definitions, and paths between them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.language.diagnostics import Report
from pipelines.language.foreign import settle
from pipelines.language.nodes import Node, Scalar, Source
from pipelines.language.source import MAX_BYTES, read

ENVIRONMENTS_FILE = "environments.yaml"
DEFINITION_FILE = "pipeline.yaml"
_COMMAND_LINE = "command line"
_SKIPPED = {".git", ".venv", "venv", "node_modules", ".sagedag", "__pycache__"}


@dataclass(frozen=True)
class Project:
    """Where a definition lives.

    Args:
        root: the folder that nothing a definition names may leave.
        environments: the environments file that holds for it; None where there is none.
        text: what that file says, where it is not read from it.
    """

    root: Path
    environments: Path | None
    text: bytes | None = field(default=None, repr=False)


def find_project(folder: Path) -> Project:
    """Return the project that ``folder`` belongs to.

    The root is the nearest ancestor with an ``environments.yaml``, else the git root, else the
    folder itself.
    """
    folder = folder.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / ENVIRONMENTS_FILE).is_file():
            return Project(candidate, candidate / ENVIRONMENTS_FILE)
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists():
            return Project(candidate, None)
    return Project(folder, None)


def shown(path: Path) -> str:
    """Return how messages call a file: relative to the working directory where that is shorter.

    What can't be printed, such as line ends, terminal codes and bytes that are no UTF-8, is ``?``.
    """
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        relative = str(path)
    text = str(path) if relative.startswith(f"..{os.sep}..{os.sep}..") else relative
    return "".join(c if c.isprintable() else "?" for c in text)


def find_definitions(paths: Iterable[str], *, may_be_none: bool = False) -> list[Path]:
    """Return the definition files that command-line arguments mean, in a stable order.

    A file is itself, a folder every ``pipeline.yaml`` below it. ``-`` is standard input and is
    returned as it is.

    Args:
        may_be_none: a folder that holds no definition is no mistake: all of them may be gone.

    Raises:
        UsageError: a path does not exist, or a folder holds no definition.
    """
    found: dict[Path, None] = {}
    for text in paths:
        path = Path(text)
        if text == "-":
            found[path] = None
        elif path.is_dir():
            inside = [
                p
                for p in sorted(path.rglob(DEFINITION_FILE))
                if not _SKIPPED.intersection(p.relative_to(path).parts)
            ]
            if not inside and not may_be_none:
                where = "here or below" if text == "." else f"in or below {text}"
                raise UsageError(
                    f"there is no {DEFINITION_FILE} {where}",
                    "name a definition file, or begin one with `sagedag init`",
                )
            found.update(dict.fromkeys(inside))
        elif path.is_file():
            found[path] = None
        else:
            raise UsageError(f"there is no file or folder {text}")
    return list(found)


def find_definition(text: str) -> Path:
    """Return the one definition that a command-line argument means.

    A folder is its own ``pipeline.yaml``, whatever is below; else the only one below it.

    Raises:
        UsageError: there is none, or there are several.
    """
    own = Path(text) / DEFINITION_FILE
    if text != "-" and own.is_file():
        return own
    found = find_definitions([text])
    if len(found) > 1:
        names = ", ".join(str(each.parent) for each in found[:12])
        more = f" and {len(found) - 12} more" if len(found) > 12 else ""
        where = "below here" if text == "." else f"below {text}"
        raise UsageError(
            f"there are {len(found)} definitions {where}", f"name one of them: {names}{more}"
        )
    return found[0]


def read_file(path: Path, report: Report) -> Node | None:
    """Return the tree of a YAML file; None (and diagnostics) where it can't be read."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown(path)} can't be read: {error.strerror}") from error
    return read(path.absolute(), shown(path), data, report)


def resolve_inside(
    scalar: Scalar, project: Project, report: Report, *, want: str = "any"
) -> Path | None:
    """Return the file or folder that a scalar names, inside the project; None where it is not.

    Args:
        scalar: its text is a path relative to the file it is written in.
        want: ``file``, ``folder`` or ``any``.

    The path is refused when it is absolute, leaves the project's root (symbolic links followed) or
    does not exist.
    """
    text = str(settle(scalar.value))
    if "\0" in text or not text.strip():
        report.at(scalar, "bad-path", "the path is empty or holds a NUL character")
        return None
    given = Path(text)
    if given.is_absolute():
        report.at(
            scalar,
            "outside-project",
            f"`{text}` is an absolute path",
            "write it relative to this file",
        )
        return None
    try:
        path = (scalar.source.folder / given).resolve()
        circular = path.is_symlink()  # what is resolved is a link in a circle only
    except RuntimeError:  # the same on Python < 3.13
        circular = True
    except OSError as error:
        report.at(scalar, "bad-path", f"`{text}` can't be followed: {error.strerror}")
        return None
    if circular:
        report.at(scalar, "bad-path", f"`{text}` can't be followed: its links lead in a circle")
        return None
    if not path.is_relative_to(project.root.resolve()):
        report.at(
            scalar,
            "outside-project",
            f"`{text}` leads out of the project",
            f"its root is the folder `{shown(project.root)}`, which holds `environments.yaml` or "
            "the git repository",
        )
        return None
    if not _exists(path, want):
        _report_missing(scalar, path, want, report)
        return None
    return path


def _exists(path: Path, want: str) -> bool:
    try:
        return {"file": path.is_file, "folder": path.is_dir, "any": path.exists}[want]()
    except OSError:
        return False


def _report_missing(scalar: Scalar, path: Path, want: str, report: Report) -> None:
    from pipelines.language.diagnostics import nearest

    what = {"file": "file", "folder": "folder", "any": "file or folder"}[want]
    hint = ""
    if "://" in str(scalar.value):
        message = f"`{scalar.value}` is an address; here a {what} of the project is wanted"
        hint = "what runs is published from here; what lies elsewhere is an input or in the image"
        report.at(scalar, "missing-file", message, hint)
        return
    try:
        if path.exists():
            message = f"`{scalar.value}` is no {what}"
            hint = "a folder of code is written `{dir: …, entry: …}`" if path.is_dir() else ""
            report.at(scalar, "missing-file", message, hint)
            return
        near = nearest(path.name, [entry.name for entry in path.parent.iterdir()])
        if near and near != path.name:
            hint = f"did you mean `{Path(str(scalar.value)).parent / near}`?"
    except (OSError, ValueError):
        hint = f"the folder {shown(path.parent)} does not exist"
    report.at(scalar, "missing-file", f"there is no {what} `{scalar.value}`", hint)


def command_line_source(text: str) -> Source:
    """Return the source that a value given on the command line comes from."""
    return Source(Path.cwd() / _COMMAND_LINE, _COMMAND_LINE, text)


def is_from_command_line(source: Source) -> bool:
    """Say whether a value was given on the command line."""
    return source.name == _COMMAND_LINE
