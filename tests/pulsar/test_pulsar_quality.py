from __future__ import annotations

import json

import numpy as np
import picture
import pytest
import quality
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score, recall_score

# The example of SageMaker's page on model quality metrics: its confusion matrix and its values.
ACTUAL = np.array([0, 0, 0, 1])
PREDICTED = np.array([0, 1, 1, 1])
SCORES = np.array([0.1, 0.6, 0.7, 0.9])
AMAZON = {
    "recall": 1.0,
    "precision": 0.3333333333333333,
    "accuracy": 0.5,
    "recall_best_constant_classifier": 1.0,
    "precision_best_constant_classifier": 0.25,
    "accuracy_best_constant_classifier": 0.25,
    "true_positive_rate": 1.0,
    "true_negative_rate": 0.33333333333333337,
    "false_positive_rate": 0.6666666666666666,
    "false_negative_rate": 0.0,
    "auc": 1.0,
    "f0_5": 0.3846153846153846,
    "f1": 0.5,
    "f2": 0.7142857142857143,
    "f0_5_best_constant_classifier": 0.29411764705882354,
    "f1_best_constant_classifier": 0.4,
    "f2_best_constant_classifier": 0.625,
}


def test_the_report_has_amazons_form_and_values() -> None:
    found = quality.report(ACTUAL, PREDICTED, SCORES, seed=7)
    metrics = found["binary_classification_metrics"]
    assert isinstance(metrics, dict)
    assert metrics["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    for name, value in AMAZON.items():
        assert metrics[name]["value"] == pytest.approx(value, abs=1e-12), name
        assert metrics[name]["standard_deviation"] == "NaN"
    curves = {"receiver_operating_characteristic_curve", "precision_recall_curve"}
    ours = {"g_mean", "au_prc"}
    assert set(metrics) == set(AMAZON) | curves | ours | {"confusion_matrix"}
    assert metrics["g_mean"]["value"] == pytest.approx(3**-0.5)
    roc = metrics["receiver_operating_characteristic_curve"]
    assert sorted(roc) == ["false_positive_rates", "true_positive_rates"]
    assert (roc["true_positive_rates"][0], roc["true_positive_rates"][-1]) == (0.0, 1.0)
    both = metrics["precision_recall_curve"]
    assert (both["recalls"][0], both["recalls"][-1]) == (0.0, 1.0)
    assert len(both["precisions"]) == len(both["recalls"])


def test_from_200_rows_on_there_are_deviations_and_curves_stay_short() -> None:
    rng = np.random.default_rng(1)
    labels = np.array([0, 1] * 500)
    scores = np.clip(labels * 0.3 + rng.uniform(size=1000) * 0.7, 0, 1)
    predicted = (scores > 0.5).astype(np.int64)
    metrics = quality.report(labels, predicted, scores, seed=7)["binary_classification_metrics"]
    assert isinstance(metrics, dict)
    for name in ("accuracy", "precision", "recall", "auc", "g_mean"):
        assert 0.0 < metrics[name]["standard_deviation"] < 0.05, name
    assert len(metrics["receiver_operating_characteristic_curve"]["true_positive_rates"]) <= 200
    assert len(metrics["precision_recall_curve"]["recalls"]) == 200
    again = quality.report(labels, predicted, scores, seed=7)
    assert again["binary_classification_metrics"] == metrics


def test_a_sample_without_a_class_has_no_deviation() -> None:
    labels = np.zeros(200, dtype=np.int64)
    labels[0] = 1
    scores = np.linspace(1.0, 0.0, 200)
    seeds = [quality.deviate(labels, labels, scores, seed)["auc"] for seed in range(5)]
    assert "NaN" in seeds


LABELS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=30)
@given(LABELS)
def test_metrics_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    labels = np.array([0, 1, *(actual for actual, _ in pairs)])
    predicted = np.array([0, 0, *(found for _, found in pairs)])
    found = quality.measure(labels, predicted, predicted.astype(np.float64))
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert found["recall"] == pytest.approx(recall_score(labels, predicted))
    expected = precision_score(labels, predicted, zero_division=0)
    assert found["precision"] == pytest.approx(expected)
    text = json.dumps(quality.report(labels, predicted, predicted.astype(np.float64), 7))
    assert "NaN" in text  # the string, as Model Monitor writes it
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_the_picture_shows_four_panels_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = quality.report(ACTUAL, PREDICTED, SCORES, seed=7)["binary_classification_metrics"]
    assert isinstance(metrics, dict)
    figures = []
    make = picture.Figure
    monkeypatch.setattr(picture, "Figure", lambda **how: figures.append(make(**how)) or figures[-1])
    importance = {"profile_mean": 0.7, "dm_snr_standard_deviation": 0.3}
    content = picture.draw("A title", metrics, importance, "weight")
    assert content.startswith(b"\x89PNG")
    titles = [panel.get_title() for panel in figures[0].axes]
    assert titles == [
        "ROC curve",
        "Precision and recall",
        "Confusion matrix (shares of the actual class)",
        "Feature importance",
    ]
    cells = [text.get_text() for text in figures[0].axes[2].texts]
    assert cells == ["1\n33.3%", "2\n66.7%", "0\n0.0%", "1\n100.0%"]
    bars = [label.get_text() for label in figures[0].axes[3].get_yticklabels()]
    assert bars == ["DM-SNR curve\nstandard deviation", "profile\nmean"]
