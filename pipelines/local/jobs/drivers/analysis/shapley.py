"""Kernel SHAP: how much each feature moves a model's answer away from that to a baseline.

Source: Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions" (2017): Shapley
values are the weighted least squares fit of the answers to coalitions, with the kernel
(M - 1) / (C(M, |z|) · |z| · (M - |z|)), under the condition that they sum to the whole difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Model = Callable[[Any], Any]
"""Gives answers, one row of numbers (one a label) for each row of features."""


@dataclass(frozen=True)
class Coalitions:
    """Which features are taken from the explained row, and what each choice weighs."""

    masks: Any
    weights: Any


def coalitions(features: int, samples: int, seed: int) -> Coalitions:
    """Choose coalitions: all of them where there are no more than samples, else at random.

    With all of them the result is exact. Sampled ones come in pairs of a coalition and the rest,
    their sizes by the kernel.
    """
    import numpy

    if features == 1:
        return Coalitions(numpy.zeros((0, 1), dtype=bool), numpy.zeros(0))
    if 2**features - 2 <= samples:
        numbers = numpy.arange(1, 2**features - 1)
        masks = (numbers[:, None] >> numpy.arange(features)) & 1 == 1
        sizes = masks.sum(axis=1)
        weights = numpy.array([_kernel(features, int(size)) for size in sizes])
        return Coalitions(masks, weights)
    chance = numpy.random.default_rng(seed)
    sizes = numpy.arange(1, features)
    chances = (features - 1) / (sizes * (features - sizes))
    counted: dict[bytes, int] = {}
    for size in chance.choice(sizes, max(1, samples // 2), p=chances / chances.sum()):
        mask = numpy.zeros(features, dtype=bool)
        mask[chance.choice(features, size, replace=False)] = True
        for each in (mask, ~mask):
            counted[each.tobytes()] = counted.get(each.tobytes(), 0) + 1
    masks = numpy.array([numpy.frombuffer(each, dtype=bool) for each in counted])
    return Coalitions(masks, numpy.array(list(counted.values()), dtype=float))


def _kernel(features: int, size: int) -> float:
    return (features - 1) / (math.comb(features, size) * size * (features - size))


def explain(
    rows: Any, baseline: Any, model: Model, *, samples: int, seed: int, logit: bool = False
) -> tuple[Any, Any]:
    """Return the Shapley values of rows, and the answers to the baseline.

    Args:
        rows: numpy array of objects, one row of features each.
        baseline: the same, what an absent feature is replaced by; of several rows the mean counts.
        model: is asked for all rows of a coalition at once.
        samples: how many coalitions there may be.
        seed: of the choice of coalitions.
        logit: whether answers are probabilities to be looked at as log-odds.

    Returns:
        Values by row, feature and label; expected answers by label.
    """
    import numpy

    count, width = rows.shape
    chosen = coalitions(width, samples, seed)
    link = _log_odds if logit else numpy.asarray
    expected = link(model(baseline)).mean(axis=0)
    answers = link(model(rows))
    values = numpy.zeros((count, width, answers.shape[1]))
    for index in range(count):
        whole = answers[index] - expected
        if width == 1:
            values[index, 0] = whole
            continue
        made = _mixed(rows[index], baseline, chosen.masks)
        got = link(model(made)).reshape(len(chosen.masks), len(baseline), -1).mean(axis=1)
        values[index] = solve(chosen, got - expected, whole)
    return values, expected


def _mixed(row: Any, baseline: Any, masks: Any) -> Any:
    """Return each coalition's rows: the row's features where it has them, else the baseline's."""
    import numpy

    made = numpy.where(masks[:, None, :], row[None, None, :], baseline[None, :, :])
    return made.reshape(-1, len(row))


def solve(chosen: Coalitions, answers: Any, whole: Any) -> Any:
    """Fit values to the answers of coalitions; by feature and label.

    The last feature's value is what is left of the whole, which keeps the sum.
    """
    import numpy

    masks = chosen.masks.astype(float)
    last = masks[:, -1:]
    design = masks[:, :-1] - last
    target = answers - last * whole[None, :]
    root = numpy.sqrt(chosen.weights)[:, None]
    found, *_ = numpy.linalg.lstsq(design * root, target * root, rcond=None)
    return numpy.vstack([found, whole - found.sum(axis=0)])


def _log_odds(answers: Any) -> Any:
    import numpy

    clipped = numpy.clip(answers, 1e-7, 1 - 1e-7)
    return numpy.log(clipped / (1 - clipped))


AGGREGATIONS = ("mean_abs", "median", "mean_sq")


def aggregate(values: Any, how: str) -> Any:
    """Return the global values: by feature and label (``agg_method``)."""
    import numpy

    if how == "median":
        return numpy.median(values, axis=0)
    if how == "mean_sq":
        return (values**2).mean(axis=0)
    return numpy.abs(values).mean(axis=0)
