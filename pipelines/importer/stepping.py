"""From the steps of a definition to drafts: their kinds, fields and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.compiler import as_json
from pipelines.definition.normal import EVENTS, plain_resources, referred_steps
from pipelines.definition.normal_values import Values
from pipelines.importer.beside import beside
from pipelines.importer.building import Wanted
from pipelines.importer.code_places import code_comments, config_place
from pipelines.importer.documents import document_of
from pipelines.importer.drafts import Draft, Note
from pipelines.importer.durations import duration_text
from pipelines.importer.fetching import Fetched
from pipelines.importer.fitting import Fitted, Unfit, fit
from pipelines.importer.images import NO_IMAGES, Images
from pipelines.importer.lifting import Lifter
from steps import KINDS, kind_named
from steps._contract import Kind
from steps._durations import DurationError, parse
from steps._expressions import LoopRef, is_expression
from steps._json_text import json_text
from steps._shared_fields import RETRY_REASONS

COMPOUND = ("Condition", "ForEach")
_COMMON = ("Name", "Type", "DisplayName", "Description", "DependsOn", "CacheConfig")
_WHEN = {"Completed": "completed", "Failed": "failed", "Stopped": "stopped", "Any": "any"}
_REASONS = {api: name for name, api in RETRY_REASONS.items()}


def kind_for(api_type: str) -> Kind:
    """Return the kind that writes an API type: the first of several, Raw where none does."""
    raw = kind_named("Raw")
    assert raw is not None
    return next((kind for kind in KINDS if kind.api_type and kind.api_type == api_type), raw)


@dataclass
class Stepper:
    """Drafts the steps of one definition.

    Args:
        lifter: reads its values.
        values: gives the normal form of values.
        raw: names of the steps that are written as they stand, with the reason.
        variables: the values of the variables that stand in it.
        fitted: the fields that were found so far, by the steps' pointers; grows.
        images: those that may be written as a framework.
        fetched: what lies beside the definition.
        notes: what the reader must know; grows.
    """

    lifter: Lifter
    values: Values
    raw: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    fitted: dict[str, Fitted | Unfit] = field(default_factory=dict)
    images: Images = NO_IMAGES
    fetched: Fetched = field(default_factory=Fetched)
    notes: list[Note] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def drafts(self, steps: Any, pointer: str, around: tuple[str, ...] = ()) -> list[Draft]:
        """Return the drafts of a list of steps."""
        if steps is not None and not isinstance(steps, list):
            self.notes.append(Note(pointer, "this is no list of steps", lost=True))
        found = []
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            here = f"{pointer}/{index}"
            if isinstance(step, Mapping) and isinstance(step.get("Type"), str):
                found.append(self.draft(step, here, around))
            else:
                self.notes.append(Note(here, "this is no step: it has no type", lost=True))
        return found

    def draft(self, step: Mapping[str, Any], pointer: str, around: tuple[str, ...]) -> Draft:
        """Return the draft of one step and of those inside it."""
        name = self._name(step, pointer)
        kind = kind_for(step["Type"])
        if name in self.raw and kind.name not in (*COMPOUND, "Fail"):
            kind = kind_for("")
        draft = Draft(name, step, pointer, kind)
        if kind.name == "Condition":
            self._condition(draft, around)
        elif kind.name == "ForEach":
            self._loop(draft, around)
        else:
            self._fitted(draft)
        self._head(draft, around)
        self._cache(draft)
        self._retries(draft)
        if draft.kind.name not in COMPOUND:
            draft.comments += code_comments(draft.given, self.fetched.paths)
        return draft

    def _name(self, step: Mapping[str, Any], pointer: str) -> str:
        given = step.get("Name")
        name = given if isinstance(given, str) and given else "step"
        unique, number = name, 1
        while unique in self._taken:
            number += 1
            unique = f"{name}-{number}"
        if unique != given:
            why = f"the name `{name}` is taken" if given else "the step has no name"
            self.notes.append(Note(f"{pointer}/Name", f"{why}: it is called `{unique}`", lost=True))
        self._taken.add(unique)
        return unique

    # --- kinds ---

    def _fitted(self, draft: Draft) -> None:
        given = {
            member: self.lifter.lift(value)
            for member, value in draft.given.items()
            if member not in (*_COMMON, "RetryPolicies") and value is not None
        }
        if not isinstance(given.get("Arguments", {}), Mapping):
            given["Arguments"] = {}
            self.notes.append(Note(f"{draft.pointer}/Arguments", "this is no map", lost=True))
        if draft.kind.name in EVENTS:
            given["Arguments"] = self._without_nulls(given.get("Arguments", {}), draft.pointer)
        if not draft.is_raw:
            try:
                fitted = self._fit(draft, given)
            except Unfit as reason:
                self._keep_raw(draft, _told(draft.given, str(reason)))
            else:
                draft.fields = dict(fitted.fields)
                draft.request = fitted.request
                draft.step_fields = dict(fitted.step_fields)
                return
        elif draft.name in self.raw:
            self._keep_raw(draft, self.raw[draft.name])
        if not draft.is_raw:
            return  # a Fail step has no other form
        draft.fields = {"api_type": draft.given["Type"]}
        if given.get("Arguments"):
            draft.fields["arguments"] = given["Arguments"]
        draft.step_fields = {k: v for k, v in given.items() if k != "Arguments"}

    def _fit(self, draft: Draft, given: Mapping[str, Any]) -> Fitted:
        """Return a step's fields; found once, however often the definition is drafted."""
        if draft.pointer not in self.fitted:
            wanted = Wanted(
                draft.name,
                _plain(draft.kind, given),
                self.values,
                self.variables,
                self.images,
                beside(self.fetched, draft.given),
            )
            try:
                self.fitted[draft.pointer] = fit(draft.kind, wanted)
            except Unfit as reason:
                self.fitted[draft.pointer] = reason
        found = self.fitted[draft.pointer]
        if isinstance(found, Unfit):
            raise found
        return found

    def _without_nulls(self, value: Any, pointer: str) -> Any:
        """Return an event without null members, which a definition can't hold."""
        if not isinstance(value, Mapping):
            return value
        for name in [name for name, item in value.items() if item is None]:
            why = f"`{name}` is null, which a step's arguments can't say"
            self.notes.append(Note(f"{pointer}/Arguments", why, lost=True))
        rest = {name: item for name, item in value.items() if item is not None}
        return {name: self._without_nulls(item, pointer) for name, item in rest.items()}

    def _keep_raw(self, draft: Draft, reason: str) -> None:
        if draft.kind.name == "Fail":
            self.notes.append(Note(draft.pointer, f"this step can't be said: {reason}", lost=True))
            return
        kind = draft.given["Type"]
        draft.kind = kind_for("")
        draft.comments.append(f"Written raw: {_one_line(reason)}")
        self.notes.append(
            Note(draft.pointer, f"`{draft.name}` ({kind}) is written raw: {_one_line(reason)}")
        )

    def _condition(self, draft: Draft, around: tuple[str, ...]) -> None:
        given = self._compound(draft, ("Conditions", "IfSteps", "ElseSteps"))
        draft.condition = given.get("Conditions")
        inside = (*around, draft.name)
        here = f"{draft.pointer}/Arguments"
        draft.then = self.drafts(given.get("IfSteps"), f"{here}/IfSteps", inside)
        draft.otherwise = self.drafts(given.get("ElseSteps"), f"{here}/ElseSteps", inside)

    def _loop(self, draft: Draft, around: tuple[str, ...]) -> None:
        given = self._compound(
            draft, ("IterableItems", "MaxConcurrency", "ForEachBody", "Selector")
        )
        items = self.lifter.lift(given.get("IterableItems"))
        draft.fields["items"] = (
            [_item(each) for each in items] if isinstance(items, list) else items
        )
        limit = given.get("MaxConcurrency")
        if limit not in (None, 1):
            draft.fields["max_concurrency"] = limit
        here = f"{draft.pointer}/Arguments"
        inside = (*around, draft.name)
        draft.body = self.drafts(given.get("ForEachBody"), f"{here}/ForEachBody", inside)
        selector = given.get("Selector")
        if selector is None:
            return
        chosen = self.lifter.lift(selector.get("Field")) if isinstance(selector, Mapping) else None
        way = {"MaxBy": "max", "MinBy": "min"}.get(str(selector.get("Pick"))) if chosen else None
        if way and isinstance(chosen, LoopRef) and set(selector) == {"Pick", "Field"}:
            draft.fields["select"] = {way: chosen}
        else:
            self.notes.append(
                Note(f"{here}/Selector", "the selection of a round can't be said", lost=True)
            )

    def _compound(self, draft: Draft, known: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the arguments of a step with steps inside; what is unknown goes along as it is."""
        given = draft.given.get("Arguments")
        if not isinstance(given, Mapping):
            self.notes.append(Note(f"{draft.pointer}/Arguments", "this is no map", lost=True))
            return {}
        for name in (name for name in given if name not in known):
            why = f"`{name}` can't be said of a {draft.kind.name} step"
            self.notes.append(Note(f"{draft.pointer}/Arguments/{name}", why, lost=True))
        beside = {
            member: self.lifter.lift(value)
            for member, value in draft.given.items()
            if member not in (*_COMMON, "RetryPolicies", "Arguments") and value is not None
        }
        draft.step_fields.update(beside)
        return given

    # --- what every step has ---

    def _head(self, draft: Draft, around: tuple[str, ...]) -> None:
        for member, name in (("DisplayName", "display_name"), ("Description", "description")):
            value = draft.given.get(member)
            if isinstance(value, str) and value:
                draft.head[name] = value
            elif value not in (None, ""):
                draft.step_fields[member] = self.lifter.lift(value)
        listed = draft.given.get("DependsOn")
        if listed is None or listed == []:
            return
        implied = {*around, *referred_steps(draft.given)}
        found: list[Any] = []
        for index, item in enumerate(listed if isinstance(listed, list) else [listed]):
            step, when = item, "Completed"
            if isinstance(item, Mapping):
                step, when = item.get("Step"), item.get("Trigger") or "Completed"
            if not isinstance(step, str) or str(when) not in _WHEN:
                here = f"{draft.pointer}/DependsOn/{index}"
                self.notes.append(Note(here, "this is no dependency", lost=True))
            elif when != "Completed":
                found.append({"step": step, "when": _WHEN[str(when)]})
            elif step not in implied and step not in found:
                found.append(step)
        if found:
            draft.head["depends_on"] = found

    def _cache(self, draft: Draft) -> None:
        config = draft.given.get("CacheConfig")
        if config is None or (isinstance(config, Mapping) and config.get("Enabled") is False):
            return
        if draft.kind.cacheable and isinstance(config, Mapping):
            age = config.get("ExpireAfter")
            if set(config) == {"Enabled", "ExpireAfter"} and config["Enabled"] is True:
                try:
                    parse(str(age))
                except DurationError:
                    pass
                else:
                    draft.tail["cache"] = _age(str(age))
                    return
        draft.step_fields["CacheConfig"] = self.lifter.lift(config)

    def _retries(self, draft: Draft) -> None:
        given = draft.given.get("RetryPolicies")
        if given is None or given == []:
            return
        policies = [_retry(item, draft.kind) for item in given] if isinstance(given, list) else []
        if not policies or None in policies:
            draft.step_fields["RetryPolicies"] = self.lifter.lift(given)
            return
        joined: list[dict[str, Any]] = []
        for policy in policies:
            assert policy is not None
            limits = {name: value for name, value in policy.items() if name != "on"}
            last = joined[-1] if joined else {}
            if joined and {name: v for name, v in last.items() if name != "on"} == limits:
                last["on"] = [*last["on"], *policy["on"]]
            else:
                joined.append(policy)
        draft.tail["retry"] = joined[0] if len(joined) == 1 else joined


def _plain(kind: Kind, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a step's members where its kind writes them."""
    if kind.name != "Tuning":
        return given
    return {**given, "Arguments": plain_resources(given.get("Arguments", {}))}


def _told(step: Mapping[str, Any], reason: str) -> str:
    """Return why a step is raw; of a Clarify check without its configuration, what to do."""
    uri = config_place(step)
    if uri and "`config`" in reason:
        return f"its configuration lies at {uri}; --download fetches it and makes it a ClarifyCheck"
    return reason


def _retry(given: Any, kind: Kind) -> dict[str, Any] | None:
    """Return a retry policy in the language's words; None where it has none."""
    known = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}
    if not isinstance(given, Mapping) or not set(given) <= known:
        return None
    types = given.get("ExceptionType")
    types = [types] if isinstance(types, str) else types
    if not isinstance(types, list) or not types:
        return None
    reasons = [_REASONS.get(each, "") if isinstance(each, str) else "" for each in types]
    if any(reason not in kind.retries for reason in reasons):
        return None
    attempts, expire = given.get("MaxAttempts"), given.get("ExpireAfterMin")
    interval, backoff = given.get("IntervalSeconds", 1), given.get("BackoffRate", 2)
    numbers = [each for each in (attempts, expire, interval) if each is not None]
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in numbers):
        return None
    if (attempts is None) == (expire is None) or (attempts or 0) > 20:
        return None
    if isinstance(backoff, bool) or not isinstance(backoff, (int, float)):
        return None
    made: dict[str, Any] = {"on": reasons}
    if attempts is not None:
        made["attempts"] = attempts
    if interval != 1:
        made["interval"] = duration_text(interval)
    if backoff != 2:
        made["backoff"] = backoff
    if expire is not None:
        made["expire"] = duration_text(expire * 60)
    return made


def _age(text: str) -> str:
    """Return a cache's age as people write it."""
    return duration_text(parse(text))


def _item(value: Any) -> Any:
    """Return an item of a ForEach: a map where it is the text of one."""
    if not isinstance(value, str) and not is_expression(value):
        return value
    found = document_of(value)
    if isinstance(found, dict) and as_json(json_text(found)) == as_json(value):
        return found
    return value


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 200 else f"{flat[:199]}…"
