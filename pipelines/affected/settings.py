"""Whether another ``environments.yaml`` makes another pipeline of a definition.

The file holds for all environments and all definitions; most changes are about one environment, or
a variable that some definitions use. So what the definition becomes with the file of an earlier
commit is compared with what it becomes now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.errors import SagedagError
from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import Report
from pipelines.language.environments import choose_environment
from pipelines.language.nodes import plain
from pipelines.language.pipeline_checks import pipeline_request
from pipelines.language.project import Project, find_project
from pipelines.language.requests import Program


@dataclass(frozen=True)
class Looked:
    """A definition as it was checked.

    Args:
        path: its file.
        checked: what it is, by environment.
        variables: values of ``vars`` that were given, as for :func:`pipelines.check`.
    """

    path: Path
    checked: Mapping[str, Checked]
    variables: Mapping[str, str]

    def environments_with(self, text: bytes) -> list[str]:
        """Return the environments in which another ``environments.yaml`` makes a difference.

        Args:
            text: the other file.
        """
        project = replace(find_project(self.path.absolute().parent), text=text)
        return [name for name, now in self.checked.items() if self._differs(name, now, project)]

    def _differs(self, name: str, now: Checked, project: Project) -> bool:
        if project.environments is None:
            return True
        try:
            current = _setting(project.environments, project.environments.read_bytes(), name)
            if _setting(project.environments, project.text or b"", name) == current:
                return False
            then = check(self.path, environment=name, variables=self.variables, project=project)
        except (SagedagError, OSError):
            return True  # the other file has no such environment, or mistakes
        if now.program is None or then.program is None or then.failed:
            return True
        return _made(now.program) != _made(then.program)


@lru_cache(maxsize=64)
def _setting(file: Path, text: bytes, name: str) -> tuple[Any, ...]:
    """Return all that a file says of an environment but for how to get there."""
    report = Report()
    setting = choose_environment(name, Project(file.parent, file, text), report)
    report.stop_if_failed()
    layer = plain(setting.layer) if setting.layer is not None else None
    return replace(setting.environment, profile=""), layer


def _made(program: Program) -> tuple[Any, ...]:
    """Return what a definition becomes: its place, the pipeline, and the code it names."""
    spec = program.spec
    where = spec.environment
    return (
        (where.account, where.region, where.bucket),
        pipeline_request(spec),
        spec.parameters,
        spec.experiment,
        spec.mlflow,
        spec.schedules,
        program.steps,
        [asset.uri for asset in program.assets],
    )
