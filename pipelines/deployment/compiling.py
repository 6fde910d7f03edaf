"""Compiling for a deploy: many definitions in one process, as the cloud side takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cloud.wanted import Wanted
from pipelines.deployment.naming import DefinitionNames
from pipelines.errors import UsageError
from pipelines.language.check import Checked, check
from pipelines.language.diagnostics import InvalidDefinition
from pipelines.language.pipeline_checks import pipeline_request
from pipelines.language.project import find_definitions, shown

if TYPE_CHECKING:
    from pipelines.compiler import Compiled


def compile_all(
    paths: Sequence[str | Path],
    *,
    environment: str,
    variables: Mapping[str, str] | None = None,
    may_be_none: bool = False,
) -> list[Compiled]:
    """Compile the definitions that paths mean, in this process.

    Args:
        may_be_none: a folder without definitions is no mistake.

    Raises:
        InvalidDefinition: with the diagnostics of all of them.
        UsageError: two make the same pipeline, or they belong to two projects.
    """
    found = find_definitions([str(path) for path in paths], may_be_none=may_be_none)
    checked = [check(path, environment=environment, variables=variables) for path in found]
    return compile_checked(checked)


def compile_checked(checked: Sequence[Checked]) -> list[Compiled]:
    """Compile definitions that were checked for one environment.

    Raises:
        InvalidDefinition: with the diagnostics of all of them.
        UsageError: two make the same pipeline, or they belong to two projects.
    """
    if any(each.failed for each in checked):
        # A mistake in environments.yaml is found with every definition.
        raise InvalidDefinition(
            list(dict.fromkeys(d for each in checked for d in each.diagnostics))
        )
    # The SDK takes two seconds: it is imported when all definitions are known to be sound.
    from pipelines.compiler import compile_program

    made = [
        compile_program(each.program, tuple(each.diagnostics))
        for each in checked
        if each.program is not None
    ]
    _check_together(made)
    return made


def _check_together(made: Sequence[Compiled]) -> None:
    by_name: dict[str, tuple[str, Path]] = {}
    for each in made:
        # [U] ARNs have names in small letters: names that differ by nothing else are one.
        name, other = by_name.setdefault(each.name.lower(), (each.name, each.spec.path))
        if other != each.spec.path:
            same = f" (as `{name}`: capitals make no difference)" if name != each.name else ""
            raise UsageError(
                f"{shown(other)} and {shown(each.spec.path)} both make the pipeline "
                f"`{each.name}`{same}",
                "give one of them another name",
            )
    roots = {each.project_root for each in made}
    if len(roots) > 1:
        listed = ", ".join(sorted(shown(root) for root in roots))
        raise UsageError(
            f"these definitions belong to {len(roots)} projects: {listed}", "one at a time"
        )


def defined_names(root: Path, environment: str, variables: Mapping[str, str] | None) -> set[str]:
    """Return the names of all pipelines that a project defines.

    Raises:
        InvalidDefinition: one of them cannot be read: what it makes is not known.
    """
    names: set[str] = set()
    for path in find_definitions([str(root)], may_be_none=True):
        checked = check(path, environment=environment, variables=variables)
        if checked.program is None or checked.failed:
            raise InvalidDefinition(checked.diagnostics)
        names.add(checked.program.spec.name)
    return names


def wanted_of(compiled: Compiled) -> Wanted:
    """Return a compiled definition as the cloud side takes it."""
    spec = compiled.spec
    settings = {k: v for k, v in pipeline_request(spec).items() if k != "PipelineName"}
    try:
        path = spec.path.resolve().relative_to(spec.project.root.resolve()).as_posix()
    except ValueError:
        path = spec.path.name
    return Wanted(
        compiled.name,
        compiled.definition,
        settings,
        spec.schedules,
        compiled.assets,
        DefinitionNames(compiled),
        shown(spec.path),
        path,
    )
