"""All checks of a definition, as far as they go without the SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.language.asset_store import AssetStore
from pipelines.language.diagnostics import Diagnostic, InvalidDefinition
from pipelines.language.load import load
from pipelines.language.project import Project, find_project
from pipelines.language.requests import Program, build_program
from steps._contract import Environment


@dataclass(frozen=True)
class Checked:
    """A definition after all checks.

    Args:
        program: its requests; None where it could not be read at all.
        diagnostics: all messages, in order.
    """

    program: Program | None
    diagnostics: Sequence[Diagnostic]

    @property
    def failed(self) -> bool:
        """Whether there is an error among the diagnostics."""
        return any(d.level == "error" for d in self.diagnostics)


def check(
    path: Path | str,
    *,
    environment: str | Environment = "local",
    variables: Mapping[str, str] | None = None,
    text: bytes | None = None,
    project: Project | None = None,
) -> Checked:
    """Check a definition.

    Args:
        path: the definition's file; with ``text`` only its place counts.
        environment: the environment's name, or one that no file tells of.
        variables: values that override those under ``vars``, as text.
        text: the definition's bytes where they do not come from the file.
        project: the project it belongs to, where that is known.

    Raises:
        UsageError: the file can't be read, or there is no such environment.
    """
    project = project or find_project(Path(path).absolute().parent)
    store = AssetStore(project)

    def asset(at: Any, name: str, where: Any, report: Any) -> str:
        return store.find(at, name, where, report)

    try:
        loaded = load(
            path,
            environment=environment,
            variables=variables,
            text=text,
            asset=asset,
            project=project,
        )
    except InvalidDefinition as error:
        return Checked(None, error.diagnostics)
    program = None
    if loaded.spec is not None:
        program = build_program(loaded.spec, loaded.report, store)
    return Checked(program, loaded.report.diagnostics)
