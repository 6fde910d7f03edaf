"""The quality of a binary classifier, in the form of SageMaker's model quality statistics.

The form is that of the example under "Binary classification metrics" in
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html;
``g_mean`` is an addition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    auc,
    confusion_matrix,
    fbeta_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]
Json = object  # whatever json.dumps writes

BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
MAX_CURVE_POINTS = 200  # a picture needs no more, and the report is read by a pipeline
SAMPLED_ROWS = 200  # Model Monitor gives deviations from this many rows on,
SAMPLES = 5  # from so many random samples
SAMPLE_SHARE = 0.8  # of this share of the rows


def report(labels: Labels, predicted: Labels, scores: Scores, seed: int) -> dict[str, Json]:
    """Return the statistics of a test set; ``scores`` are the probabilities of class 1."""
    deviations = deviate(labels, predicted, scores, seed)
    metrics: dict[str, Json] = {"confusion_matrix": count(labels, predicted)}
    for name, value in measure(labels, predicted, scores).items():
        metrics[name] = {"value": value, "standard_deviation": deviations[name]}
    false_positive, true_positive, _ = roc_curve(labels, scores)
    metrics["receiver_operating_characteristic_curve"] = {
        "false_positive_rates": thin(false_positive),
        "true_positive_rates": thin(true_positive),
    }
    precisions, recalls, _ = precision_recall_curve(labels, scores)
    metrics["precision_recall_curve"] = {
        "precisions": thin(precisions[::-1]),
        "recalls": thin(recalls[::-1]),
    }
    return {
        "version": 0.0,
        "dataset": {"item_count": len(labels)},
        "binary_classification_metrics": metrics,
    }


def count(labels: Labels, predicted: Labels) -> dict[str, dict[str, int]]:
    """Count rows by actual class, then by predicted class."""
    matrix = confusion_matrix(labels, predicted, labels=[0, 1])
    return {
        str(actual): {str(found): int(matrix[actual, found]) for found in (0, 1)}
        for actual in (0, 1)
    }


def measure(labels: Labels, predicted: Labels, scores: Scores) -> dict[str, float]:
    """Measure all metrics with one value; a ratio without a denominator is 0."""
    matrix = confusion_matrix(labels, predicted, labels=[0, 1]).tolist()
    (true_negative, false_positive), (false_negative, true_positive) = matrix
    recall = ratio(true_positive, true_positive + false_negative)
    specificity = ratio(true_negative, true_negative + false_positive)
    precisions, recalls, _ = precision_recall_curve(labels, scores)
    values = {
        "accuracy": ratio(true_positive + true_negative, len(labels)),
        "precision": ratio(true_positive, true_positive + false_positive),
        "recall": recall,
        "g_mean": math.sqrt(recall * specificity),
        "auc": float(roc_auc_score(labels, scores)),
        "au_prc": float(auc(recalls, precisions)),
        "true_positive_rate": recall,
        "true_negative_rate": specificity,
        "false_positive_rate": 1.0 - specificity,
        "false_negative_rate": 1.0 - recall,
    }
    for name, beta in BETAS.items():
        values[name] = float(fbeta_score(labels, predicted, beta=beta, zero_division=0))
    return values | measure_constant(labels)


def measure_constant(labels: Labels) -> dict[str, float]:
    """Measure the classifier that calls everything class 1.

    SageMaker's page does not say which constant classifier is "best"; the numbers of its
    example are those of this one.
    """
    share = float(np.mean(labels))
    values = {"accuracy": share, "precision": share, "recall": 1.0}
    for name, beta in BETAS.items():
        values[name] = (1 + beta**2) * share / (beta**2 * share + 1)
    return {f"{name}_best_constant_classifier": value for name, value in values.items()}


def deviate(
    labels: Labels, predicted: Labels, scores: Scores, seed: int
) -> Mapping[str, float | str]:
    """Return each metric's standard deviation over random samples of the rows.

    It is the string "NaN", as Model Monitor writes it, for fewer than 200 rows and where a
    sample lacks a class.
    """
    names = list(measure(labels, predicted, scores))
    unknown = dict.fromkeys(names, "NaN")
    if len(labels) < SAMPLED_ROWS:
        return unknown
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(SAMPLES):
        rows = rng.choice(len(labels), round(SAMPLE_SHARE * len(labels)), replace=False)
        if len(set(labels[rows].tolist())) < 2:
            return unknown
        found.append(measure(labels[rows], predicted[rows], scores[rows]))
    return {name: float(np.std([sample[name] for sample in found])) for name in names}


def ratio(part: int, whole: int) -> float:
    """Divide; nothing out of nothing is 0."""
    return part / whole if whole else 0.0


def thin(points: NDArray[np.float64]) -> list[float]:
    """Return at most ``MAX_CURVE_POINTS`` of a curve's values, first and last among them."""
    wanted = min(len(points), MAX_CURVE_POINTS)
    places = np.rint(np.linspace(0, len(points) - 1, wanted)).astype(int)
    return [float(value) for value in points[places]]
