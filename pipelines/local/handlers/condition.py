"""Condition: chooses a branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.conditions import ConditionError, evaluate_all
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult


class ConditionHandler(Handler):
    """Evaluates a Condition step."""

    api_type = "Condition"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Evaluate the conditions; a comparison without an answer fails the step."""
        del context
        try:
            outcome = evaluate_all(request["Conditions"])
        except ConditionError as error:
            raise StepError(f"the condition has no answer: {error}") from None
        # The API's words (botocore: ConditionOutcome).
        word = "True" if outcome else "False"
        return StepResult({"Outcome": word}, {"Condition": {"Outcome": word}}, outcome=outcome)
