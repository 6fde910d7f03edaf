"""Callback: a function or recorded outputs answer in place of whoever reads the queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from pipelines.definition import Step
from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._stand_in import (
    answer,
    example_outputs,
    output_metadata,
    outputs_of,
)
from pipelines.local.identity import Identity
from pipelines.local.stand_ins import StandIn, StandIns


class CallbackHandler(Handler):
    """Asks what answers for a queue."""

    api_type = "Callback"
    # The SDK lets a CallbackStep carry a cache config; AWS's pages do not say what counts.
    cache_attributes = ("*",)

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what answers for the step's queue."""
        del request
        return stand_ins.queue(str(members.get("SqsQueueUrl", "")))

    def obstacle(
        self,
        step: Step,
        request: Mapping[str, Any],
        members: Mapping[str, Any],
        stand_in: StandIn | None,
        stand_ins: StandIns,
    ) -> str:
        """Say that nothing answers for the queue."""
        del request
        if stand_in is not None:
            return ""
        url = str(members.get("SqsQueueUrl", ""))
        queue = url.rstrip("/").rpartition("/")[2] or step.name
        example = {"outputs": example_outputs(members)}
        return stand_ins.advice(f"the queue `{queue}`", "callbacks", queue, example)

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return nothing: whoever answers decides."""
        del request, name, identity
        return {}

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Send the message that the queue would get, and take the outputs of the answer.

        Source: AWS, "Callback step": the message's keys.
        """
        url = str(context.members.get("SqsQueueUrl", ""))
        token = uuid.uuid4().hex[:10]
        metadata: dict[str, Any] = {
            "Callback": {"CallbackToken": token, "SqsQueueUrl": url, "OutputParameters": []}
        }
        stand_in = context.stand_in
        if stand_in is None:
            given = (context.step, request, context.members, None, context.stand_ins)
            raise StepError(self.obstacle(*given), metadata)
        message = {
            "token": token,
            "pipelineExecutionArn": context.identity.execution_arn,
            "status": "Executing",
            "arguments": dict(request),
        }
        result, objects = answer(stand_in, message, {}, context, metadata)
        outputs = outputs_of(result, context, f"`{stand_in.name}`")
        metadata["Callback"]["OutputParameters"] = output_metadata(outputs)
        return StepResult({"OutputParameters": outputs}, metadata, outputs=objects)
