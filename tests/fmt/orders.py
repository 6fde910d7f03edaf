"""The orders that these tests format with, independent of the kinds that exist today."""

from __future__ import annotations

from pipelines.cli.fmt import TOP
from pipelines.language.formatter import KeyOrder

FIRST = ("type", "display_name", "description", "depends_on", "matrix")
LAST = ("cache", "retry", "request", "step_fields")
FIELDS = {
    "Processing": ("instance", "image", "code", "arguments", "inputs", "outputs", "files"),
    "Training": ("instance", "image", "code", "hyperparameters", "inputs", "metrics"),
    "Condition": ("if", "then", "else"),
    "Fail": ("message",),
}


def step(kind: str) -> tuple[str, ...]:
    return (*FIRST, *FIELDS.get(kind, ()), *LAST)


ORDER = KeyOrder(TOP, step)
