"""Clarify's comparison of an analysis with a baseline's.

Sources: Amazon SageMaker Developer Guide, "Bias Drift Violations", "Model Feature Attribution Drift
Violations" and "Feature attribution drift for models in production" (nDCG).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .bias import IDEAL

ATTRIBUTION_THRESHOLD = 0.9
"""Lowest nDCG score that is no violation."""

_SECTIONS = ("pre_training_bias_metrics", "post_training_bias_metrics")
TOLERANCE = 1e-12


def find_violations(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, str]]:
    """Compare the content of ``analysis.json`` with a baseline's."""
    return [*_bias(now, before), *_attribution(now, before)]


def _bias(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield metrics that are farther from what is free of bias than the baseline's were."""
    for section in _SECTIONS:
        known = dict(_metrics(before.get(section)))
        for place, value in _metrics(now.get(section)):
            if place not in known:
                continue
            facet, facet_value, name = place
            ideal = IDEAL.get(name, 0.0)
            if abs(value - ideal) > abs(known[place] - ideal) + TOLERANCE:
                yield {
                    "facet": facet,
                    "facet_value": facet_value,
                    "metric_name": name,
                    "constraint_check_type": "bias_drift_check",
                    # [U] The words are ours; the guide's example has only others like them.
                    "description": f"Value {value} exceeds threshold {known[place]}",
                }


def _metrics(section: Any) -> Iterator[tuple[tuple[str, str, str], float]]:
    facets = section.get("facets") if isinstance(section, Mapping) else None
    for facet, entries in (facets or {}).items():
        for entry in entries:
            for metric in entry["metrics"]:
                value = _number(metric.get("value"))
                if value is not None:
                    words = str(entry["value_or_threshold"])
                    # The highest value of the data moves with them; the threshold does not.
                    words = words.split(",")[0] if words.startswith("(") else words
                    yield (str(facet), words, str(metric["name"])), value


def _number(value: Any) -> float | None:
    """Read a number; those that JSON has not are written as texts."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def ndcg(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Return how well the features' order fits the baseline's.

    The baseline's attributions count by their place in today's order, Σ a_i / log₂(i + 1), beside
    the same sum in their own order.
    """
    names = [name for name in before if name in now]
    today = sorted(names, key=lambda name: -now[name])
    best = sorted(names, key=lambda name: -before[name])
    ideal = _gain(before, best)
    return _gain(before, today) / ideal if ideal else 1.0


def _gain(values: Mapping[str, float], order: list[str]) -> float:
    return sum(values[name] / math.log2(place + 2) for place, name in enumerate(order))


def _attribution(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    known = (before.get("explanations") or {}).get("kernel_shap") or {}
    for label, entry in ((now.get("explanations") or {}).get("kernel_shap") or {}).items():
        if label not in known:
            continue
        score = ndcg(known[label]["global_shap_values"], entry["global_shap_values"])
        if score < ATTRIBUTION_THRESHOLD:
            yield {
                "label": str(label),
                "metric_name": "shap",
                "constraint_check_type": "feature_attribution_drift_check",
                "description": f"Feature attribution drift {score} exceeds threshold "
                f"{ATTRIBUTION_THRESHOLD}",
            }
