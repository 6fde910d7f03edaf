"""``[tool.sagedag.lint]`` in pyproject.toml: which rules, how strict, which limits."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.errors import UsageError
from pipelines.language.diagnostics import Level, nearest
from pipelines.language.project import shown
from pipelines.language.source import MAX_BYTES
from pipelines.lint.model import Limits, Rule
from pipelines.lint.rules import BY_CODE, GROUPS
from steps._durations import DurationError, parse

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EVERYTHING = "all"
LEVELS: tuple[Level, ...] = ("error", "warning", "info")
KEYS = ("select", "ignore", "levels", "environments", "max-runtime", "required-tags")
FILE = "pyproject.toml"


@dataclass(frozen=True)
class Settings:
    """What to look for and how strictly.

    Args:
        select: codes and groups to look for; empty: all.
        ignore: codes and groups to leave out.
        levels: levels that replace the rules' own, by code.
        environments: the environments to look at where the command names none; empty: all.
        limits: what rules measure with.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)
    environments: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def wants(self, rule: Rule) -> bool:
        """Say whether a rule is looked for: of `select` and `ignore` the narrower one wins."""
        wanted = _narrowness(rule, self.select or (EVERYTHING,))
        refused = _narrowness(rule, self.ignore)
        return wanted > 0 and wanted > refused

    def level(self, rule: Rule) -> Level:
        """Return the level of a rule's findings."""
        return self.levels.get(rule.code, rule.page.level)

    def narrowed(self, select: Sequence[str], ignore: Sequence[str]) -> Settings:
        """Return the settings with the command line's: its ``select`` replaces the file's.

        Raises:
            UsageError: there is no such code or group.
        """
        check_names(select, "--select")
        check_names(ignore, "--ignore")
        # What the file ignores was not meant for somebody who asks for it by name.
        kept = tuple(name for name in self.ignore if name not in select)
        chosen = tuple(select) or self.select
        return replace(self, select=chosen, ignore=(*kept, *ignore))


def _narrowness(rule: Rule, names: Iterable[str]) -> int:
    """Return how closely names mean a rule: 3 its code, 2 its group, 1 everything, 0 not."""
    ranks = {rule.code: 3, rule.group: 2, EVERYTHING: 1}
    return max((ranks.get(name, 0) for name in names), default=0)


def check_names(names: Iterable[str], where: str) -> None:
    """Check that names are codes or groups; raises UsageError with the nearest one."""
    known = [EVERYTHING, *GROUPS, *BY_CODE]
    for name in names:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean `{near}`?" if near else "`sagedag explain lint` lists the rules"
            raise UsageError(f"{where}: there is no rule or group `{name}`", hint)


def check_environments(settings: Settings, known: Sequence[str]) -> None:
    """Check that a project has the environments of its settings; raises UsageError."""
    for name in settings.environments:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean `{near}`?" if near else f"there is {', '.join(known)}"
            where = "[tool.sagedag.lint], environments"
            raise UsageError(f"{where}: there is no environment `{name}`", hint)


class SettingsFiles:
    """Finds settings; a file that many definitions share is read once."""

    def __init__(self) -> None:
        self._read = functools.cache(_read)

    def settings(self, folder: Path) -> Settings:
        """Return the settings of the nearest pyproject.toml, upwards, that has some.

        Raises:
            UsageError: the file can't be read, or a setting is wrong.
        """
        for candidate in (folder, *folder.parents):
            found = self._read(candidate / FILE)
            if found is not None:
                return found
        return Settings()


def _read(file: Path) -> Settings | None:
    table = _table(file) if file.is_file() else None
    return None if table is None else _settings(table, shown(file))


def _table(file: Path) -> Mapping[str, Any] | None:
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise UsageError(f"{shown(file)} is larger than {MAX_BYTES >> 20} MiB")
        data = tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"{shown(file)} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{shown(file)} is no TOML: line {line} is not UTF-8") from error
    except RecursionError as error:
        raise UsageError(f"{shown(file)} is no TOML: it is nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits is no TOMLDecodeError
        raise UsageError(f"{shown(file)} is no TOML: {error}") from error
    found: Any = data
    for name in ("tool", "sagedag", "lint"):
        found = found.get(name) if isinstance(found, dict) else None
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"{shown(file)}: `tool.sagedag.lint` is no table")
    return found


def _settings(table: Mapping[str, Any], file: str) -> Settings:
    where = f"{file}, [tool.sagedag.lint]"
    for name in table:
        if name not in KEYS:
            near = nearest(name, KEYS)
            hint = f"did you mean `{near}`?" if near else f"there is {', '.join(KEYS)}"
            raise UsageError(f"{where}: there is no setting `{name}`", hint)
    select, ignore = (_names(table, name, where) for name in ("select", "ignore"))
    check_names(select, f"{where}, select")
    check_names(ignore, f"{where}, ignore")
    return Settings(
        select,
        ignore,
        _levels(table.get("levels", {}), where),
        _names(table, "environments", where),
        Limits(_runtime(table, where), _names(table, "required-tags", where)),
    )


def _names(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{where}: `{key}` is a list of texts", f'such as `{key} = ["…"]`')
    return tuple(value)


def _levels(value: object, where: str) -> dict[str, Level]:
    if not isinstance(value, dict):
        raise UsageError(f"{where}: `levels` is a table", 'such as `levels = {no-vpc = "error"}`')
    check_names(value, f"{where}, levels")
    made: dict[str, Level] = {}
    for name, wanted in value.items():
        level = next((level for level in LEVELS if level == wanted), None)
        if level is None:
            hint = f"a level is {', '.join(LEVELS)}; `ignore` leaves a rule out"
            raise UsageError(f"{where}: `{wanted}` is no level", hint)
        codes = [r.code for r in BY_CODE.values() if name in (r.group, EVERYTHING)] or [name]
        # A rule's own entry wins over its group's, in whatever order they stand.
        made.update({code: level for code in codes if code == name or code not in value})
    return made


def _runtime(table: Mapping[str, Any], where: str) -> int:
    value = table.get("max-runtime")
    if value is None:
        return Limits().max_runtime
    try:
        return int(parse(str(value)))
    except DurationError as error:
        raise UsageError(f"{where}, max-runtime: {error}", "write `12h` or `2d`") from error
