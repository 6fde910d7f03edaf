"""ForEach: the rounds it consists of, and what it comes to when they are over.

Source: the SDK's ``ForEachStep``: items, concurrency, the names of the rounds' steps, aggregate
properties, the selector; botocore's ``ForEachStepMetadata``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.definition import Step, parse_get
from pipelines.local.handlers import StepError
from pipelines.local.surroundings import Surroundings
from pipelines.local.values import ResolutionError, Round, follow

# SDK: MAX_LITERAL_ITERABLE_ITEMS. [U] Whether it holds for a list that is known only when the
# pipeline runs is not stated; ten times as many keep a mistake from filling the disk.
MAX_ITEMS = 1000
MAX_CONCURRENCY = 50


@dataclass(frozen=True)
class Rounds:
    """The rounds of a ForEach.

    Attributes:
        items: the items, one a round.
        steps: the steps of all rounds, round by round; named ``BODY-INDEX``.
        limit: how many of the steps may run at once.
    """

    items: tuple[object, ...]
    steps: tuple[Step, ...]
    limit: int


@dataclass(frozen=True)
class Conclusion:
    """What a ForEach came to: status, reason, properties, metadata."""

    status: str
    reason: str
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]


def plan_rounds(loop: Step, around: Surroundings) -> Rounds:
    """Work out the rounds of a ForEach; each step's round is put into ``around.rounds``.

    Raises:
        StepError: the items are no list.
        ResolutionError: a reference has no value.
    """
    items = _items(around.values.resolve(loop.arguments.get("IterableItems")))
    limit = around.values.resolve(loop.arguments.get("MaxConcurrency", 1))
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_CONCURRENCY:
        raise StepError(f"MaxConcurrency is {json.dumps(limit)}, not 1 to {MAX_CONCURRENCY}")
    steps: list[Step] = []
    for index, item in enumerate(items):
        names = {inner.name: f"{inner.name}-{index}" for inner in loop.body}
        within = Round(loop.name, index, item, names)
        for inner in loop.body:
            step = replace(inner, name=names[inner.name])
            around.rounds[step.name] = within
            around.values.rounds[step.name] = step
            steps.append(step)
    return Rounds(items, tuple(steps), limit)


def _items(value: object) -> tuple[object, ...]:
    """Return the items of a list, or of a text that is a JSON list.

    [U] An item that is a map or a list is handed on as its JSON text, the form in which literal
    items hold maps.
    """
    if isinstance(value, str):
        text = value
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise StepError(f"IterableItems is no JSON list: {text[:200]}") from None
    if not isinstance(value, list):
        raise StepError(f"IterableItems is {json.dumps(value)[:200]}, not a list")
    if len(value) > MAX_ITEMS:
        raise StepError(f"IterableItems has {len(value)} items; {MAX_ITEMS} are run here")
    return tuple(
        json.dumps(item, ensure_ascii=False) if isinstance(item, (dict, list)) else item
        for item in value
    )


def conclude(
    loop: Step, rounds: Rounds, states: Mapping[str, str], around: Surroundings
) -> Conclusion:
    """Work out what a ForEach came to.

    Args:
        loop: the step.
        rounds: its rounds.
        states: how each of their steps ended, by name; one that never started has another word.
        around: holds the properties of those that succeeded.
    """
    ended = [states[step.name] for step in rounds.steps]
    count = {word: ended.count(word) for word in ("Succeeded", "Failed", "Stopped")}
    # [U] A step that was left out although its round went well leaves the whole a success.
    unfinished = any(state in ("Waiting", "Ready", "Stopped") for state in ended)
    status = "Failed" if count["Failed"] else "Stopped" if unfinished else "Succeeded"
    properties: dict[str, Any] = {
        "Status": status,
        "InputItemCount": len(rounds.items),
        "TotalStepCount": len(ended),
        "SucceededStepCount": count["Succeeded"],
        "FailedStepCount": count["Failed"],
        "StoppedStepCount": count["Stopped"],
    }
    known: dict[str, Any] = dict(properties)
    done = around.values.properties
    properties["IterationOutputs"] = [
        {
            inner.name: done[f"{inner.name}-{index}"]
            for inner in loop.body
            if f"{inner.name}-{index}" in done
        }
        for index in range(len(rounds.items))
    ]
    reason = ""
    if status == "Failed":
        bad = [step.name for step in rounds.steps if states[step.name] == "Failed"]
        reason = f"{len(bad)} of {len(ended)} steps failed: {', '.join(bad[:10])}"
        reason += " …" if len(bad) > 10 else ""
    elif status == "Stopped":
        reason = "stopped"
    elif "Selector" in loop.arguments:
        try:
            name, index = _selected(loop, len(rounds.items), done)
        except ResolutionError as error:
            status, reason = "Failed", str(error)
            properties["Status"] = known["Status"] = status
        else:
            properties["Selected"] = done[f"{name}-{index}"]
            known["Selector"] = {"StepName": f"{name}-{index}", "Index": index}
    return Conclusion(status, reason, properties, {"ForEach": known})


def _selected(loop: Step, count: int, done: Mapping[str, Mapping[str, Any]]) -> tuple[str, int]:
    """Return the body's step and the round that the selector picks; the first among equals. [U]

    Raises:
        ResolutionError: a round has no such value, or the values cannot be compared.
    """
    selector = loop.arguments["Selector"]
    field = selector.get("Field") if isinstance(selector, Mapping) else None
    text = field.get("Get") if isinstance(field, Mapping) else None
    pick = selector.get("Pick") if isinstance(selector, Mapping) else None
    if not isinstance(text, str) or pick not in ("MaxBy", "MinBy"):
        raise ResolutionError("the Selector needs Pick (MaxBy or MinBy) and Field")
    reference = parse_get(text)
    values: list[Any] = []
    for index in range(count):
        step = f"{reference.name}-{index}"
        if step not in done:
            raise ResolutionError(f"`{text}` has no value: step `{step}` did not run")
        values.append(follow(done[step], reference.path, f"step `{step}`", text))
    if not values:
        raise ResolutionError(f"`{text}`: there is no round to pick from")
    return reference.name, _best(values, pick == "MaxBy", text)


def _best(values: Sequence[Any], largest: bool, text: str) -> int:
    """[U] Numbers in text, as Lambda functions return them, are compared as numbers."""
    numbers = [_number(value) for value in values]
    ranked: list[Any] = numbers if None not in numbers else list(values)
    try:
        best = max(ranked) if largest else min(ranked)
    except TypeError:
        raise ResolutionError(f"the rounds' values of `{text}` cannot be compared") from None
    return ranked.index(best)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None
