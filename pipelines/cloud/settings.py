"""A pipeline's settings and tags: what of them differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.cloud import ownership
from pipelines.cloud.plan import Change, Sign
from pipelines.cloud.state import Deployed
from pipelines.cloud.wanted import SETTINGS, SourceLookup, Wanted
from pipelines.cloud.wording import shown
from pipelines.tags import KEYS, remembered_keys

NO_LIMIT = 200
"""[U] What a pipeline without ``parallelism`` allows: UpdatePipeline cannot take a limit away, so
this is written instead; it is the service's quota for steps that run at once."""

SETTING_WORDS = {
    "RoleArn": "role",
    "PipelineDescription": "description",
    "PipelineDisplayName": "display_name",
    "ParallelismConfiguration": "parallelism",
}


def wanted_settings(wanted: Wanted, deployed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the settings as they are to be sent.

    Args:
        deployed: those there are: what the definition no longer says must be written over, since
            UpdatePipeline leaves alone what it is not given.
    """
    made = {name: wanted.settings[name] for name in SETTINGS if wanted.settings.get(name)}
    for name in deployed or ():
        if name in made:
            continue
        if name == "PipelineDescription":
            made[name] = ""
        elif name == "PipelineDisplayName":
            made[name] = wanted.name
        elif name == "ParallelismConfiguration":
            made[name] = {"MaxParallelExecutionSteps": NO_LIMIT}
    return made


def compare_settings(
    before: Mapping[str, Any], after: Mapping[str, Any], sources: SourceLookup
) -> tuple[Change, ...]:
    """Return what differs between settings."""
    found = []
    for name in SETTINGS:
        first, second = _word(before.get(name)), _word(after.get(name))
        if first == second:
            continue
        sign: Sign = "+" if not first else "-" if not second else "~"
        words = SETTING_WORDS[name]
        found.append(Change(sign, words, first, second, sources.position(words)))
    return tuple(found)


def fold_roles(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return changes without the roles of steps and schedules that follow the pipeline's."""
    own = next((each for each in changes if each.words == "role"), None)
    if own is None:
        return tuple(changes)
    told = (own.before, own.after)
    followers = [
        each
        for each in changes
        if each.words.endswith(".role") and (each.before, each.after) == told
    ]
    counts = {
        word: sum(1 for each in followers if each.words.startswith(f"{word}s."))
        for word in ("step", "schedule")
    }
    of = [f"{n} {word}{'s' * (n > 1)}" for word, n in counts.items() if n]
    note = f"also of {' and '.join(of)}" if of else ""
    return tuple(
        replace(each, note=note) if each is own else each
        for each in changes
        if each not in followers
    )


def _word(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("MaxParallelExecutionSteps", ""))
    return shown(value) if value else ""


def new_tag(key: str, value: str, sources: SourceLookup) -> Change:
    """Return what is told of a tag that is not there yet."""
    words = f"tags.{key}"
    return Change("+", words, "", shown(value, words), sources.position("tags", key))


@dataclass(frozen=True)
class TagChanges:
    """What differs between the tags a definition asks for and those there are.

    Args:
        added: to be written, with what remembers their keys.
        removed: keys to be taken away: an earlier deploy put them there.
    """

    changes: tuple[Change, ...]
    added: Mapping[str, str]
    removed: tuple[str, ...]


def compare_tags(
    deployed: Deployed, wanted: Mapping[str, str], sources: SourceLookup
) -> TagChanges:
    """Return how a pipeline's tags become those of its definition; others' tags stay."""
    changes: list[Change] = []
    added: dict[str, str] = {}
    for key, value in wanted.items():
        before = deployed.tags.get(key)
        if before == value:
            continue
        added[key] = value
        change = new_tag(key, value, sources)
        if before is not None:
            change = replace(change, sign="~", before=shown(before, change.words))
        changes.append(change)
    remembered = ownership.keys_of(deployed.tags)
    gone = sorted(key for key in remembered if key not in wanted and key in deployed.tags)
    changes += [
        Change(
            "-",
            f"tags.{key}",
            shown(deployed.tags[key], f"tags.{key}"),
            position=sources.position("tags", key),
        )
        for key in gone
    ]
    keys = remembered_keys(wanted)
    old = {k: v for k, v in deployed.tags.items() if k.partition(".")[0] == KEYS}
    stale = [key for key in old if key not in keys]
    added.update({key: value for key, value in keys.items() if old.get(key) != value})
    return TagChanges(tuple(changes), added, (*gone, *stale))
