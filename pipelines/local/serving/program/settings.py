"""What the runner tells the server."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

VARIABLE = "SAGEDAG_SERVING"
"""The variable of the job that holds the settings as JSON."""


@dataclass(frozen=True)
class Settings:
    """How to serve.

    Attributes:
        port: where to listen on the loopback address; 0 for any free port.
        port_file: the file that gets the number of the port.
        workers: processes that each load the model and make one prediction at a time.
        max_bytes: the longest request; 0 for no limit.
        image: which image's defaults hold: ``sklearn``, ``xgboost`` or another word.
        code: the folder of the user's code; empty where there is none.
        script: the script's name there; empty where the image's own program serves.
        model: the folder of the model.
        content_types: the types a request may have; empty where the script decides.
        batch: whether a batch transform asks.
        drain_seconds: how long a stop waits for what is being answered.
    """

    port: int
    port_file: str
    workers: int
    max_bytes: int
    image: str
    code: str
    script: str
    model: str
    content_types: tuple[str, ...]
    batch: bool
    drain_seconds: float

    def to_json(self) -> str:
        """Return the settings as the variable holds them."""
        return json.dumps(self.__dict__)


def read_settings() -> Settings:
    """Return the settings of this process."""
    given = json.loads(os.environ.pop(VARIABLE))
    return Settings(**{**given, "content_types": tuple(given["content_types"])})
