"""The handlers file: ``local.yaml``, and ``handlers`` of an environment in environments.yaml.

It says what stands in for the world when a pipeline runs on this machine. What is read here is
checked and handed on as plain data with absolute paths; :mod:`pipelines.local` uses it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.language.diagnostics import Diagnostic, InvalidDefinition, Report
from pipelines.language.foreign import settle
from pipelines.language.nodes import MapNode, Node, Scalar, get, plain
from pipelines.language.project import Project, find_project, read_file, resolve_inside
from pipelines.language.source import MAX_BYTES
from pipelines.language.validation import problems_of_handlers

HANDLERS_FILE = "local.yaml"
KEY = "handlers"

_ARTEFACTS = ("models", "packages")


@dataclass(frozen=True)
class Handlers:
    """What stands in for the world.

    Args:
        file: the file to which missing ones would be added.
        entries: by key and name; a path in them is absolute. A function has its ``module`` and
            the ``folder`` it stands in.
        files: everything that was read or that an entry names, for watching.
    """

    file: Path
    entries: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def read_handlers(folder: Path, environment: str = "local") -> Handlers:
    """Read what stands in for the world where a definition lies.

    Args:
        folder: the definition's folder. The nearest ``local.yaml`` up to the project's root counts.
        environment: the environment whose ``handlers`` count as well; the file's entries win.

    Raises:
        InvalidDefinition: a file has mistakes; all of them are in ``diagnostics``.
        UsageError: a file can't be read.
    """
    project = find_project(folder)
    report = Report()
    place = _nearest(folder.resolve(), project)
    sources: list[tuple[Node, Node]] = []
    root = read_file(project.environments, report) if project.environments else None
    given = get(root, "environments", environment, KEY)
    if root is not None and given is not None:
        sources.append((root, given))
    tree = _read(place, report)
    if tree is not None:
        sources.append((tree, tree))
    entries: dict[str, dict[str, Mapping[str, Any]]] = {}
    reader = _Reader(project, report)
    for _, node in sources:
        for key, name, entry in reader.read(node):
            entries.setdefault(key, {})[name] = entry
    report.stop_if_failed()
    files = [node.source.path for _, node in sources]
    return Handlers(place, entries, (*files, *reader.named))


def check_handlers(folder: Path) -> Sequence[Diagnostic]:
    """Return what is wrong with the ``local.yaml`` that holds for a folder; none where none is."""
    project = find_project(folder)
    report = Report()
    tree = _read(_nearest(folder.resolve(), project), report)
    if tree is not None:
        with contextlib.suppress(InvalidDefinition):
            list(_Reader(project, report).read(tree))
    return report.diagnostics


def _nearest(folder: Path, project: Project) -> Path:
    """The file that holds for a folder; where there is none, the one to begin."""
    root = project.root.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / HANDLERS_FILE).is_file():
            return candidate / HANDLERS_FILE
        if candidate == root:
            break
    return root / HANDLERS_FILE


def _read(path: Path, report: Report) -> Node | None:
    """Return the tree of a handlers file; None where there is none, or nothing in it."""
    try:
        with path.open("rb") as stream:
            lines = stream.read(MAX_BYTES).split(b"\n")
    except OSError:
        return None
    if all(line.strip()[:1] in (b"", b"#") for line in lines):
        return None
    return read_file(path, report)


class _Reader:
    """Turns entries into plain data; what is wrong goes into the report."""

    def __init__(self, project: Project, report: Report) -> None:
        self._project = project
        self._report = report
        self.named: list[Path] = []

    def read(self, node: Node) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the key, the name and the entry of everything below a node.

        Raises:
            InvalidDefinition: the form is wrong.
        """
        for problem in problems_of_handlers(plain(node)):
            self._report.problem(node, problem)
        self._report.stop_if_failed()
        if not isinstance(node, MapNode):
            return
        for key, block in node.entries.items():
            if not isinstance(block.value, MapNode):
                continue
            for name, entry in block.value.entries.items():
                yield key, str(settle(name)), self._entry(key, entry.value)

    def _entry(self, key: str, node: Node) -> dict[str, Any]:
        if key == "s3":
            return {"path": self._path(node)}
        if isinstance(node, Scalar):
            return {"data": self._path(node)} if key in _ARTEFACTS else self._function(node)
        given: dict[str, Any] = settle(_ordinary(plain(node)))
        function = get(node, "function")
        recorded = [name for name in ("outputs", "properties", "files") if name in given]
        if isinstance(function, Scalar):
            if recorded:
                self._report.at(
                    function,
                    "bad-value",
                    f"a function gives its values itself; `{recorded[0]}` can't stand beside it",
                    "keep one of the two",
                )
            made = self._function(function)
            if "timeout" in given:
                made["timeout"] = given["timeout"]
            return made
        if key in _ARTEFACTS:
            return {**given, "data": self._path(get(node, "data"))}
        files = get(node, "files")
        if isinstance(files, MapNode):
            given["files"] = {
                str(settle(name)): self._path(entry.value) for name, entry in files.entries.items()
            }
        return given

    def _path(self, node: Node | None) -> str:
        """The absolute path that a scalar names, inside the project or at an absolute place."""
        if not isinstance(node, Scalar):
            return ""
        text = str(settle(node.value))
        # Data may lie anywhere on the user's machine; code may not.
        if text.startswith(("/", "~")):
            path: Path | None = Path(text).expanduser()
            if path is not None and not path.exists():
                self._report.at(node, "missing-file", f"there is no file or folder `{text}`")
        else:
            path = resolve_inside(node, self._project, self._report)
        if path is None:
            return ""
        self.named.append(path)
        return str(path)

    def _function(self, node: Scalar) -> dict[str, Any]:
        """The function that a scalar names: its module must stand beside the file."""
        target = str(settle(node.value))
        module = target.partition(":")[0]
        folder = node.source.folder
        place = folder.joinpath(*module.split("."))
        found = next(
            (p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None
        )
        if found is None or not found.resolve().is_relative_to(self._project.root.resolve()):
            self._report.at(
                node,
                "missing-file",
                f"there is no module `{module}` beside this file",
                f"write the function into {module.replace('.', '/')}.py",
            )
            return {}
        self.named.append(found)
        return {"function": target, "folder": str(folder)}


def _ordinary(value: Any) -> Any:
    """Return plain data whose numbers are ordinary ones."""
    if isinstance(value, dict):
        return {key: _ordinary(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_ordinary(item) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else value
