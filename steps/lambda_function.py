"""Lambda: call a function of AWS Lambda.

Step object: the SDK's ``LambdaStep``. The function gets ``Arguments`` as its event, and returns a
map with the declared outputs (Developer Guide, "Lambda step").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steps import _fragments as f
from steps._contract import Attribute, Context, Field, Kind, NoAttribute, Problem, Step
from steps._declared_outputs import (
    output_attribute,
    output_attributes,
    output_parameters,
    outputs_field,
)
from steps._partitions import arn

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?")
_ARN = re.compile(
    r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:"
    r"[A-Za-z0-9_-]{1,140}(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?"
)
"""Lambda API Reference, Invoke: a name has at most 64 characters, and a version or alias may
follow either."""


class Lambda(Kind):
    """Calls a Lambda function."""

    name = "Lambda"
    api_type = "Lambda"
    known_as = ("Invoke", "InvokeFunction")
    takes_request = False
    summary = "Call a function of AWS Lambda and use what it returns."
    about = (
        "The function gets `arguments` as its event and answers with a map; what `outputs` names "
        "is read from that map, and `${steps.NAME.outputs.OUTPUT}` is the value. The pipeline's "
        "role must be allowed to invoke it. The service waits ten minutes at most."
    )
    example = (
        "announce:\n"
        "  type: Lambda\n"
        "  function: announce-model\n"
        '  arguments: {model: "${steps.train.model}"}\n'
        "  outputs: {ticket: String, urgent: Boolean}\n"
    )
    required = ("function",)
    cacheable = True
    fields = {
        "function": Field(
            # The published definition schema: FunctionArn is a plain text.
            f.text(
                "The function: its ARN, or its name in the environment's account and region.",
                "announce-model",
                literal=True,
            ),
            api="FunctionArn",
        ),
        "arguments": Field(
            f.named(
                "What the function is told: its event.",
                f.anything("The value.", "s3://bucket/report"),
                {"report": "s3://bucket/report", "limit": 0.9},
            ),
            api="Arguments",
        ),
        "outputs": outputs_field("What of the function's answer others may use:"),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the declared outputs."""
        return output_attributes(step)

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``outputs.NAME``."""
        return output_attribute(step, path)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a function that is neither a name nor an ARN."""
        function = step.fields.get("function")
        if isinstance(function, str) and not (
            _ARN if function.startswith("arn:") else _NAME
        ).fullmatch(function):
            yield Problem(
                "bad-value",
                ("function",),
                f"`{function}` is neither the ARN nor the name of a Lambda function",
                "such as `announce-model`, `announce-model:live`, or "
                "`arn:aws:lambda:eu-west-1:111122223333:function:announce-model`",
            )

    def build(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the function's event."""
        del context
        return dict(step.fields.get("arguments", {}))

    def members(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the function's ARN and the declared outputs."""
        function = step.fields.get("function")
        if isinstance(function, str) and not function.startswith("arn:"):
            function = arn(context.environment, "lambda", f"function:{function}")
        return {"FunctionArn": function, "OutputParameters": output_parameters(step)}


KIND = Lambda()
