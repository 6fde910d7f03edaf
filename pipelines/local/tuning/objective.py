"""What the trials of a tuning job are compared by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.jobs.metrics import image_metrics

_BUILT_IN = re.compile(r"(train|validation):(\w+(?:@\d+)?)")


@dataclass(frozen=True)
class Objective:
    """What trials are compared by.

    Attributes:
        metric: the metric's name.
        kind: ``Maximize`` or ``Minimize``.
        regex: how the metric is read from a log.
    """

    metric: str
    kind: str
    regex: str

    def score(self, value: float) -> float:
        """Return the value as a number of which more is better."""
        return value if self.kind == "Maximize" else -value


def objective_of(definition: Mapping[str, Any], target: Mapping[str, Any]) -> Objective | None:
    """Return a definition's objective, and how its jobs' logs tell it; None where nobody knows.

    Args:
        definition: a training job definition.
        target: MetricName and Type.
    """
    metric, kind = str(target.get("MetricName")), str(target.get("Type"))
    given = definition.get("AlgorithmSpecification", {}).get("MetricDefinitions") or ()
    parameters = definition.get("StaticHyperParameters")
    for known in (*given, *image_metrics({**definition, "HyperParameters": parameters})):
        if known.get("Name") == metric:
            return Objective(metric, kind, str(known.get("Regex")))
    built_in = _BUILT_IN.fullmatch(metric)
    if built_in is None:
        return None
    # Built-in algorithms define their own: the log's word for validation:auc is validation-auc.
    part, name = built_in.groups()
    return Objective(metric, kind, rf"{part}-{re.escape(name)}:\s*([-+]?[0-9.]+(?:[eE][-+]?\d+)?)")
