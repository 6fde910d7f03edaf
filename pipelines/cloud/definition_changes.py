"""What differs between two definitions, for people: by meaning, in the definition's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.cloud.contrast import both_shown
from pipelines.cloud.plan import CacheLoss, Change, Sign
from pipelines.cloud.step_words import condition_words, kind_words, settings_words
from pipelines.cloud.wanted import Named, SourceLookup, Words
from pipelines.cloud.wording import (
    Spot,
    assets_in,
    dotted,
    follow,
    is_source_directory,
    shown,
    without_assets,
    words_at_top,
)
from pipelines.definition.cache_keys import counts_for_cache
from pipelines.definition.normal import ABSENT, Path, compare, normal_form, referred_steps
from pipelines.definition.normal_values import gets

_BRANCHES = {"IfSteps": "then", "ElseSteps": "else", "ForEachBody": "steps"}
_WHOLE: Mapping[str, str] = {
    "Conditions": "if",
    "RetryPolicies": "retry",
    "DependsOn": "depends_on",
    "CacheConfig": "cache",
}
"""Members that are shown as one: their parts' order or form is not the file's."""


_CODE = (
    ("Arguments", "ProcessingInputs", "code"),
    ("Arguments", "InputDataConfig", "code"),
)
"""The inputs by which a job gets its code."""


@dataclass(frozen=True)
class DefinitionChanges:
    """How one definition becomes another.

    Args:
        changes: line by line; where only an asset differs it is in ``code``.
        code: the field, the asset's URI before and after.
        cache: the steps whose cached results are not found any more.
    """

    changes: tuple[Change, ...] = ()
    code: tuple[tuple[str, str, str], ...] = ()
    cache: tuple[CacheLoss, ...] = ()

    @property
    def any(self) -> bool:
        """Whether they differ in meaning."""
        return bool(self.changes or self.code)


@dataclass(frozen=True)
class _Step:
    """A step of a normal form, apart from where it stands."""

    name: str
    kind: str
    place: tuple[str, ...]
    pointer: str
    body: Mapping[str, Any] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def words(self) -> str:
        """Its path in a definition that writes it as it is."""
        return dotted(("steps", *self.place, self.name))


def compare_definitions(
    before: Mapping[str, Any], after: Mapping[str, Any], sources: SourceLookup
) -> DefinitionChanges:
    """Return how ``before`` becomes ``after``.

    Args:
        before, after: definitions as they are written.
        sources: where ``after`` comes from.
    """
    if before == after:
        return DefinitionChanges()
    old, new = normal_form(before), normal_form(after)
    if old == new:
        return DefinitionChanges()
    made = _Comparison(before, after, sources)
    made.top(old, new)
    made.steps(old.get("Steps", {}), new.get("Steps", {}))
    return DefinitionChanges(tuple(made.changes), tuple(dict.fromkeys(made.code)), made.cache())


class _Comparison:
    """Collects what differs."""

    def __init__(
        self, before: Mapping[str, Any], after: Mapping[str, Any], sources: SourceLookup
    ) -> None:
        self.before, self.after, self.sources = before, after, sources
        self.changes: list[Change] = []
        self.code: list[tuple[str, str, str]] = []
        self.old: dict[str, _Step] = {}
        self.new: dict[str, _Step] = {}
        self.lost: dict[str, str] = {}
        self.defaults: list[str] = []

    def top(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Compare everything but the steps."""
        first, second = (
            {"Parameters": {}, **{k: v for k, v in normal.items() if k != "Steps"}}
            for normal in (old, new)
        )
        for difference in compare(first, second):
            path = difference.path
            if path[0] == "Parameters" and len(path) == 2:
                self._parameter(path, difference.before, difference.after)
                continue
            if path[0] == "Parameters" and path[2:] == ("DefaultValue",):
                self.defaults.append(str(path[1]))
            self._add(path, difference.before, difference.after)

    def _parameter(self, path: Path, before: Any, after: Any) -> None:
        """Tell of a parameter that is new or gone: its default, else its type."""
        sign: Sign = "+" if before is ABSENT else "-"
        facts = after if sign == "+" else before
        value = facts.get("DefaultValue", facts.get("Type")) if isinstance(facts, dict) else facts
        words = words_at_top(self.sources, path)
        text = shown(value, words.text)
        given = {"after": text} if sign == "+" else {"before": text}
        pointer = follow(self.after, path).pointer if sign == "+" else ""
        self.changes.append(
            Change(sign, words.text, position=words.position, pointer=pointer, **given)
        )

    def steps(self, old: Any, new: Any) -> None:
        """Compare the steps, wherever they stand."""
        self.old = {step.name: step for step in _flat(old, self.before, (), "")}
        self.new = {step.name: step for step in _flat(new, self.after, (), "")}
        gone = [step for name, step in self.old.items() if name not in self.new]
        for step in self.new.values():
            earlier = self.old.get(step.name)
            if earlier is None:
                self._new_step(step, gone)
                continue
            if earlier.place != step.place:
                self._tell("~", step, f"moved from {_in_words(earlier.place)}")
            if earlier.kind != step.kind:
                # The rest is another kind's request: nothing in it can be set side by side.
                self._type(earlier, step)
                if _is_cached(earlier) and _is_cached(step):
                    self.lost.setdefault(step.name, "type")
                continue
            for difference in compare(earlier.body, step.body):
                self._in_step(earlier, step, difference.path, difference.before, difference.after)
        for step in gone:
            self.changes.append(Change("-", step.words, note=kind_words(step.kind)))

    def _new_step(self, step: _Step, gone: list[_Step]) -> None:
        twin = next((g for g in gone if _is_twin(g, step)), None)
        if twin is not None:
            gone.remove(twin)
            self._tell("~", step, f"renamed from {twin.name}")
            self.lost[step.name] = "the step has another name"
            return
        self._tell("+", step, kind_words(step.kind))

    def _type(self, old: _Step, new: _Step) -> None:
        named = self.sources.field(new.raw, ("Type",))
        own = named is not None and "." not in named.words
        words = f"{self._where(new).text}.{named.words if named and own else 'type'}"
        told = kind_words(old.kind), kind_words(new.kind)
        position = self.sources.position(*words.split("."))
        self.changes.append(Change("~", words, *told, position, f"{new.pointer}/Type"))

    def _tell(self, sign: Sign, step: _Step, note: str) -> None:
        words = self._where(step)
        self.changes.append(
            Change(sign, words.text, position=words.position, pointer=step.pointer, note=note)
        )

    def _where(self, step: _Step) -> Words:
        """Return what a step is called: by its name, for the words may be another deploy's."""
        return self.sources.step(step.name) or Words(step.words)

    def _in_step(self, old: _Step, new: _Step, path: Path, before: Any, after: Any) -> None:
        """Tell of one difference inside a step that is on both sides."""
        head = next((segment for segment in path if segment in _WHOLE), None)
        if head is not None:
            self._whole(old, new, str(head))
            return
        count = len(self.changes)
        told = self._add(path, before, after, old, new)
        if counts_for_cache(new.kind, path) and _is_cached(old) and _is_cached(new):
            reason = self.changes[-1].words if len(self.changes) > count else told
            self.lost.setdefault(new.name, _within(reason, new.name))

    def _whole(self, old: _Step, new: _Step, member: str) -> None:
        inside = new.pointer + ("/Arguments" if member == "Conditions" else "")
        words = self._where(new)
        known = new if member in new.raw else old
        named = None if member == "Conditions" else self.sources.field(known.raw, (member,))
        field = named.words if named is not None else _WHOLE[member]
        text = f"{words.text}.{field}"
        if any(change.words == text for change in self.changes):
            return
        before, after = (
            (step.raw.get("Arguments", {}) if member == "Conditions" else step.raw).get(member)
            for step in (old, new)
        )
        tell = condition_words if member == "Conditions" else settings_words(member)
        position = self.sources.position(*text.split("."))
        sign: Sign = "+" if not before else "-" if not after else "~"
        told = ("" if sign == "+" else tell(before), "" if sign == "-" else tell(after))
        self.changes.append(Change(sign, text, *told, position, f"{inside}/{member}"))

    def _add(
        self,
        path: Path,
        before: Any,
        after: Any,
        old: _Step | None = None,
        new: _Step | None = None,
    ) -> str:
        """Tell of a difference as a change or as code; return what it is called."""
        there = follow(self.after if new is None else new.raw, path, new.pointer if new else "")
        here = follow(self.before if old is None else old.raw, path, old.pointer if old else "")
        # Shown as it is written, where it can be found; the normal form where it can't.
        first = ABSENT if before is ABSENT else here.value if not here.rest else before
        second = ABSENT if after is ABSENT else there.value if not there.rest else after
        uris = assets_in(first), assets_in(second)
        only_code = all(uris) and without_assets(first) == without_assets(second)
        if old is None or new is None:
            words = words_at_top(self.sources, path)
        else:
            then = self.sources.field(old.raw, here.path) if not here.rest else None
            now = self.sources.field(new.raw, there.path) if not there.rest else None
            words = self._field(new, path, now or then)
            first = then.value if then is not None and first is not ABSENT else first
            second = now.value if now is not None and second is not ABSENT else second
            if only_code and (
                is_source_directory(there)
                or path[:3] in _CODE
                or _is_step(words.text.removeprefix(self._where(new).text), new, there)
            ):
                words = Words(f"{self._where(new).text}.code")
        if only_code:
            found = [pair for pair in zip(*uris, strict=False) if pair[0] != pair[1]]
            self.code += [(words.text, *pair) for pair in found]
            return words.text
        sign: Sign = "+" if first is ABSENT else "-" if second is ABSENT else "~"
        note = ""
        if sign == "~":
            one, two, note = both_shown(first, second, words.text)
        else:
            one, two = ("" if v is ABSENT else shown(v, words.text) for v in (first, second))
        pointer = there.pointer if not there.rest else ""
        self.changes.append(Change(sign, words.text, one, two, words.position, pointer, note))
        return words.text

    def _field(self, step: _Step, path: Path, named: Named | None) -> Words:
        """Return what a part of a step is called; in the API's words where nothing is known."""
        around = self._where(step)
        if named is None:
            return Words(dotted((around.text, *path)), around.position)
        text = f"{around.text}.{named.words}" if named.words else around.text
        return Words(text, named.position or around.position)

    def cache(self) -> tuple[CacheLoss, ...]:
        """Return the steps that lose their cache, with those that build on them."""
        for step in self.new.values():
            if step.name in self.old and _is_cached(step):
                named = {f"Parameters.{name}": name for name in self.defaults}
                used = [named[text] for text in gets(_keyed(step)) if text in named]
                if used:
                    self.lost.setdefault(step.name, f"parameters.{used[0]} has another default")
        waiting = True
        while waiting:
            waiting = False
            for step in self.new.values():
                if step.name in self.lost or step.name not in self.old or not _is_cached(step):
                    continue
                used_steps = referred_steps({"Arguments": _keyed(step), "Type": step.kind})
                source = next((name for name in self.lost if name in used_steps), None)
                if source is not None:
                    self.lost[step.name] = f"{source} runs anew"
                    waiting = True
        return tuple(CacheLoss(name, why) for name, why in self.lost.items())


