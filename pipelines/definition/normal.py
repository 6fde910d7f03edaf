"""What a definition means, apart from how it is written.

Two definitions with the same normal form do the same in the service:

* the order of keys, of steps, of parameters and of lists whose items have names is no part of it
  (a Condition's steps stay in their branch, a ForEach's in its body);
* null, empty lists, empty maps and documented defaults in a request are as good as missing, as are
  a cache that is switched off and an empty ``Metadata``; in the event of a Lambda or Callback step
  they count;
* a whole number is the same number with and without ``.0``;
* ``Std:Join`` has no separator, no joins in it, and texts beside each other are one; a join of one
  text is that text;
* ``DependsOn`` holds what the step's own references and the Condition around it don't imply;
* a tuning job's machine is the same in ``HyperParameterTuningResourceConfig``, where SDK 2 writes
  it, as in ``ResourceConfig``;
* conditions are clauses (:mod:`pipelines.definition.normal_conditions`); retry policies are split
  by the families of their exception types, and durations are seconds.

The functions are pure and take any JSON value of bounded depth: what is malformed is compared as
it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.definition.durations import seconds
from pipelines.definition.normal_conditions import normal_conditions
from pipelines.definition.normal_values import Values, by_name, gets, is_expression, sort_key
from pipelines.definition.references import PathSyntaxError, parse_path

Path = tuple[str | int, ...]

EVENTS = ("Lambda", "Callback")
"""Step types whose arguments are handed on as they are: there an empty member says something."""

_INNER = ("IfSteps", "ElseSteps", "ForEachBody")
_CALENDAR = re.compile(r"P\d+[YM]|P.*\dY|P[^T]*\dM", re.IGNORECASE)
"""Durations whose length depends on the calendar; they are compared as text."""


class _Absent:
    """Stands where one of two definitions has nothing."""

    def __repr__(self) -> str:
        return "absent"

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()
"""``before`` of what is only in the second definition, ``after`` of what is only in the first."""


@dataclass(frozen=True)
class Difference:
    """One place in which two definitions differ.

    Args:
        path: from the normal form's top down: names of members, parameters, steps and items;
            indexes in lists that have no names.
        before: the value in the first definition, or :data:`ABSENT`.
        after: the value in the second.
    """

    path: Path
    before: Any
    after: Any


def normal_form(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the normal form of a pipeline definition: plain data that compares by ``==``.

    Parameters, steps, branches and bodies are maps by name.
    """
    values = Values(_parameter_types(definition.get("Parameters")))
    made: dict[str, Any] = {}
    for member, value in definition.items():
        if member == "Parameters":
            normal = _parameters(value, values)
        elif member == "Steps":
            normal = _steps(value, values, ())
        else:
            normal = values.normal(value)
        if normal not in (None, {}, []):
            made[member] = normal
    return made


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return where two definitions differ in meaning, in the order of the first; empty: nowhere.

    Args:
        before, after: definitions as they are, not normal forms.
    """
    return list(compare(normal_form(before), normal_form(after)))


def compare(before: Any, after: Any, path: Path = ()) -> Iterator[Difference]:
    """Yield where two normal forms differ; an expression is one value."""
    if _are_maps(before, after):
        for name, value in before.items():
            yield from compare(value, after.get(name, ABSENT), (*path, name))
        for name, value in after.items():
            if name not in before:
                yield Difference((*path, name), ABSENT, value)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (first, second) in enumerate(zip(before, after, strict=True)):
            yield from compare(first, second, (*path, index))
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Difference(path, before, after)


def _are_maps(before: Any, after: Any) -> bool:
    maps = isinstance(before, Mapping) and isinstance(after, Mapping)
    return maps and not is_expression(before) and not is_expression(after)


def _parameter_types(given: Any) -> dict[str, str]:
    items = given if isinstance(given, list) else []
    found = {}
    for item in items:
        if isinstance(item, Mapping):
            name, kind = item.get("Name"), item.get("Type")
            if isinstance(name, str) and isinstance(kind, str):
                found[name] = kind
    return found


def _parameters(given: Any, values: Values) -> Any:
    if not isinstance(given, list):
        return values.normal(given)
    named = by_name(given, "Name")
    if named is None:
        return [_parameter(item, values) for item in given]
    return {name: _parameter(item, values) for name, item in named.items()}


def _parameter(given: Any, values: Values) -> Any:
    made = values.normal(given)
    if isinstance(made, dict):
        if isinstance(made.get("EnumValues"), list):
            made["EnumValues"] = sorted(made["EnumValues"], key=sort_key)
        if isinstance(given, Mapping) and given.get("DefaultValue") == "":
            made["DefaultValue"] = ""
    return made


def _steps(given: Any, values: Values, around: tuple[str, ...]) -> Any:
    if given is None:
        return {}
    if not isinstance(given, list):
        return values.normal(given)
    made: dict[str, Any] = {}
    for item in given:
        step = _step(item, values, around)
        name = item.get("Name") if isinstance(item, Mapping) else None
        key, count = str(name), 1
        while key in made:
            count += 1
            key = f"{name} ({count})"
        made[key] = step
    return made


def _step(given: Any, values: Values, around: tuple[str, ...]) -> Any:
    if not isinstance(given, Mapping):
        return values.normal(given)
    name, kind = given.get("Name"), given.get("Type")
    inside = (*around, name) if isinstance(name, str) else around
    made: dict[str, Any] = {}
    for member, value in given.items():
        if member == "Arguments":
            normal = _arguments(kind, value, values, inside)
        elif member == "DependsOn":
            normal = _dependencies(given, values, around)
        elif member == "CacheConfig":
            normal = _cache(value, values)
        elif member == "RetryPolicies":
            normal = _retries(value, values)
        else:
            # By the name of the member, so that a list with names becomes a map.
            normal = values.normal({member: value}).get(member)
        if normal not in (None, {}, [], ""):
            made[member] = normal
    return made


def _arguments(kind: Any, given: Any, values: Values, inside: tuple[str, ...]) -> Any:
    if not isinstance(given, Mapping):
        return values.normal(given)
    if kind in EVENTS:
        return values.normal(given, keep_empty=True)
    if kind == "Tuning":
        given = plain_resources(given)
    inner = _INNER if kind in ("Condition", "ForEach") else ()
    made = values.normal({k: v for k, v in given.items() if k not in inner})
    if kind == "Condition" and "Conditions" in given:
        made["Conditions"] = normal_conditions(given["Conditions"], values.normal)
    for member in inner:
        steps = _steps(given.get(member), values, inside)
        if steps:
            made[member] = steps
    return made


def plain_resources(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a tuning job's arguments with its machine in ``ResourceConfig`` where that can say it.

    ``HyperParameterTuningResourceConfig`` says more only by several instance types and their order
    (HyperParameterTrainingJobDefinition, Amazon SageMaker API Reference).
    """
    job = arguments.get("TrainingJobDefinition")
    machine = job.get(_TUNING_MACHINE) if isinstance(job, Mapping) else None
    if not isinstance(job, Mapping) or not isinstance(machine, Mapping) or not machine:
        return arguments
    if job.get("ResourceConfig") or not set(machine) <= _ONE_MACHINE:
        return arguments
    rest = {member: value for member, value in job.items() if member != _TUNING_MACHINE}
    return {**arguments, "TrainingJobDefinition": {**rest, "ResourceConfig": machine}}


