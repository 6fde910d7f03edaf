"""One handler for each API type of step. A new type is one file and one line here."""

from __future__ import annotations

from pipelines.local.handlers._contract import (
    Call,
    Handler,
    StepContext,
    StepError,
    StepResult,
    StepStopped,
)
from pipelines.local.handlers.callback import CallbackHandler
from pipelines.local.handlers.checks import ClarifyCheckHandler, QualityCheckHandler
from pipelines.local.handlers.cleanup import CleanupHandler
from pipelines.local.handlers.condition import ConditionHandler
from pipelines.local.handlers.elsewhere import ELSEWHERE, ElsewhereHandler
from pipelines.local.handlers.endpoints import (
    EndpointConfigHandler,
    EndpointHandler,
    InferenceComponentHandler,
)
from pipelines.local.handlers.fail import FailHandler
from pipelines.local.handlers.lambda_function import LambdaHandler
from pipelines.local.handlers.lineage import LineageHandler
from pipelines.local.handlers.model import ModelHandler
from pipelines.local.handlers.processing import ProcessingHandler
from pipelines.local.handlers.register_model import RegisterModelHandler
from pipelines.local.handlers.training import TrainingHandler
from pipelines.local.handlers.transform import TransformHandler
from pipelines.local.handlers.tuning import TuningHandler

HANDLERS: dict[str, Handler] = {
    handler.api_type: handler
    for handler in (
        ProcessingHandler(),
        TrainingHandler(),
        TuningHandler(),
        TransformHandler(),
        ConditionHandler(),
        FailHandler(),
        ModelHandler(),
        RegisterModelHandler(),
        QualityCheckHandler(),
        ClarifyCheckHandler(),
        EndpointConfigHandler(),
        EndpointHandler(),
        InferenceComponentHandler(),
        LambdaHandler(),
        CallbackHandler(),
        CleanupHandler(),
        LineageHandler(),
        *(ElsewhereHandler(kind) for kind in ELSEWHERE),
    )
}

# Kinds whose handlers do themselves what a stand-in says, inside the job or with typed outputs.
_OWN = frozenset({"Processing", "Training", "Lambda", "Callback"})


def handler_of(kind: str, stand_in: bool) -> Handler:
    """Return what runs a step.

    Args:
        kind: its API type.
        stand_in: whether the handlers file names something for the step.
    """
    handler = HANDLERS.get(kind)
    if handler is None or (stand_in and kind not in _OWN):
        return ElsewhereHandler(kind)
    return handler


__all__ = [
    "HANDLERS",
    "Call",
    "Handler",
    "StepContext",
    "StepError",
    "StepResult",
    "StepStopped",
    "handler_of",
]
