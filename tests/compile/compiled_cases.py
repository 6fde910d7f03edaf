"""The valid definitions below ``tests/cases/ok``, each compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import pipelines
from pipelines.draw import mermaid
from pipelines.pictures import graph_of

REPOSITORY = Path(__file__).parents[2]
CASES = REPOSITORY / "tests" / "cases" / "ok"
PULSAR = REPOSITORY / "definitions" / "pulsar" / "pipeline.yaml"

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One definition and how it is compiled.

    The key ``x-case`` of its file says for which environment and with which variables; by default
    for ``dev``.
    """

    name: str
    path: Path
    environment: str = "dev"
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def compiled(self) -> pipelines.Compiled:
        return _compiled(self)

    @property
    def written(self) -> dict[str, str]:
        """The golden files' contents by name."""
        compiled = self.compiled
        made = {
            "definition.json": compiled.definition_json,
            "graph.mmd": mermaid(graph_of(compiled.spec)),
        }
        if compiled.warnings:
            lines = [
                f"{d.span.line}:{d.span.column}: {d.level}[{d.code}]: {d.message}\n"
                for d in compiled.warnings
            ]
            made["warnings.txt"] = "".join(lines)
        return made


@cache
def _compiled(case: Case) -> pipelines.Compiled:
    return pipelines.compile(
        case.path, environment=case.environment, variables=dict(case.variables)
    )


def _case(path: Path) -> Case:
    settings = yaml.safe_load(path.read_text("utf-8")).get("x-case", {})
    variables = tuple(settings.get("variables", {}).items())
    return Case(path.parent.name, path, settings.get("environment", "dev"), variables)


ALL = [_case(path) for path in sorted(CASES.glob("*/pipeline.yaml"))]
PULSAR_CASES = [Case(f"pulsar-{name}", PULSAR, name) for name in ("dev", "prod", "local")]


def all_steps(steps: list[Json]) -> list[Json]:
    """The steps and those in their branches."""
    found: list[Json] = []
    for step in steps:
        found.append(step)
        for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
            found += all_steps(step["Arguments"].get(branch, []))
    return found
