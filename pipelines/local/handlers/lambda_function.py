"""Lambda: a function of the handlers file in a job, in place of the one in the cloud."""

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


class LambdaHandler(Handler):
    """Calls what stands in for a Lambda function."""

    api_type = "Lambda"
    # The SDK lets a LambdaStep carry a cache config; AWS's pages do not say what counts.
    cache_attributes = ("*",)

    def stand_in(
        self, request: Mapping[str, Any], members: Mapping[str, Any], stand_ins: StandIns
    ) -> StandIn | None:
        """Return what stands in for the step's function."""
        del request
        return stand_ins.function(str(members.get("FunctionArn", "")))

    def obstacle(
        self,
        step: Step,
        request: Mapping[str, Any],
        members: Mapping[str, Any],
        stand_in: StandIn | None,
        stand_ins: StandIns,
    ) -> str:
        """Say that nothing stands in for the function."""
        del step, request
        if stand_in is not None:
            return ""
        name = str(members.get("FunctionArn", "")).rpartition(":function:")[2]
        name = name.partition(":")[0]
        example = {"outputs": example_outputs(members)}
        return stand_ins.advice(f"the Lambda function `{name}`", "lambdas", name, example)

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return nothing: the function decides."""
        del request, name, identity
        return {}

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Call the function with the step's arguments as its event."""
        arn = str(context.members.get("FunctionArn", ""))
        name = arn.partition(":function:")[2] or arn
        metadata: dict[str, Any] = {"Lambda": {"Arn": arn, "OutputParameters": []}}
        stand_in = context.stand_in
        if stand_in is None:
            given = (context.step, request, context.members, None, context.stand_ins)
            raise StepError(self.obstacle(*given), metadata)
        known = {
            "function_name": name.partition(":")[0],
            "invoked_function_arn": arn,
            "aws_request_id": str(uuid.uuid4()),
        }
        result, objects = answer(stand_in, dict(request), known, context, metadata)
        outputs = outputs_of(result, context, f"`{stand_in.name}`")
        metadata["Lambda"]["OutputParameters"] = output_metadata(outputs)
        return StepResult({"OutputParameters": outputs}, metadata, outputs=objects)
