"""Callback: wait for somebody else's work.

Step object: the SDK's ``CallbackStep``. The message in the queue holds ``Arguments`` and a token;
whoever takes it answers with SendPipelineExecutionStepSuccess or …Failure (Developer Guide,
"Callback step").
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
from steps._partitions import queue_url

MAX_OUTPUTS = 50
"""SendPipelineExecutionStepSuccess, OutputParameters: at most 50 items."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
"""SQS API Reference, CreateQueue: at most 80 letters, digits, hyphens and underscores; those of a
FIFO queue end in ``.fifo``."""
_URL = re.compile(r"https://[^\s/]+/[0-9]{12}/(?:[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)")


class Callback(Kind):
    """Puts a message into a queue and waits for the answer."""

    name = "Callback"
    api_type = "Callback"
    known_as = ("SendMessage",)
    takes_request = False
    summary = "Hand work to somebody else by a queue, and wait for the answer."
    about = (
        "The service puts a message into the SQS queue: a token, `arguments`, and which execution "
        "and step it comes from. The step waits until somebody answers with the token, by "
        "SendPipelineExecutionStepSuccess (with the values of `outputs`) or "
        "SendPipelineExecutionStepFailure; `${steps.NAME.outputs.OUTPUT}` is a value of the answer."
    )
    example = (
        "review:\n"
        "  type: Callback\n"
        "  queue: reviews\n"
        '  arguments: {report: "${steps.evaluate.outputs.report}"}\n'
        "  outputs: [verdict]\n"
    )
    required = ("queue",)
    cacheable = True
    fields = {
        "queue": Field(
            # The published definition schema: SqsQueueUrl is a plain text.
            f.text(
                "The SQS queue: its URL, or its name in the environment's account and region.",
                "reviews",
                literal=True,
            ),
            api="SqsQueueUrl",
        ),
        "arguments": Field(
            f.named(
                "What the message says.",
                f.anything("The value.", "s3://bucket/report"),
                {"report": "s3://bucket/report"},
            ),
            api="Arguments",
        ),
        "outputs": outputs_field("What the answer brings:", maxProperties=MAX_OUTPUTS),
    }

    def attributes(self, step: Step) -> Mapping[str, Sequence[str] | None]:
        """Offer the declared outputs."""
        return output_attributes(step)

    def attribute(self, step: Step, path: tuple[str | int, ...]) -> Attribute | NoAttribute:
        """Resolve ``outputs.NAME``."""
        return output_attribute(step, path)

    def check(self, step: Step) -> Iterator[Problem]:
        """Yield a queue that is neither a name nor a URL."""
        queue = step.fields.get("queue")
        if isinstance(queue, str) and not _NAME.fullmatch(queue) and not _URL.fullmatch(queue):
            yield Problem(
                "bad-value",
                ("queue",),
                f"`{queue}` is neither the URL nor the name of an SQS queue",
                "such as `reviews` or `https://sqs.eu-west-1.amazonaws.com/111122223333/reviews`",
            )

    def build(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the message's contents."""
        del context
        return dict(step.fields.get("arguments", {}))

    def members(self, step: Step, context: Context) -> Mapping[str, Any]:
        """Return the queue's URL and the declared outputs."""
        queue = step.fields.get("queue")
        if isinstance(queue, str) and _NAME.fullmatch(queue):
            queue = queue_url(context.environment, queue)
        return {"SqsQueueUrl": queue, "OutputParameters": output_parameters(step)}


KIND = Callback()
