"""Fail: ends the execution with a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult

# botocore: FailStepMetadata.ErrorMessage is a String3072.
MAX_MESSAGE = 3072


class FailHandler(Handler):
    """Fails on purpose."""

    api_type = "Fail"

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Raise the step's message."""
        message = request.get("ErrorMessage")
        text = message if isinstance(message, str) else ""
        if len(text) > MAX_MESSAGE:
            context.say(f"the message is cut to {MAX_MESSAGE} characters")
            text = text[:MAX_MESSAGE]
        raise StepError(text, {"Fail": {"ErrorMessage": text}})
