"""The files that a definition is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.affected.settings import Looked
from pipelines.assets import IGNORED_FILES, IGNORED_FOLDERS, IGNORED_SUFFIXES
from pipelines.language.check import Checked
from pipelines.language.project import ENVIRONMENTS_FILE

_GIT_IN_TEMPLATE = re.compile(r"\{[{%][^}]*\bgit\s*[.\[]")

DEFINITION = "the definition"
EXTENDED = "what it extends"
ENVIRONMENTS = "the environments"
CODE = "its code and files"


@dataclass(frozen=True)
class Uses:
    """What a definition uses.

    Args:
        path: the definition's file.
        names: the pipeline's name by environment; none where it does not load.
        files: YAML files with what they are to it.
        places: files and folders of code and data.
        targets: where links inside of those lead.
        broken: how many mistakes keep it from loading; 0 where it loads.
        knows_git: a template reads the commit, so that every commit changes it.
        looked: the definition as it was checked.
    """

    path: Path
    names: Mapping[str, str]
    files: Mapping[Path, str]
    places: frozenset[Path] = frozenset()
    targets: frozenset[Path] = frozenset()
    broken: int = 0
    knows_git: bool = False
    looked: Looked | None = field(default=None, repr=False)

    def what(self, path: Path) -> str:
        """Return what a file is to the definition; empty where it is nothing to it."""
        if path in self.files:
            return self.files[path]
        # A path above a file is a submodule, or a link that was put elsewhere.
        for file, what in self.files.items():
            if file.is_relative_to(path):
                return what
        # One that is gone held for all that lies below it.
        if path.name == ENVIRONMENTS_FILE and self.path.resolve().is_relative_to(path.parent):
            return ENVIRONMENTS
        if path in self.targets or any(_holds(place, path) for place in self.places):
            return CODE
        return ""


def _holds(place: Path, path: Path) -> bool:
    """Whether a place of code is a path, or holds it as part of its asset."""
    if place == path or place.is_relative_to(path):
        return True
    if not path.is_relative_to(place):
        return False
    inside = path.relative_to(place)
    ignored = IGNORED_FOLDERS.intersection(inside.parts[:-1])
    return not (ignored or path.name in IGNORED_FILES or path.name.endswith(IGNORED_SUFFIXES))


def uses_of(
    path: Path, checked: Mapping[str, Checked], variables: Mapping[str, str] | None = None
) -> Uses:
    """Return what a definition uses in some environments.

    Args:
        path: its file.
        checked: the definition as checked for each of them.
        variables: values of ``vars`` that it was checked with.
    """
    files: dict[Path, str] = {path.resolve(): DEFINITION}
    places: set[Path] = set()
    targets: set[Path] = set()
    names: dict[str, str] = {}
    broken = 0
    for environment, each in checked.items():
        broken = max(broken, sum(d.level == "error" for d in each.diagnostics))
        program = each.program
        if program is None:
            continue
        names[environment] = program.spec.name
        files.update(dict.fromkeys((f.resolve() for f in program.spec.files[1:]), EXTENDED))
        if program.spec.project.environments is not None:
            files[program.spec.project.environments.resolve()] = ENVIRONMENTS
        root = program.spec.project.root.resolve()
        places.update(p for p in program.places if p.resolve().is_relative_to(root))
        held = [file for asset in program.assets for _, file in asset.files]
        targets.update(file.resolve() for file in held if isinstance(file, Path))
    knows = any(_knows_git(file) for file in files)
    looked = Looked(path, checked, variables or {})
    return Uses(path, names, files, frozenset(places), frozenset(targets), broken, knows, looked)


def _knows_git(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return bool(_GIT_IN_TEMPLATE.search(text))
