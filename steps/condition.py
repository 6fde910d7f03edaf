"""Condition: takes one of two branches.

The definition JSON holds ``Conditions``, ``IfSteps`` and ``ElseSteps`` (SageMaker Developer Guide,
"Condition step"). The expression itself belongs to the language; this kind only names its fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Step
from steps._expressions import PropertyRef
from steps._jobs import Arguments


class Condition(Kind):
    """Chooses a branch."""

    name = "Condition"
    api_type = "Condition"
    summary = "Compare values and go on with one of two branches."
    about = (
        "The steps in `then` run where the expression `if` holds, those in `else` where it does "
        "not. The steps of a branch can be referred to from the same branch only. `sagedag "
        "explain conditions` describes the expression."
    )
    example = (
        "good-enough:\n"
        "  type: Condition\n"
        "  if: steps.evaluate.files.metrics.accuracy >= 0.95\n"
        "  then:\n"
        '    register: {type: RegisterModel, group: pulsar, model: "${steps.train.model}"}\n'
        "  else:\n"
        "    reject: {type: Fail, message: not good enough}\n"
    )
    takes_request = False
    required = ("if",)
    fields = {
        "if": Field(
            {
                "type": ["string", "boolean"],
                "description": "A boolean expression over references: `== != < <= > >= in not-in "
                "and or not ( )`; no `${}` needed.",
                "examples": ["steps.evaluate.files.metrics.accuracy >= 0.95"],
            },
            api="Conditions",
        ),
        "then": Field(
            {
                "type": "object",
                "additionalProperties": {"$ref": "#/definitions/step"},
                "description": "Steps that run where the expression holds.",
                "examples": [{"reject": {"type": "Fail", "message": "too small"}}],
            },
            api="IfSteps",
        ),
        "else": Field(
            {
                "type": "object",
                "additionalProperties": {"$ref": "#/definitions/step"},
                "description": "Steps that run where it does not.",
                "examples": [{"reject": {"type": "Fail", "message": "too small"}}],
            },
            api="ElseSteps",
        ),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the outcome."""
        del step
        return {"outcome": []}

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``outcome``: the text True or False."""
        if path[0] == "outcome":
            return Attribute(PropertyRef(step.name, ("Outcome",), meaning="outcome"), path[1:])
        return super().attribute(step, path)

    def build(self, step: Step, context: Context) -> Arguments:
        """Return no arguments: the conditions and branches are lowered by the language."""
        del step, context
        return {}


KIND = Condition()
