"""Callback: a function or recorded outputs answer in place of whoever reads the queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._answered import AnsweredHandler, Message
from pipelines.local.handlers._contract import Call, StepContext
from pipelines.local.handlers._stand_in import example_outputs
from pipelines.local.stand_ins import StandIn, StandIns


class CallbackHandler(AnsweredHandler):
    """Asks what answers for a queue."""

    api_type = "Callback"

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what answers for the step's queue."""
        del request
        return stand_ins.queue(str(members.get("SqsQueueUrl", "")))

    def obstacle(self, call: Call) -> str:
        """Say that nothing answers for the queue."""
        if call.stand_in is not None:
            return ""
        url = str(call.members.get("SqsQueueUrl", ""))
        queue = url.rstrip("/").rpartition("/")[2] or call.step.name
        example = {"outputs": example_outputs(call.members)}
        return call.stand_ins.advice(f"the queue `{queue}`", "callbacks", queue, example)

    def message(self, request: Mapping[str, Any], context: StepContext) -> Message:
        """Return the message that the queue would get.

        Source: AWS, "Callback step": the message's keys.
        """
        token = uuid.uuid4().hex[:10]
        event = {
            "token": token,
            "pipelineExecutionArn": context.identity.execution_arn,
            "status": "Executing",
            "arguments": dict(request),
        }
        url = str(context.members.get("SqsQueueUrl", ""))
        return Message(event, {"CallbackToken": token, "SqsQueueUrl": url})
