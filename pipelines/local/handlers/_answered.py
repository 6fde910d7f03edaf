"""Steps whose outputs are somebody's answer: a function's, or of whoever reads a queue."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.local.handlers._contract import Handler, StepContext, StepError, StepResult
from pipelines.local.handlers._stand_in import answer, output_metadata, outputs_of
from pipelines.local.identity import Identity


@dataclass(frozen=True)
class Message:
    """What is sent.

    Attributes:
        event: the event or the message itself.
        about: what the step's metadata say of it.
        known: what the function's context tells besides the step's name.
    """

    event: Mapping[str, Any]
    about: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)


class AnsweredHandler(Handler):
    """Asks what stands in, and takes the outputs that the step declares."""

    # The SDK lets these steps carry a cache config; AWS's pages do not say what counts.
    cache_attributes = ("*",)

    @abstractmethod
    def message(self, request: Mapping[str, Any], context: StepContext) -> Message:
        """Return what the service would send."""

    def foresee(
        self, request: Mapping[str, Any], name: str, identity: Identity
    ) -> Mapping[str, Any]:
        """Return nothing: whoever answers decides."""
        del request, name, identity
        return {}

    def run(self, request: Mapping[str, Any], context: StepContext) -> StepResult:
        """Send the message and take the outputs of the answer."""
        message = self.message(request, context)
        metadata = {self.api_type: {**message.about, "OutputParameters": []}}
        stand_in = context.stand_in
        if stand_in is None:
            raise StepError(self.obstacle(context.call(request)), metadata)
        result, objects = answer(stand_in, message.event, message.known, context, metadata)
        outputs = outputs_of(result, context, f"`{stand_in.name}`")
        metadata[self.api_type]["OutputParameters"] = output_metadata(outputs)
        return StepResult({"OutputParameters": outputs}, metadata, outputs=objects)
