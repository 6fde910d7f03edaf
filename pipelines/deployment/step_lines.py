"""Where the steps of a deployed pipeline were written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipelines.cloud import ownership
from pipelines.errors import SagedagError
from pipelines.language.check import check
from pipelines.language.nodes import locate
from pipelines.language.project import ENVIRONMENTS_FILE, find_project


def definition_file(tags: Mapping[str, str], folder: Path) -> Path | None:
    """Return the file that a pipeline was deployed from, where it is at hand.

    Args:
        tags: the pipeline's: the deploy wrote down which file of the project it was.
        folder: a folder of the project, or the one above it.
    """
    told = tags.get(ownership.DEFINITION, "")
    if not told:
        return None
    below = [each.parent for each in sorted(folder.glob(f"*/{ENVIRONMENTS_FILE}"))]
    for root in (find_project(folder).root, *below):
        file = (root / told).resolve()
        if file.is_relative_to(root.resolve()) and file.is_file():
            return file
    return None


def step_lines(file: Path, pipeline: str, environment: str) -> dict[str, str]:
    """Return ``file:line:column`` of every step of a definition, by the step's name.

    Empty where it can't be read any more, or makes another pipeline: it may have changed since it
    was deployed.
    """
    try:
        checked = check(file, environment=environment)
    except SagedagError:
        return {}
    # An execution's ARN may write the name in small letters.
    if checked.program is None or checked.program.spec.name.lower() != pipeline.lower():
        return {}
    spec = checked.program.spec
    found = {}
    for step in spec.walk():
        source, span = locate(spec.tree, step.path, at_key=True)
        found[step.name] = f"{source.name}:{span.line}:{span.column}"
    return found
