"""ForEach: runs its steps once for every item of a list.

The SDK's ``ForEachStep`` says what the arguments hold and what may stand in a body; it neither
caches nor retries. The steps themselves belong to the language; this kind only names the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._expressions import UNKNOWN, ExprType, LoopRef, PropertyRef, is_expression
from steps._jobs import Arguments
from steps._json_text import json_text

MAX_ITEMS = 100
"""The SDK's ``MAX_LITERAL_ITERABLE_ITEMS``."""
MAX_CONCURRENCY = 50
"""The SDK's ``MAX_CONCURRENCY_MAX``."""
_PROPERTIES: dict[str, ExprType] = {
    "Status": "string",
    "InputItemCount": "integer",
    "TotalStepCount": "integer",
    "SucceededStepCount": "integer",
    "FailedStepCount": "integer",
    "StoppedStepCount": "integer",
}
_VALUE = f.text("A value of a step of the body.", "${steps.evaluate.properties.ExitMessage}")


class ForEach(Kind):
    """Runs steps for every item."""

    name = "ForEach"
    api_type = "ForEach"
    summary = "Run steps once for every item of a list."
    about = (
        "The steps below `steps` run for every item of `items`; the number of rounds need not be "
        "known before the pipeline runs. Where it is known and each round should be a step of its "
        "own, with its own line in the graph, `matrix` repeats a step when the definition is "
        "compiled.\n\n"
        "`items` is a list of at most 100 texts, numbers or maps, or a reference to a text that is "
        "a JSON list: a parameter, or what an earlier step wrote. In the body `${item}` is the "
        "item, and `${item.field}` a field of an item that is a map. Steps of the body refer to "
        "each other as usual, and to steps outside; their default places in S3 hold the job's "
        "name, so that rounds do not overwrite each other.\n\n"
        "`max_concurrency` bounds how many steps of the loop run at once, over all rounds. Each "
        "round's steps are called `STEP-0`, `STEP-1` and so on.\n\n"
        "From outside, a value is asked for with its round: `iterations[0]` is the first one. "
        "`select` names a value of a step in the body and chooses the round where it is greatest "
        "or least; `selected` is that step in that round: fit several models, and register the "
        "one with the least loss. The steps of the body can't be referred to directly. No "
        "Condition, Fail or ForEach stands in a body."
    )
    example = (
        "candidates:\n"
        "  type: ForEach\n"
        "  items: [{depth: 4, night: monday}, {depth: 8, night: tuesday}]\n"
        "  max_concurrency: 2\n"
        "  steps:\n"
        "    fit:\n"
        "      type: Training\n"
        "      image: {framework: xgboost, version: 1.7-1}\n"
        "      instance: ml.m5.large\n"
        '      hyperparameters: {max_depth: "${item.depth}", num_round: 100}\n'
        '      inputs: {train: "s3://bucket/${item.night}/train"}\n'
        '  select: {min: "${steps.fit.properties.FinalMetricDataList[0].Value}"}\n'
        "register:\n"
        "  type: RegisterModel\n"
        "  group: pulsar\n"
        '  model: "${steps.candidates.selected.model}"\n'
        "  image: {framework: xgboost, version: 1.7-1}\n"
    )
    offers = {
        "iterations[0].STEP.…": "a value of a step of the body, in the first round",
        "selected.…": "a value of the step that `select` compares, in the chosen round",
    }
    takes_request = False
    required = ("items",)
    fields = {
        "items": Field(
            f.one_of(
                "The items: a list, or a reference to a text that is a JSON list.",
                f.text("A reference.", "${parameters.Nights}"),
                f.listing(
                    "Items; a map becomes JSON, and its fields are `${item.field}`.",
                    f.one_of(
                        "An item.",
                        f.scalar("A value.", "monday"),
                        {
                            "type": "object",
                            "description": "A map.",
                            "examples": [{"night": "monday"}],
                        },
                        examples=["monday", {"night": "monday"}],
                    ),
                    ["monday", "tuesday"],
                    minItems=1,
                    maxItems=MAX_ITEMS,
                ),
                examples=[["monday", "tuesday"], "${parameters.Nights}"],
            ),
            api="IterableItems",
        ),
        "max_concurrency": Field(
            f.integer(
                "How many steps of the loop run at once, at most.",
                4,
                minimum=1,
                maximum=MAX_CONCURRENCY,
                literal=True,
            ),
            api="MaxConcurrency",
            default="1",
        ),
        "steps": Field(
            {
                "type": "object",
                "additionalProperties": {"$ref": "#/definitions/step"},
                "description": "The steps that run for every item.",
                "examples": [{"fold": {"type": "Processing", "code": "code/fold.py"}}],
            },
            api="ForEachBody",
        ),
        "select": Field(
            f.block(
                "Which round `selected` means: the one with the greatest or least value.",
                {"max": _VALUE, "min": _VALUE},
                {"max": "${steps.evaluate.properties.ExitMessage}"},
            ),
            api="Selector",
            replace=True,
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the rounds' values, the selected round's, and the counts."""
        selected: dict[str, None] = {"selected": None} if "select" in step.fields else {}
        return {"iterations": None, **selected, "properties": list(_PROPERTIES)}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``properties.NAME``; the rounds' values are the language's."""
        if path[0] != "properties":
            return super().attribute(step, path)
        if len(path) == 1 or path[1] not in _PROPERTIES:
            what = f"no property `{path[1]}`" if len(path) > 1 else "several properties"
            return NoAttribute(min(1, len(path) - 1), f"a ForEach has {what}", list(_PROPERTIES))
        name = str(path[1])
        return Attribute(PropertyRef(step.name, (name,), type=_PROPERTIES[name]), path[2:])

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield items that are no list, and a selection that compares nothing."""
        items = step.fields.get("items")
        if isinstance(items, str):
            yield Problem(
                "bad-value",
                ("items",),
                f"`{items}` is one value, not a list of items",
                "write a list, or refer to a text that is a JSON list: `${parameters.NAME}`",
            )
        select = step.fields.get("select")
        if select is None:
            return
        if len(select) != 1:
            yield Problem(
                "needs-one-of", ("select",), "`select` has either `max` or `min`", at_key=True
            )
        for way, value in select.items():
            if not isinstance(value, LoopRef) and value is not UNKNOWN:
                yield Problem(
                    "bad-value",
                    ("select", way),
                    "this is the same in every round",
                    "compare a value of a step in the body: `${steps.STEP.…}`",
                )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the arguments but for the body."""
        del context
        items = step.fields.get("items")
        made: Arguments = {
            "IterableItems": [_item(item) for item in items] if isinstance(items, list) else items,
            "MaxConcurrency": step.fields.get("max_concurrency", 1),
        }
        for way, value in (step.fields.get("select") or {}).items():
            made["Selector"] = {"Pick": f"{way.title()}By", "Field": value}
        return made


def _item(value: Any) -> Any:
    """Return an item: a map as JSON text."""
    if isinstance(value, Mapping) and not is_expression(value):
        return json_text(value)
    return value


KIND = ForEach()
