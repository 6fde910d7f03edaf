"""Clarify's metrics on one small example, each computed by hand from its formula.

Seven rows are favoured (a), five are not (d). Of a: 2 true positives, 2 false negatives, 1 false
positive, 2 true negatives. Of d: none, 1, 1 and 3.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("pandas")

from pipelines.local.jobs.drivers.analysis import bias, bias_drift, shapley  # noqa: E402 - skips

LABELS = [1, 1, 1, 1, 0, 0, 0, *(1, 0, 0, 0, 0)]
SAID = [1, 1, 0, 0, 1, 0, 0, *(0, 1, 0, 0, 0)]
GROUPS = [*"xxxyyyy", *"xxyyy"]
PLACES = [0, 1, 2, 3, 4, 5, 6, *(0, 6, 0, 6, 0)]


def example(groups: bool = True) -> bias.Rows:
    return bias.Rows(
        in_d=np.array([False] * 7 + [True] * 5),
        positive=np.array(LABELS) == 1,
        labels=np.array([str(each) for each in LABELS], dtype=object),
        said=np.array(SAID) == 1,
        groups=np.array(GROUPS, dtype=object) if groups else None,
        features=np.array(PLACES, dtype=float)[:, None],
    )


BY_HAND = {
    "CI": (7 - 5) / 12,
    "DPL": 4 / 7 - 1 / 5,
    # P_a = (3/7, 4/7) and P_d = (4/5, 1/5) over the labels 0 and 1.
    "KL": 3 / 7 * math.log(15 / 28) + 4 / 7 * math.log(20 / 7),
    # P = (43/70, 27/70).
    "JS": (3 / 7 * math.log(30 / 43) + 4 / 7 * math.log(40 / 27)
           + 4 / 5 * math.log(56 / 43) + 1 / 5 * math.log(14 / 27)) / 2,
    "LP": math.sqrt(2) * 13 / 35,
    "TVD": 13 / 35,
    "KS": 13 / 35,
    # Group x: 1/1 - 1/4 of 5 rows; group y: 3/6 - 0/1 of 7.
    "CDDL": (5 * 3 / 4 + 7 * 1 / 2) / 12,
    "DPPL": 3 / 7 - 1 / 5,
    "DI": (1 / 5) / (3 / 7),
    # Observed over predicted acceptances, 4/3 and 1/1; rejections, 3/4 and 4/4.
    "DCA": 4 / 3 - 1,
    "DCR": 1 - 3 / 4,
    "RD": 2 / 4 - 0,
    "DAR": 2 / 3 - 0,
    "DRR": 3 / 4 - 2 / 4,
    "SD": 3 / 4 - 2 / 3,
    "AD": 4 / 7 - 3 / 5,
    "TE": 1 / 1 - 2 / 1,
    # Group x: 1/2 - 1/3 of 5 rows; group y: 3/6 - 0/1 of 7.
    "CDDPL": (5 * 1 / 6 + 7 * 1 / 2) / 12,
    # Benefits: 7 rows of 1, 3 of 0, 2 of 2; their mean is 11/12.
    "GE": ((15 / 12) / (11 / 12) ** 2 - 1) / 2,
    # At 0 three of the five nearest have a yes, at 6 one: three rows flip up, one flips down.
    "FT": (3 - 1) / 5,
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_a_metric_is_what_its_formula_gives(name):
    _, function = {**bias.PRE_TRAINING, **bias.POST_TRAINING}[name]
    assert function(example()) == pytest.approx(BY_HAND[name])


def test_every_metric_has_an_example():
    assert set(BY_HAND) == {*bias.PRE_TRAINING, *bias.POST_TRAINING}


def test_what_cannot_be_measured_says_why():
    (entry,) = bias.measure(example(groups=False), bias.PRE_TRAINING, ["CDDL"])
    assert entry["value"] is None
    assert entry["error"] == "Group variable is empty or not provided"


def by_permutations(row: Any, base: Any, model: Any) -> list[float]:
    """Shapley values as they are defined: the mean of what a feature adds over all orders."""
    count = len(row)
    sums = [0.0] * count
    orders = list(itertools.permutations(range(count)))
    for order in orders:
        now = list(base)
        before = model(now)
        for feature in order:
            now[feature] = row[feature]
            after = model(now)
            sums[feature] += after - before
            before = after
    return [each / len(orders) for each in sums]


def test_kernel_shap_gives_the_shapley_values():
    def model(row: Any) -> float:
        a, b, c, d = map(float, row)
        return 2 * a + a * b - c * c * d + 1

    def asked(rows: Any) -> Any:
        return np.array([[model(row)] for row in rows])

    row, base = [1, 2, 3, 4], [0, 1, 1, -1]
    values, expected = shapley.explain(
        np.array([row], dtype=object), np.array([base], dtype=object), asked, samples=14, seed=0
    )
    assert expected[0] == model(base)
    assert values[0, :, 0] == pytest.approx(by_permutations(row, base, model))


def test_sampled_kernel_shap_keeps_the_sum_and_is_exact_for_linear_models():
    weights = np.arange(1.0, 16.0)

    def asked(rows: Any) -> Any:
        return rows.astype(float) @ weights[:, None]

    row = np.ones((1, 15), dtype=object)
    values, _ = shapley.explain(row, 0 * row, asked, samples=200, seed=7)
    assert values[0, :, 0] == pytest.approx(weights)


def test_attribution_drift_of_the_guides_college():
    before = {"SAT": 0.70, "GPA": 0.50, "rank": 0.05}
    now = {"SAT": 0.10, "GPA": 0.20, "rank": 0.70}
    # Today's order is rank, GPA, SAT.
    gain = 0.05 + 0.5 / math.log2(3) + 0.7 / 2
    best = 0.70 + 0.5 / math.log2(3) + 0.05 / 2
    assert bias_drift.ndcg(before, now) == pytest.approx(gain / best)
    assert bias_drift.ndcg(before, before) == 1
