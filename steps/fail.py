"""Fail: ends the execution as failed, with a message.

The definition JSON calls its argument ``ErrorMessage`` (SageMaker Developer Guide, "Fail step").
"""

from __future__ import annotations

from collections.abc import Iterator

from steps import _fragments as f
from steps._contract import Context, Field, Kind, Problem, Step
from steps._expressions import as_text
from steps._jobs import Arguments

MAX_MESSAGE = 3072
"""SageMaker Developer Guide, "Fail step": the error message has at most 3,072 characters."""


class Fail(Kind):
    """Ends the execution."""

    name = "Fail"
    api_type = "Fail"
    summary = "End the execution as failed, with a message."
    about = (
        "The execution ends as failed, and `message` is its failure reason. References in the "
        "message say why. The step has no further effect; it usually stands in a branch of a "
        "Condition."
    )
    example = 'reject:\n  type: Fail\n  message: "precision is below ${parameters.MinPrecision}"\n'
    takes_request = False
    required = ("message",)
    fields = {
        "message": Field(
            f.text("What the execution's failure reason says.", "the model is not good enough"),
            api="ErrorMessage",
        ),
    }

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a message that is too long."""
        message = step.fields.get("message")
        if isinstance(message, str) and len(message) > MAX_MESSAGE:
            yield Problem(
                "too-long",
                ("message",),
                f"{len(message):,} characters; a message has at most {MAX_MESSAGE:,}",
            )

    def build(self, step: Step, context: Context) -> Arguments:
        """Return the step's arguments."""
        del context
        return {"ErrorMessage": as_text(step.fields.get("message", ""))}


KIND = Fail()
