"""MonitorBatchTransform: a batch transform and a check of what goes in or comes out.

It becomes two steps, as the SDK's ``MonitorBatchTransformStep`` does, called after its own key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from steps import _fragments as f
from steps._contract import Changed, Context, Field, Kind, Part, Problem, Short, Step, Taken
from steps._expressions import Path
from steps._jobs import Arguments

_SUFFIXES = {"transform": "-transform", "monitor": "-monitoring"}
_FIRST = ("data_quality", "model_explainability")
"""Checks that need no predictions (SDK ``MonitorBatchTransformStep``)."""
_OUTER = ("display_name", "description", "depends_on")
_INNER = (*_OUTER, "cache", "retry", "request", "step_fields")


class MonitorBatchTransform(Kind):
    """Runs a batch transform and a check.

    Args:
        transform: the kind of the transform.
        checks: the kinds of checks; the value of ``check`` says which one is meant.
    """

    name = "MonitorBatchTransform"
    api_type = ""
    summary = "Run a batch transform, and check what goes in or comes out."
    about = (
        "It becomes two steps: `KEY-transform` with what stands under `transform`, which are the "
        "fields of a Transform step, and `KEY-monitoring` with what stands under `monitor`, which "
        "are those of a QualityCheck or ClarifyCheck step; `check` says which, and `type` may "
        "say it as well. Others refer to them by those names: `${steps.KEY-transform.output}`, "
        "`${steps.KEY-monitoring.calculated.constraints}`. `defaults` reach the two as they reach "
        "any step of their kinds.\n\n"
        "The check waits for the transform. With `monitor_first: true` the transform waits for the "
        "check, so that bad data are never predicted on; that is for checks of what goes in, "
        "`data_quality` and `model_explainability`."
    )
    example = (
        "nightly:\n"
        "  type: MonitorBatchTransform\n"
        "  monitor_first: true\n"
        "  transform:\n"
        '    model: "${steps.create-model.model}"\n'
        "    instance: ml.m5.large\n"
        "    input: {source: s3://bucket/candidates, content_type: text/csv, split_type: Line}\n"
        "  monitor:\n"
        "    check: data_quality\n"
        "    instance: ml.m5.large\n"
        "    dataset: {source: s3://bucket/candidates, header: false}\n"
        "    group: pulsar\n"
    )
    takes_request = False
    takes_step_fields = False
    required = ("transform", "monitor")
    part_suffixes = tuple(_SUFFIXES.values())

    def __init__(self, transform: Kind, *checks: Kind) -> None:
        """Take over the fields of the kinds that the two steps are of."""
        self.checks = checks
        self.fields = {
            "transform": _whole(
                "The transform: the fields of a Transform step.",
                {"model": "pulsar-7", "input": "s3://bucket/candidates"},
                transform,
            ),
            "monitor": _whole(
                "The check: the fields of a QualityCheck or ClarifyCheck step.",
                {"check": "data_quality", "dataset": "s3://bucket/candidates"},
                *checks,
            ),
            "monitor_first": Field(
                f.boolean("Check before the transform starts.", True, literal=True),
                default="false",
            ),
        }

    def unfold(self, step: Step) -> Sequence[Part | Changed]:
        """Return the transform and the check, of which one waits for the other."""
        kind = self._kind_of(step)
        if kind is None or any(True for _ in self.check(step)):
            return ()  # which is told when the step is checked
        first = "monitor" if step.fields.get("monitor_first") is True else "transform"
        return [
            _part(step, "transform", "Transform", first),
            _part(step, "monitor", kind.name, first),
        ]

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a check that is none, or one that can't come first."""
        check = step.fields.get("monitor", {}).get("check")
        kind = self._kind_of(step)
        yield from _stated(step, "transform", "Transform")
        if kind is not None:
            yield from _stated(step, "monitor", kind.name)
        if check is None:
            yield Problem(
                "missing-key",
                ("monitor",),
                "missing key `check`",
                f"one of {', '.join(self._names())}",
                at_key=True,
            )
        elif kind is None:
            yield Problem(
                "bad-value",
                ("monitor", "check"),
                f"`{check}` is not one of {', '.join(self._names())}",
            )
        elif step.fields.get("monitor_first") is True and check not in _FIRST:
            yield Problem(
                "needs-another",
                ("monitor_first",),
                f"`check: {check}` looks at predictions, which are not there before the transform",
                f"it may be true for {' and '.join(_FIRST)}",
                at_key=True,
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return nothing: it is the two steps that have arguments."""
        del step, context
        return {}

    def _names(self) -> list[str]:
        return [name for kind in self.checks for name in _choices(kind)]

    def _kind_of(self, step: Step) -> Kind | None:
        check = step.fields.get("monitor", {}).get("check")
        return next((kind for kind in self.checks if check in _choices(kind)), None)


def _stated(step: Step, field: str, kind: str) -> Iterator[Problem]:
    """Yield a `type` that says something else than what the part is."""
    stated = step.fields.get(field, {}).get("type")
    if stated not in (None, kind):
        message = f"what stands under `{field}` here is a {kind}, not a {stated}"
        hint = f"leave `type` out, or write `type: {kind}`"
        yield Problem("bad-value", (field, "type"), message, hint)


def _choices(kind: Kind) -> Sequence[str]:
    names: Sequence[str] = kind.fields["check"].schema["x-choice"]
    return names


def _whole(description: str, example: Any, *kinds: Kind) -> Field:
    """Return a field that holds all fields of a step, which is of one of the kinds.

    Its members are those of the kinds; where two understand a member differently, it takes what
    the one or the other takes, and the part's own kind judges it.
    """
    said = f"What it is, which need not be said: {' or '.join(kind.name for kind in kinds)}."
    parts: dict[str, f.Schema] = {"type": f.text(said, kinds[0].name, literal=True)}
    shorts: dict[str, Short] = {}
    for kind in kinds:
        tail = [name for name in _INNER if name != "retry" or kind.retries]
        for name in (*kind.fields, *tail):
            field = kind.fields.get(name)
            schemas = [dict(k.fields[name].schema) for k in kinds if name in k.fields]
            if any(schema != schemas[0] for schema in schemas):
                parts[name] = reduce(_either, schemas)
            else:
                parts.setdefault(name, {"$ref": f"#/definitions/{kind.name}/properties/{name}"})
            if field is not None and field.short is not None:
                shorts[name] = field.short
    return Field(f.block(description, parts, example), short=Short(members=shorts))


def _either(one: f.Schema, other: f.Schema) -> f.Schema:
    """Return a schema that takes what the one or the other takes."""
    if "x-choice" in one:
        names = dict.fromkeys([*one["x-choice"], *other["x-choice"]])
        description = one["description"].partition(" One of ")[0]
        return f.choice(description, *names, literal="x-literal" in one)
    made = dict(one)
    if "anyOf" in one:
        made["anyOf"] = [_either(*pair) for pair in zip(one["anyOf"], other["anyOf"], strict=True)]
    if "properties" in one:
        made["properties"] = dict(other["properties"])
        for name, schema in one["properties"].items():
            known = other["properties"].get(name, schema)
            made["properties"][name] = schema if known == schema else _either(schema, known)
    return made


def _part(step: Step, field: str, kind: str, first: str) -> Part:
    """Return one of the two steps; what the step says for both is handed on."""
    own = step.fields[field]
    name = f"{step.name}{_SUFFIXES[field]}"
    fields: dict[str, Any] = {}
    if "display_name" in step.fields:
        fields["display_name"] = f"{step.fields['display_name']}{_SUFFIXES[field]}"
    fields["description"] = Taken(("description",))
    fields.update({key: Taken((field, key)) for key in own if key not in ("type", "depends_on")})
    waits: list[Any] = []
    if field == first:
        waits += _items(step.fields.get("depends_on"), ("depends_on",))
    else:
        waits.append(f"{step.name}{_SUFFIXES[first]}")
    waits += _items(own.get("depends_on"), (field, "depends_on"))
    if waits:
        fields["depends_on"] = waits
    return Part(name, kind, fields)


def _items(given: Any, path: Path) -> list[Taken]:
    """Return the items of a ``depends_on``, each with its place."""
    if isinstance(given, list):
        return [Taken((*path, index)) for index in range(len(given))]
    return [] if given is None else [Taken(path)]
