"""Ranges of hyperparameters, as Tuning searches them; standard library only.

What is written is what the SDK's ``IntegerParameter``, ``ContinuousParameter`` and
``CategoricalParameter`` write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steps import _fragments as f
from steps._contract import Problem, Step
from steps._estimators import as_json
from steps._expressions import as_text, is_expression
from steps._jobs import Arguments

RANGE = f.one_of(
    "What is tried: whole numbers or numbers between two ends, or the values of a list.",
    f.block(
        "Numbers between two ends; whole ones where both ends are whole and no `type` differs.",
        {
            "min": f.number("The least value.", 0.01),
            "max": f.number("The greatest value.", 0.5),
            "type": f.choice(
                "What is tried: `Continuous` numbers although both ends are whole, or `Integer`.",
                "Integer",
                "Continuous",
                literal=True,
            ),
            "scale": f.choice(
                "How the range is searched.", "Auto", "Linear", "Logarithmic", "ReverseLogarithmic"
            ),
        },
        {"min": 0.01, "max": 0.5, "scale": "Logarithmic"},
        required=["min", "max"],
    ),
    f.listing("These values.", f.scalar("A value.", "gini"), ["gini", "entropy"], minItems=1),
    examples=[{"min": 2, "max": 12}, ["gini", "entropy"]],
)


def parameter_ranges(step: Step) -> Arguments:
    """Return the ParameterRanges; their values are text, in script mode the listed ones JSON."""
    made: dict[str, list[Arguments]] = {"Integer": [], "Continuous": [], "Categorical": []}
    script = "code" in step.fields
    for name, value in step.fields.get("ranges", {}).items():
        if isinstance(value, list):
            texts = [as_text(item) for item in value]
            values = [as_json(text) for text in texts] if script else texts
            made["Categorical"].append({"Name": name, "Values": values})
        else:
            ends = (value.get("min"), value.get("max"))
            kind = value.get("type") or (
                "Integer" if all(_is_whole(end) for end in ends) else "Continuous"
            )
            made[kind].append(
                {
                    "Name": name,
                    "MinValue": as_text(ends[0]),
                    "MaxValue": as_text(ends[1]),
                    "ScalingType": value.get("scale", "Auto"),
                }
            )
    return {f"{kind}ParameterRanges": ranges for kind, ranges in made.items() if ranges}


def _is_whole(value: Any) -> bool:
    return value.type == "integer" if is_expression(value) else isinstance(value, int)


def check_range(name: str, value: Any) -> Iterator[Problem]:
    """Yield what is wrong with a range: its order, a scale that does not fit it.

    API Reference, ContinuousParameterRange: logarithmic scales are for values above 0, reverse
    logarithmic ones for 0 <= x < 1.
    """
    if not isinstance(value, Mapping):
        return
    if value.get("type") == "Integer":
        for end in ("min", "max"):
            if not _is_whole(value.get(end)):
                yield Problem(
                    "bad-value",
                    ("ranges", name, end),
                    "an Integer range ends at whole numbers",
                    "write a whole number, or `type: Continuous`",
                )
    least, greatest = value.get("min"), value.get("max")
    if not isinstance(least, (int, float)) or not isinstance(greatest, (int, float)):
        return  # known only when the pipeline runs
    if least > greatest:
        message = f"the range ends at {as_text(greatest)} before it begins at {as_text(least)}"
        yield Problem("bad-value", ("ranges", name, "max"), message, "swap `min` and `max`")
    scale = value.get("scale")
    if scale == "Logarithmic" and least <= 0:
        yield Problem(
            "bad-value",
            ("ranges", name, "scale"),
            "a logarithmic scale begins above 0",
            "raise `min`, or write `scale: Linear`",
        )
    if scale == "ReverseLogarithmic" and not 0 <= least <= greatest < 1:
        yield Problem(
            "bad-value",
            ("ranges", name, "scale"),
            "a reverse logarithmic scale lies between 0 and 1, 1 left out",
            "write `scale: Linear`",
        )
