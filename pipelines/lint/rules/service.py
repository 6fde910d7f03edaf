"""Rules about what the service refuses only when the pipeline runs."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from pipelines.language.pages import Page
from pipelines.lint.model import Finding, Rule, Subject
from pipelines.lint.rules._examples import cloud, steps
from pipelines.lint.rules.security import VOLUME_KEY_REFUSED
from steps._expressions import EXPRESSIONS, Path

_NAMES = ("InputName", "OutputName", "ChannelName", "VariantName")
"""Members that name the items of a list, each once."""


def _lists(value: Any, path: Path = ()) -> Iterator[tuple[Path, list[Any]]]:
    """Yield the lists in plain data with their paths."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _lists(inner, (*path, name))
    elif isinstance(value, list) and not isinstance(value, EXPRESSIONS):
        yield path, value
        for index, inner in enumerate(value):
            yield from _lists(inner, (*path, index))


def _duplicate_name(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts:
        for path, listed in _lists(part.request.arguments):
            seen: dict[tuple[str, str], int] = {}
            for index, item in enumerate(listed):
                for member in _NAMES:
                    name = item.get(member) if isinstance(item, Mapping) else None
                    if not isinstance(name, str):
                        continue
                    first = seen.setdefault((member, name), index)
                    if first != index:
                        yield Finding(
                            _named(subject, part.place((*path, first, member)), name),
                            f"two of {path[-1]} have the {member} `{name}`",
                            "the code's own input is `code`; give yours another name"
                            if name == "code"
                            else "give one of them another name",
                            at_key=True,
                        )


def _named(subject: Subject, path: Path, name: str) -> Path:
    """Return the path of the field called ``name`` where a list is written as a map."""
    node: Any = subject.spec.tree
    for segment in path:
        entries = getattr(node, "entries", {})
        if segment not in entries:
            return path
        node = entries[segment].value
    return (*path, name) if name in getattr(node, "entries", {}) else path


DUPLICATE_NAME = Rule(
    Page(
        "duplicate-name",
        "Two inputs, outputs or channels have the same name",
        "Two items of one list in a request have the same InputName, OutputName, ChannelName or "
        "VariantName. A step with `code` has an input `code` already.",
        "The service refuses the job when the pipeline runs.",
        cloud(
            """
            pipeline: demo
            steps:
              prepare:
                type: Processing
                image: {framework: sklearn, version: 1.4-2}
                instance: ml.m5.large
                code: prepare.py
                inputs: {code: {source: "s3://{{ bucket }}/more", path: /opt/ml/processing/more}}
            """,
            {"prepare.py": "print('ready')\n"},
        ),
        cloud(
            """
            pipeline: demo
            steps:
              prepare:
                type: Processing
                image: {framework: sklearn, version: 1.4-2}
                instance: ml.m5.large
                code: prepare.py
                inputs: {more: "s3://{{ bucket }}/more"}
            """,
            {"prepare.py": "print('ready')\n"},
        ),
        level="error",
    ),
    "service",
    _duplicate_name,
)

OFFERINGS = FilePath(__file__).parents[1] / "offerings.json"


@functools.cache
def offerings() -> Mapping[str, Any]:
    """Return which regions offer which families of instances.

    Source: Amazon EC2's DescribeInstanceTypeOfferings of the commercial regions, condensed to the
    families that SageMaker's API knows. SageMaker's machines are EC2's: that a family which EC2
    lacks in a region is lacking for SageMaker there, too, is [U]; the reverse is not claimed.
    """
    made: Mapping[str, Any] = json.loads(OFFERINGS.read_bytes())
    return made


def _not_offered(subject: Subject) -> Iterator[Finding]:
    region = subject.spec.environment.region
    table = offerings()
    if region not in table["regions"]:
        return
    for part in subject.parts:
        for path, value in part.leaves:
            instance = subject.known(value)
            if not path or path[-1] != "InstanceType" or not isinstance(instance, str):
                continue
            family = instance.removeprefix("ml.").split(".")[0]
            if region not in table["missing"].get(family, ()):
                continue
            near = [r for r in table["regions"] if r not in table["missing"][family]]
            hint = "choose another family" if len(near) > 4 else f"offered in {', '.join(near)}"
            yield Finding(part.place(path), f"{region} has no `{family}` instances", hint)


INSTANCE_NOT_OFFERED = Rule(
    Page(
        "instance-not-offered",
        "The region has no such instances",
        "The environment's region offers no instances of this family, by a table that comes with "
        "this tool.",
        "The job fails when the pipeline runs. Regions get new families now and then: if yours "
        "has it already, ignore the rule at this line.",
        cloud(
            """
            pipeline: demo
            steps:
              train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                      instance: ml.p5.48xlarge}
            """
        ),
        cloud(
            """
            pipeline: demo
            steps:
              train: {type: Training, image: {framework: xgboost, version: 1.7-1},
                      instance: ml.g5.xlarge}
            """
        ),
        level="warning",
    ),
    "service",
    _not_offered,
    cloud=True,
)


def _schedule_without_value(subject: Subject) -> Iterator[Finding]:
    needed = [p.name for p in subject.spec.parameters if p.default is None]
    for name, schedule in subject.spec.schedules.items():
        if not isinstance(schedule, Mapping) or schedule.get("enabled") is False:
            continue
        given = schedule.get("parameters") or {}
        for parameter in needed:
            if parameter not in given:
                yield Finding(
                    ("schedules", name),
                    f"the schedule `{name}` has no value for the parameter `{parameter}`",
                    f"write `parameters: {{{parameter}: …}}` in it, or give the parameter a "
                    "default",
                    at_key=True,
                )


SCHEDULE_WITHOUT_VALUE = Rule(
    Page(
        "schedule-without-value",
        "A schedule starts the pipeline without a parameter that it needs",
        "A parameter has no default, and a schedule gives no value for it.",
        "The service refuses every start of that schedule, and nobody is there to see it.",
        steps(
            'stop: {type: Fail, message: "${parameters.Night}"}',
            """
            parameters: {Night: {type: String}}
            schedules: {nightly: {cron: "0 3 * * ? *"}}
            """,
            aws=False,
        ),
        steps(
            'stop: {type: Fail, message: "${parameters.Night}"}',
            """
            parameters: {Night: {type: String}}
            schedules: {nightly: {cron: "0 3 * * ? *", parameters: {Night: last}}}
            """,
            aws=False,
        ),
        level="error",
    ),
    "service",
    _schedule_without_value,
)

RULES = (DUPLICATE_NAME, VOLUME_KEY_REFUSED, INSTANCE_NOT_OFFERED, SCHEDULE_WITHOUT_VALUE)
