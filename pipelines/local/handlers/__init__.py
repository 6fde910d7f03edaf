"""One handler for each API type of step. A new type is one file and one line here."""

from __future__ import annotations

from pipelines.local.handlers._contract import (
    Handler,
    StepContext,
    StepError,
    StepResult,
    StepStopped,
)
from pipelines.local.handlers.condition import ConditionHandler
from pipelines.local.handlers.fail import FailHandler
from pipelines.local.handlers.model import ModelHandler
from pipelines.local.handlers.processing import ProcessingHandler
from pipelines.local.handlers.register_model import RegisterModelHandler
from pipelines.local.handlers.training import TrainingHandler
from pipelines.local.handlers.tuning import TuningHandler

HANDLERS: dict[str, Handler] = {
    handler.api_type: handler
    for handler in (
        ProcessingHandler(),
        TrainingHandler(),
        TuningHandler(),
        ConditionHandler(),
        FailHandler(),
        ModelHandler(),
        RegisterModelHandler(),
    )
}

__all__ = ["HANDLERS", "Handler", "StepContext", "StepError", "StepResult", "StepStopped"]
