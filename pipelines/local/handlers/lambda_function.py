"""Lambda: a function of the handlers file in a job, in place of the one in the cloud."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from pipelines.local.handlers._answered import AnsweredHandler, Message
from pipelines.local.handlers._contract import Call, StepContext
from pipelines.local.handlers._stand_in import example_outputs
from pipelines.local.stand_ins import StandIn, StandIns


class LambdaHandler(AnsweredHandler):
    """Calls what stands in for a Lambda function."""

    api_type = "Lambda"

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the step's function."""
        del request
        return stand_ins.function(str(members.get("FunctionArn", "")))

    def obstacle(self, call: Call) -> str:
        """Say that nothing stands in for the function."""
        if call.stand_in is not None:
            return ""
        name = str(call.members.get("FunctionArn", "")).rpartition(":function:")[2]
        name = name.partition(":")[0]
        example = {"outputs": example_outputs(call.members)}
        return call.stand_ins.advice(f"the Lambda function `{name}`", "lambdas", name, example)

    def message(self, request: Mapping[str, Any], context: StepContext) -> Message:
        """Return the step's arguments as the function's event."""
        arn = str(context.members.get("FunctionArn", ""))
        name = arn.partition(":function:")[2] or arn
        known = {
            "function_name": name.partition(":")[0],
            "invoked_function_arn": arn,
            "aws_request_id": str(uuid.uuid4()),
        }
        return Message(dict(request), {"Arn": arn}, known)