def _flat(
    normal: Any, raw: Mapping[str, Any], place: tuple[str, ...], pointer: str
) -> Iterator[_Step]:
    """Yield all steps of a normal form, each without those inside it."""
    for name, step in normal.items() if isinstance(normal, Mapping) else ():
        if not isinstance(step, Mapping):
            continue
        found = follow(raw, ("Steps", name) if not place else (_member(place), name), pointer)
        arguments = step.get("Arguments", {})
        inner = arguments if isinstance(arguments, Mapping) else {}
        own = {k: v for k, v in inner.items() if k not in _BRANCHES}
        body = {**step, "Arguments": own if isinstance(arguments, Mapping) else arguments}
        written = found.value if isinstance(found.value, Mapping) and not found.rest else {}
        yield _Step(name, str(step.get("Type", "")), place, found.pointer, body, written)
        around = written.get("Arguments", {})
        for member in _BRANCHES:
            if member in inner:
                under = (*place, f"{name}.{_BRANCHES[member]}")
                yield from _flat(inner[member], around, under, f"{found.pointer}/Arguments")


def _member(place: tuple[str, ...]) -> str:
    branch = place[-1].rpartition(".")[2]
    return next(member for member, word in _BRANCHES.items() if word == branch)


def _in_words(place: tuple[str, ...]) -> str:
    return place[-1] if place else "the top level"