_TUNING_MACHINE = "HyperParameterTuningResourceConfig"
_ONE_MACHINE = {"InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"}


def _dependencies(given: Mapping[str, Any], values: Values, around: tuple[str, ...]) -> Any:
    listed = given.get("DependsOn")
    if not isinstance(listed, list):
        return values.normal(listed)
    implied = {*around, *referred_steps(given)}
    found: dict[str, Any] = {}
    for item in listed:
        step, trigger = item, "Completed"
        if isinstance(item, Mapping) and set(item) <= {"Step", "Trigger"}:
            step, trigger = item.get("Step"), item.get("Trigger") or "Completed"
        if not isinstance(step, str) or not isinstance(trigger, str):
            found[sort_key(item)] = values.normal(item)
        elif trigger != "Completed":
            found[f"{step} {trigger}"] = {"Step": step, "Trigger": trigger}
        elif step not in implied:
            found[step] = step
    return [found[key] for key in sorted(found)]


def referred_steps(step: Mapping[str, Any]) -> set[str]:
    """Return the names of the steps that a step's own references begin with.

    Those of the steps inside a Condition or ForEach are theirs.
    """
    given = step.get("Arguments")
    own = {k: v for k, v in step.items() if k not in ("Arguments", "DependsOn")}
    if isinstance(given, Mapping) and step.get("Type") in ("Condition", "ForEach"):
        given = {k: v for k, v in given.items() if k not in _INNER}
    found = set()
    for text in gets([given, own]):
        try:
            segments = parse_path(text)
        except PathSyntaxError:
            continue
        if segments[0] == "Steps" and len(segments) > 1:
            found.add(str(segments[1]))
    return found


def _cache(given: Any, values: Values) -> Any:
    made = values.normal(given)
    if not isinstance(made, dict) or set(made) - {"Enabled", "ExpireAfter"}:
        return made
    if made.get("Enabled", False) is False:
        return None
    if isinstance(made.get("ExpireAfter"), str):
        made["ExpireAfter"] = _duration(made["ExpireAfter"])
    return made


def _duration(text: str) -> Any:
    length = None if _CALENDAR.search(text) else seconds(text)
    return text.upper() if length is None else f"{int(length)}s"


def _retries(given: Any, values: Values) -> Any:
    """Return retry policies split by the families of their types, as the SDK writes them."""
    if not isinstance(given, list):
        return values.normal(given)
    found = []
    for item in given:
        types = item.get("ExceptionType") if isinstance(item, Mapping) else None
        if isinstance(types, str):
            types = [types]
        if not isinstance(types, list) or not all(isinstance(each, str) for each in types):
            found.append(values.normal(item))
            continue
        rest = {k: v for k, v in values.normal(item).items() if k != "ExceptionType"}
        rest = {"IntervalSeconds": 1, "BackoffRate": 2, **rest}
        families = [[t for t in types if t.startswith("Step.") is own] for own in (True, False)]
        found += [{"ExceptionType": sorted(f), **rest} for f in families if f]
    return sorted(found, key=sort_key)
