"""What differs between two environments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.cloud.definition_changes import compare_definitions
from pipelines.cloud.plan import Change
from pipelines.cloud.settings import compare_settings, wanted_settings
from pipelines.cloud.state import read_pipelines
from pipelines.cloud.wanted import NoSources, SourceLookup, Wanted
from pipelines.cloud.wording import shown
from pipelines.deployment.compiling import compile_all, wanted_of
from pipelines.deployment.places import Connection, place_of, setting_of
from pipelines.service.image_origins import is_framework
from pipelines.tags import PREFIX

if TYPE_CHECKING:
    from pipelines.compiler import Compiled
    from steps._contract import Environment


@dataclass(frozen=True)
class Side:
    """One definition in one environment.

    Args:
        name: the pipeline's name there; empty where it is not deployed.
        own: the environment's own values, which are not compared: what → its stand-in.
    """

    name: str
    definition: Mapping[str, Any]
    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    schedules: Mapping[str, Mapping[str, Any]]
    sources: SourceLookup
    own: Mapping[str, str]


@dataclass(frozen=True)
class EnvironmentDifference:
    """How one definition differs between two environments.

    Args:
        file: the definition's file.
        names: the pipeline's name in the first and the second; empty where it is not deployed.
        changes: from the first to the second.
        code: fields whose code differs.
    """

    file: str
    names: tuple[str, str]
    changes: tuple[Change, ...] = ()
    code: tuple[str, ...] = ()


def compare_environments(
    paths: Sequence[str | Path],
    first: str,
    second: str,
    *,
    variables: Mapping[str, str] | None = None,
    deployed: bool = False,
    connections: tuple[Connection, Connection] | None = None,
    raw: bool = False,
) -> list[EnvironmentDifference]:
    """Compare definitions between two environments.

    What every environment has of its own (bucket, prefix, role, account, region, and the pipeline's
    name) does not count, unless ``raw`` is set.

    Args:
        paths: definition files, or folders whose definitions are meant.
        first, second: the environments' names.
        deployed: compare what is deployed, not what would be.
        connections: for the first and the second, where they are not the environments' own.
        raw: let the environments' own values count.

    Raises:
        InvalidDefinition: a definition has errors in one of the environments.
        UsageError: there is no such file or environment.
        AwsError: AWS refused a call (``deployed``).
    """
    sides = []
    pairs = connections or (Connection(), Connection())
    files: dict[Path, str] = {}
    for name, connection in zip((first, second), pairs, strict=True):
        compiled = compile_all(paths, environment=name, variables=variables)
        made = {each.spec.path: (each, wanted_of(each)) for each in compiled}
        files.update({path: wanted.file for path, (_, wanted) in made.items()})
        if deployed:
            sides.append(_deployed(made, name, connection))
        else:
            sides.append({path: _compiled(*each) for path, each in made.items()})
    return [_difference(file, sides[0][path], sides[1][path], raw) for path, file in files.items()]


def _compiled(compiled: Compiled, wanted: Wanted) -> Side:
    return Side(
        wanted.name,
        wanted.definition,
        wanted_settings(wanted),
        wanted.tags,
        wanted.schedules,
        wanted.sources,
        _own(compiled.spec.environment, wanted.name),
    )


def _deployed(
    made: Mapping[Path, tuple[Compiled, Wanted]], environment: str, connection: Connection
) -> dict[Path, Side]:
    """Read what is deployed of compiled definitions; schedules are not looked at."""
    spec = next(iter(made.values()))[0].spec
    clients = connection.open(place_of(setting_of(spec.project, environment)))
    clients.check_account()
    found = read_pipelines(clients, [wanted.name for _, wanted in made.values()])
    sides = {}
    for path, (compiled, wanted) in made.items():
        there = found[wanted.name]
        own = _own(compiled.spec.environment, wanted.name)
        if there is None or not isinstance(there.definition, dict):
            sides[path] = Side("", {}, {}, {}, {}, NoSources(), own)
            continue
        tags = {k: v for k, v in there.tags.items() if not k.startswith(PREFIX)}
        # The words are those of the definition as it is here now: the nearest there are.
        sides[path] = Side(
            wanted.name, there.definition, there.settings, tags, {}, wanted.sources, own
        )
    return sides


def _own(environment: Environment, name: str) -> dict[str, str]:
    """Return an environment's own values with their stand-ins, the longest first."""
    values = {
        environment.root: "{{ root }}",
        environment.role: "{{ role }}",
        f"{environment.root}/{name}/": "{{ root }}/{{ pipeline }}/",
        environment.bucket: "{{ bucket }}",
        environment.account: "{{ account }}",
        environment.region: "{{ region }}",
    }
    return {k: v for k, v in sorted(values.items(), key=lambda item: -len(item[0])) if k}


def _neutral(value: Any, own: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        if is_framework(value):
            # AWS's own images lie in another account of AWS's in each region.
            value = "{{ registry }}/" + value.partition("/")[2]
        for text, stand_in in own.items():
            value = value.replace(text, stand_in)
        return value
    if isinstance(value, Mapping):
        return {key: _neutral(item, own) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_neutral(item, own) for item in value]
    return value


def _difference(file: str, first: Side, second: Side, raw: bool) -> EnvironmentDifference:
    names = (first.name, second.name)
    if not all(names):
        return EnvironmentDifference(file, names)
    before, after = (side.definition if raw else _assets_kept(side) for side in (first, second))
    found = compare_definitions(before, after, second.sources)
    settings = [
        side.settings if raw else _neutral(side.settings, side.own) for side in (first, second)
    ]
    changes = [
        *found.changes,
        *compare_settings(settings[0], settings[1], second.sources),
        *_maps("tags", first.tags, second.tags),
        *_maps("schedules", first.schedules, second.schedules),
    ]
    return EnvironmentDifference(
        file, names, tuple(changes), tuple(dict.fromkeys(words for words, _, _ in found.code))
    )


def _assets_kept(side: Side) -> Any:
    """Return a definition with stand-ins; assets stay recognisable as such."""
    made = _neutral(side.definition, side.own)
    text = json.dumps(made).replace("{{ root }}/assets/", "s3://assets/assets/")
    return json.loads(text)


def _maps(word: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        first, second = before.get(key), after.get(key)
        words = f"{word}.{key}"
        if first is None:
            yield Change("+", words, "", shown(second, words))
        elif second is None:
            yield Change("-", words, shown(first, words), "")
        elif first != second:
            yield Change("~", words, shown(first, words), shown(second, words))
