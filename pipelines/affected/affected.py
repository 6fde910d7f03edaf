"""Definitions that a change affects, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.affected.git import Difference, FileChange, differences, text_before
from pipelines.affected.uses import ENVIRONMENTS, Uses, uses_of
from pipelines.errors import UsageError
from pipelines.language.check import check
from pipelines.language.project import DEFINITION_FILE, find_definitions, find_project
from pipelines.lint.run import read_surroundings


@dataclass(frozen=True)
class Because:
    """One reason why a definition is affected.

    Args:
        what: what the file is to the definition, or the whole reason where it is no file.
        change: the file and what became of it.
    """

    what: str
    change: FileChange | None = None


@dataclass(frozen=True)
class Affected:
    """A definition that is affected."""

    uses: Uses
    because: tuple[Because, ...]

    @property
    def path(self) -> Path:
        """Its file."""
        return self.uses.path


@dataclass(frozen=True)
class Gone:
    """A definition that is not there any more; ``moved`` is where git finds it now, if anywhere."""

    path: Path
    moved: Path | None = None


@dataclass(frozen=True)
class Found:
    """What a change affects.

    Args:
        difference: the change.
        environments: those that were looked at.
        affected, unaffected: the definitions.
        deleted: definitions that are not there any more.
    """

    difference: Difference
    environments: tuple[str, ...]
    affected: tuple[Affected, ...]
    unaffected: tuple[Uses, ...]
    deleted: tuple[Gone, ...]


def affected(
    paths: Sequence[str | Path] = (".",),
    *,
    since: str,
    environment: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> Found:
    """Find the definitions that a change in git affects.

    Args:
        paths: definition files, or folders whose definitions are meant.
        since: the commit to compare with; see :func:`pipelines.affected.git.differences`.
        environment: the environment to look at; None: all that the projects have.
        variables: values of ``vars``, as for :func:`pipelines.check`.

    Raises:
        UsageError: there is no such path, environment or commit.
    """
    given = [Path(path) for path in paths]
    existing = [path for path in given if path.exists()]
    difference = differences(_folder(existing or [Path()]), since)
    deleted = tuple(_deleted(difference, given))
    found = _definitions(given, deleted)
    names: dict[str, None] = {}
    uses = []
    for path in found:
        chosen = [environment] if environment else _environments(path.absolute().parent)
        names.update(dict.fromkeys(chosen))
        uses.append(
            uses_of(
                path,
                {n: check(path, environment=n, variables=variables) for n in chosen},
                variables,
            )
        )
    marked = [(each, tuple(affected_by(each, difference))) for each in uses]
    return Found(
        difference,
        tuple(names),
        tuple(Affected(each, because) for each, because in marked if because),
        tuple(each for each, because in marked if not because),
        deleted,
    )


def affected_by(uses: Uses, difference: Difference) -> Iterator[Because]:
    """Yield why a difference affects a definition; nothing where it does not."""
    if difference.everything:
        yield Because(difference.why)
    if uses.broken:
        words = "mistake keeps" if uses.broken == 1 else "mistakes keep"
        yield Because(f"{uses.broken} {words} it from loading")
    if uses.knows_git and difference.changes:
        yield Because("a template reads `git`, which every commit changes")
    for change in difference.changes:
        what = next(filter(None, map(uses.what, _places(change))), "")
        if what == ENVIRONMENTS:
            what = _environments_that_differ(uses, difference, change)
        if what:
            yield Because(what, change)


def _environments_that_differ(uses: Uses, difference: Difference, change: FileChange) -> str:
    """Say for which environments another file makes another pipeline; empty: for none."""
    if change.status != "modified":
        return ENVIRONMENTS
    if not any(uses.files.get(place) for place in _places(change)):
        return ""  # one further up, which does not hold
    before = text_before(difference, change)
    if before is None or uses.looked is None:
        return ENVIRONMENTS
    names = uses.looked.environments_with(before)
    if not names:
        return ""
    return (
        f"the environment {names[0]}" if len(names) == 1 else f"{ENVIRONMENTS} {', '.join(names)}"
    )


def _places(change: FileChange) -> Iterator[Path]:
    """Yield where a changed file is and was; of a link also where it leads to."""
    for path in (change.path, change.before):
        if path is not None:
            yield path.parent.resolve() / path.name
    if change.path.is_symlink():
        try:
            yield change.path.resolve()
        except (OSError, RuntimeError):
            return


def _environments(folder: Path) -> list[str]:
    """Return the environments of a project; `local` alone where it has no others."""
    _, names = read_surroundings(find_project(folder).environments)
    return [name for name in names if name != "local"] or names


def _folder(paths: Sequence[Path]) -> Path:
    first = paths[0].absolute()
    return first if first.is_dir() else first.parent


def _deleted(difference: Difference, paths: Sequence[Path]) -> Iterator[Gone]:
    places = [path.absolute().resolve() for path in paths]
    for change in difference.changes:
        gone = change.before if change.status == "renamed" else change.path
        if change.status not in ("deleted", "renamed") or gone is None or gone.exists():
            continue
        here = gone.parent.resolve() / gone.name
        if gone.name == DEFINITION_FILE and any(here.is_relative_to(place) for place in places):
            yield Gone(gone, change.path if change.status == "renamed" else None)


def _definitions(paths: Sequence[Path], deleted: Sequence[Gone]) -> list[Path]:
    """Return the definitions below paths; a path whose definitions were all deleted has none."""

    def below(path: Path) -> list[Path]:
        try:
            return find_definitions([str(path)])
        except UsageError:
            place = path.absolute().resolve()
            if not any(each.path.resolve().is_relative_to(place) for each in deleted):
                raise
            return []

    return list(dict.fromkeys(found for path in paths for found in below(path)))
