"""Metrics of model quality: by hand, beside scikit-learn, and by a job."""

from __future__ import annotations

import json
from typing import Any

import pytest
from check_steps import FIRST, quality
from local_samples import document

np = pytest.importorskip("numpy")
pytest.importorskip("pandas")

from pipelines.local.jobs.drivers.analysis import answers  # noqa: E402 - after the skips


def classes(text: str) -> Any:
    return np.array(text.split(), dtype=object)


def test_binary_metrics_by_hand():
    # Of four positives three are found, with one false alarm among six negatives.
    truth, found = classes("1 1 1 1 0 0 0 0 0 0"), classes("1 1 1 0 1 0 0 0 0 0")
    scores = np.array([0.9, 0.8, 0.7, 0.4, 0.6, 0.3, 0.2, 0.2, 0.1, 0.1])
    made = answers.measure_binary(answers.Answers(truth, found, scores))
    assert made["recall"] == made["true_positive_rate"] == 0.75
    assert made["precision"] == 0.75
    assert made["accuracy"] == 0.8
    assert made["true_negative_rate"] == pytest.approx(5 / 6)
    assert made["false_positive_rate"] == pytest.approx(1 / 6)
    assert made["false_negative_rate"] == 0.25
    assert made["f1"] == made["f0_5"] == made["f2"] == 0.75
    # Of 24 pairs of a positive and a negative one stands the wrong way round: 0.4 below 0.6.
    assert made["auc"] == pytest.approx(23 / 24)
    # F-beta of precision 1 and recall 0.5: 1.25 / 0.75 · 0.5 and 5 / 4.5 · 0.5.
    assert answers.f_beta(1, 0.5, 0.5) == pytest.approx(1.25 * 0.5 / (0.25 + 0.5))
    assert answers.f_beta(1, 0.5, 2) == pytest.approx(2.5 / 4.5)


def test_regression_metrics_by_hand():
    made = answers.measure_regression(
        answers.Answers(np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 3.0, 3.0, 4.0]))
    )
    # Errors 0, 1, 0, 2; the truth spreads by (4 + 1 + 0 + 9) / 4 around 3.
    assert made == pytest.approx({"mae": 0.75, "mse": 1.25, "rmse": 1.25**0.5, "r2": 1 - 5 / 14})


def test_metrics_equal_those_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    chance = np.random.default_rng(3)
    truth = chance.integers(0, 4, 300).astype(str).astype(object)
    found = np.where(chance.random(300) < 0.6, truth, "2").astype(object)
    made = answers.measure_classes(answers.Answers(truth, found))
    given = {"average": "weighted", "zero_division": 0}
    assert made["weighted_recall"] == pytest.approx(metrics.recall_score(truth, found, **given))
    assert made["weighted_precision"] == pytest.approx(
        metrics.precision_score(truth, found, **given)
    )
    for name, beta in (("weighted_f0_5", 0.5), ("weighted_f1", 1), ("weighted_f2", 2)):
        expected = metrics.fbeta_score(truth, found, beta=beta, **given)
        assert made[name] == pytest.approx(expected)
    scores = np.round(chance.random(300), 1)
    yes = truth == "1"
    assert answers.area(yes, scores) == pytest.approx(metrics.roc_auc_score(yes, scores))


def output(ran: Any, step: str, name: str) -> Any:
    path = ran.folder / ".sagedag/s3/bucket/runs" / ran.record.id / step / f"{name}.json"
    return json.loads(path.read_text())


WHERE = {
    "problem_type": "BinaryClassification",
    "probability_attribute": "said.probability",
    "ground_truth_attribute": "label",
    "probability_threshold_attribute": "0.5",
}


def rows(place: Any, name: str, wrong: int) -> str:
    """Write 240 records of which some answers are wrong; a third are positive."""
    lines = []
    for n in range(240):
        label = int(n % 3 == 0)
        said = 1 - label if n < wrong else label
        record = {"label": label, "said": {"probability": 0.9 if said else 0.1}}
        lines.append(json.dumps(record))
    (place.folder / name).write_text("\n".join(lines))
    return name


def test_a_job_calculates_compares_and_fails(place):
    more = {"form": {"json": {"lines": True}}, "check": "MODEL_QUALITY", "environment": WHERE}
    first = place.run(document(quality("check", rows(place, "good.jsonl", 24), **FIRST, **more)))
    assert first.status == "Succeeded", first.steps["check"].failure_reason
    statistics = output(first, "check", "statistics")
    made = statistics["binary_classification_metrics"]
    assert statistics["dataset"] == {"item_count": 240}
    assert made["accuracy"]["value"] == 0.9
    assert 0 < made["accuracy"]["standard_deviation"] < 0.05
    assert made["confusion_matrix"] == {"0": {"0": 144, "1": 16}, "1": {"0": 8, "1": 72}}
    assert made["accuracy_best_constant_classifier"]["value"] == pytest.approx(2 / 3)
    curve = made["receiver_operating_characteristic_curve"]
    assert curve == {
        "false_positive_rates": [0.0, 0.1, 1.0],
        "true_positive_rates": [0.0, 0.9, 1.0],
    }
    limits = output(first, "check", "constraints")["binary_classification_constraints"]
    assert limits["recall"] == {"threshold": 0.9, "comparison_operator": "LessThanThreshold"}
    assert limits["false_positive_rate"]["comparison_operator"] == "GreaterThanThreshold"
    supplied = {
        "SuppliedBaselineConstraints": first.steps["check"].properties[
            "CalculatedBaselineConstraints"
        ]
    }
    worse = place.run(document(quality("check", rows(place, "bad.jsonl", 48), **more, **supplied)))
    assert worse.status == "Failed"
    found = output(worse, "check", "constraint_violations")["violations"]
    told = {each["metric_name"]: each for each in found}
    assert told["accuracy"]["constraint_check_type"] == "LessThanThreshold"
    assert told["accuracy"]["description"].startswith("Metric accuracy with 0.8 +/- ")
    assert told["accuracy"]["description"].endswith("was LessThanThreshold '0.9'")
    assert "false_positive_rate (GreaterThanThreshold)" in worse.steps["check"].failure_reason
    same = place.run(document(quality("check", "good.jsonl", **more, **supplied)))
    assert same.status == "Succeeded"