def _is_twin(one: _Step, other: _Step) -> bool:
    """Whether two steps differ in their names alone, and where they write because of them."""
    if one.place != other.place or one.kind != other.kind:
        return False
    bodies = [{k: v for k, v in step.body.items() if k != "Name"} for step in (one, other)]
    return bodies[0] == bodies[1] or _renamed(bodies[0], one.name, other.name) == bodies[1]


def _renamed(value: Any, old: str, new: str) -> Any:
    """Return a value in which a step's name, as a folder of a place in S3, is another."""
    if isinstance(value, str):
        return re.sub(rf"(?<=/){re.escape(old)}(?=/|$)", lambda _: new, value)
    if isinstance(value, Mapping):
        return {key: _renamed(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, old, new) for item in value]
    return value


def _is_cached(step: _Step) -> bool:
    return bool(step.body.get("CacheConfig"))


def _keyed(step: _Step) -> Any:
    """Return the part of a step's arguments that its cache looks at."""
    arguments = step.body.get("Arguments", {})
    if not isinstance(arguments, Mapping):
        return {}
    return {k: v for k, v in arguments.items() if counts_for_cache(step.kind, ("Arguments", k))}


def _is_step(words: str, step: _Step, spot: Spot) -> bool:
    """Whether words belong to no field but the step itself: then it is the code's input."""
    api = spot.pointer.removeprefix(step.pointer).split("/")
    first = words.strip(".").split(".")[0]
    return not first or first in api


def _within(words: str, step: str) -> str:
    own = f".{step}."
    return words.rpartition(own)[2] if words.startswith("steps.") and own in words else words
