"""The file of ``function: module:callable``, found and looked into without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pipelines.language.diagnostics import Report, suggest
from pipelines.language.nodes import Scalar
from pipelines.language.project import Project, resolve_inside


def find_module(at: Scalar, project: Project, report: Report) -> tuple[Path, str] | None:
    """Return what must go into the job, and the folder's name; None where it is wrong (reported).

    Args:
        at: the text ``module:callable``; the module's file is relative to the file it stands in.

    Returns:
        The module's file and the empty text, or the folder of its first part and that part.
    """
    module, _, name = str(at.value).partition(":")
    parts = module.split(".")
    stem = "/".join(parts)
    package = at.source.folder / stem / "__init__.py"
    text = f"{stem}/__init__.py" if package.is_file() else f"{stem}.py"
    file = resolve_inside(_place(at, text), project, report, want="file")
    if file is None or not _has(at, file, name, report):
        return None
    if len(parts) == 1 and not package.is_file():
        return file, ""
    folder = resolve_inside(_place(at, parts[0]), project, report, want="folder")
    return (folder, parts[0]) if folder is not None else None


def _place(at: Scalar, text: str) -> Scalar:
    return Scalar(text, text, at.source, at.span, quoted=True)


def _has(at: Scalar, file: Path, name: str, report: Report) -> bool:
    """Whether a module gives a name at its top level; reports where it does not."""
    try:
        names = list(_names(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
        why = getattr(error, "msg", "") or type(error).__name__
        report.at(at, "bad-value", f"`{file.name}` can't be read as Python: {why}")
        return False
    if name in names or "*" in names:
        return True
    hint = suggest(name, names)
    report.at(at, "bad-value", f"`{file.name}` has no function `{name}`", hint)
    return False


def _names(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
