"""Which pipeline a word on the command line means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.language.check import check
from pipelines.language.diagnostics import InvalidDefinition
from pipelines.language.project import find_definition


def pipeline_named(
    text: str, *, environment: str, variables: Mapping[str, str] | None = None
) -> tuple[str, Path]:
    """Return a pipeline's name and the folder whose environment is meant.

    Args:
        text: the pipeline's name, or the path of its definition.
        environment: the environment's name: a definition may name its pipeline by it.
        variables: values of ``vars``, as for :func:`pipelines.check`.

    Raises:
        InvalidDefinition: the definition has errors.
        UsageError: the path holds several definitions.
    """
    path = Path(text)
    if not path.exists():
        return text, Path.cwd()
    file = find_definition(text)
    checked = check(file, environment=environment, variables=variables)
    if checked.failed or checked.program is None:
        raise InvalidDefinition(checked.diagnostics)
    return checked.program.spec.name, file.absolute().parent
