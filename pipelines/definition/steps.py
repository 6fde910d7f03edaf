"""One step object of the JSON, read and checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from pipelines.definition.conditions import check_conditions
from pipelines.definition.expressions import describe
from pipelines.definition.model import (
    TRIGGERS,
    Branch,
    CacheConfig,
    Dependency,
    PropertyFile,
    RetryPolicy,
    Step,
)
from pipelines.definition.problems import Problems, nearest

# The published pipeline-definition schema's StepName.
NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")

BRANCHES = ("IfSteps", "ElseSteps")
BODY = "ForEachBody"

# Members of a step that have attributes of their own; any others belong to its type.
_READ = frozenset(
    {
        "Name",
        "Type",
        "Arguments",
        "DependsOn",
        "DisplayName",
        "Description",
        "PropertyFiles",
        "CacheConfig",
        "RetryPolicies",
    }
)

# SDK, ``ForEachStep``: what may not stand in a body.
NOT_IN_A_BODY = frozenset({"Condition", "Fail", "ForEach"})


def read_step(
    value: object, pointer: str, branch: Branch | None, problems: Problems
) -> Step | None:
    """Read one step; what is wrong goes into ``problems``.

    Returns:
        The step, or None where it has no usable name and type.
    """
    if not isinstance(value, Mapping):
        problems.add(pointer, f"a step must be an object, not {describe(value)}")
        return None
    name, kind = value.get("Name"), value.get("Type")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.add(f"{pointer}/Name", "must be 1 to 64 letters, digits, `-` or `_`")
        return None
    if not isinstance(kind, str) or not kind:
        problems.add(f"{pointer}/Type", "must name the step's type")
        return None
    arguments = problems.mapping(value.get("Arguments", {}), f"{pointer}/Arguments")
    if kind == "Condition":
        check_conditions(arguments.get("Conditions"), f"{pointer}/Arguments/Conditions", problems)
        arguments = {key: item for key, item in arguments.items() if key not in BRANCHES}
    body: tuple[Step, ...] = ()
    if kind == "ForEach":
        body = _body(arguments.get(BODY), f"{pointer}/Arguments/{BODY}", problems)
        arguments = {key: item for key, item in arguments.items() if key != BODY}
    return Step(
        name=name,
        type=kind,
        arguments=arguments,
        pointer=pointer,
        depends_on=_dependencies(value.get("DependsOn"), f"{pointer}/DependsOn", problems),
        branch=branch,
        display_name=_optional_text(value, "DisplayName", pointer, problems),
        description=_optional_text(value, "Description", pointer, problems),
        property_files=_property_files(
            value.get("PropertyFiles"), f"{pointer}/PropertyFiles", problems
        ),
        cache=_cache(value.get("CacheConfig"), f"{pointer}/CacheConfig", problems),
        retries=_retries(value.get("RetryPolicies"), f"{pointer}/RetryPolicies", problems),
        members={str(key): item for key, item in value.items() if key not in _READ},
        body=body,
    )


def _body(value: object, pointer: str, problems: Problems) -> tuple[Step, ...]:
    """Read the steps of a ForEach."""
    found: list[Step] = []
    for index, item in enumerate(problems.sequence(value, pointer)):
        here = f"{pointer}/{index}"
        kind = item.get("Type") if isinstance(item, Mapping) else None
        if kind in NOT_IN_A_BODY:
            problems.add(f"{here}/Type", f"a {kind} step cannot stand in the body of a ForEach")
            continue
        step = read_step(item, here, None, problems)
        if step is not None:
            found.append(step)
    if not found and not problems.found:
        problems.add(pointer, "a ForEach needs at least one step to run for each item")
    return tuple(found)


def _optional_text(value: Mapping[str, object], key: str, pointer: str, problems: Problems) -> str:
    item = value.get(key)
    return "" if item is None else problems.text(item, f"{pointer}/{key}")


def _dependencies(value: object, pointer: str, problems: Problems) -> tuple[Dependency, ...]:
    found: list[Dependency] = []
    for index, item in enumerate(problems.sequence(value, pointer) if value is not None else []):
        here = f"{pointer}/{index}"
        if isinstance(item, str):
            found.append(Dependency(item))
        elif isinstance(item, Mapping):
            step, trigger = item.get("Step"), item.get("Trigger", "Completed")
            if trigger not in TRIGGERS:
                hint = nearest(trigger, TRIGGERS) if isinstance(trigger, str) else ""
                problems.add(f"{here}/Trigger", f"must be one of {', '.join(TRIGGERS)}{hint}")
            else:
                name = problems.text(step, f"{here}/Step")
                found.append(Dependency(name, TRIGGERS[TRIGGERS.index(trigger)]))
        else:
            problems.add(here, f"must be a step's name or an object, not {describe(item)}")
    return tuple(found)


def _property_files(value: object, pointer: str, problems: Problems) -> tuple[PropertyFile, ...]:
    found: list[PropertyFile] = []
    for index, item in enumerate(problems.sequence(value, pointer) if value is not None else []):
        here = f"{pointer}/{index}"
        entry = problems.mapping(item, here)
        if not isinstance(item, Mapping):
            continue
        found.append(
            PropertyFile(
                problems.text(entry.get("PropertyFileName"), f"{here}/PropertyFileName"),
                problems.text(entry.get("OutputName"), f"{here}/OutputName"),
                problems.text(entry.get("FilePath"), f"{here}/FilePath"),
            )
        )
    return tuple(found)


def _cache(value: object, pointer: str, problems: Problems) -> CacheConfig | None:
    if value is None:
        return None
    entry = problems.mapping(value, pointer)
    enabled, expire = entry.get("Enabled", False), entry.get("ExpireAfter")
    if not isinstance(enabled, bool):
        problems.add(f"{pointer}/Enabled", f"must be true or false, not {describe(enabled)}")
        return None
    if expire is not None:
        expire = problems.text(expire, f"{pointer}/ExpireAfter")
    return CacheConfig(enabled, expire)


def _retries(value: object, pointer: str, problems: Problems) -> tuple[RetryPolicy, ...]:
    found: list[RetryPolicy] = []
    for index, item in enumerate(problems.sequence(value, pointer) if value is not None else []):
        here = f"{pointer}/{index}"
        if not isinstance(item, Mapping):
            problems.add(here, f"must be an object, not {describe(item)}")
            continue
        kinds = item.get("ExceptionType")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            problems.add(f"{here}/ExceptionType", "must be a list of exception types")
            continue
        attempts = _number(item.get("MaxAttempts"), f"{here}/MaxAttempts", problems)
        interval = _number(item.get("IntervalSeconds"), f"{here}/IntervalSeconds", problems)
        backoff = _number(item.get("BackoffRate"), f"{here}/BackoffRate", problems)
        found.append(
            RetryPolicy(
                tuple(kinds),
                1.0 if interval is None else interval,
                2.0 if backoff is None else backoff,
                None if attempts is None else int(attempts),
                _number(item.get("ExpireAfterMin"), f"{here}/ExpireAfterMin", problems),
            )
        )
    return tuple(found)


def _number(value: object, pointer: str, problems: Problems) -> float | None:
    if value is None:
        return None
    # 1e9 is beyond every limit of the service and keeps sums of intervals finite.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e9:
        problems.add(pointer, "must be a number that is not negative")
        return None
    return float(value) if math.isfinite(value) else None
