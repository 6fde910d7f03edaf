"""Clarify's metrics of bias, before and after training.

Source of every formula: Amazon SageMaker Developer Guide, "Pre-training Bias Metrics" and
"Post-training Data and Model Bias Metrics"; the page of each metric is named with it. ``a`` is the
favoured facet, ``d`` the disfavoured one: the rows of the facet's values that are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

NEIGHBOURS = 5
"""[U] How many nearest neighbours the flip test asks; its page leaves it open."""


class NotMeasured(Exception):
    """A metric cannot be had for these data; the text says why."""


@dataclass(frozen=True)
class Rows:
    """What a metric looks at, as numpy arrays of one entry a row.

    Attributes:
        in_d: whether a row belongs to the disfavoured facet.
        positive: whether its label is a positive outcome.
        labels: its label, as text.
        said: whether the model's answer is a positive outcome; None before training.
        groups: the group that it belongs to (``group_variable``); None where there are none.
        features: what the model is asked, as numbers; None before training.
    """

    in_d: Any
    positive: Any
    labels: Any
    said: Any = None
    groups: Any = None
    features: Any = None


def divide(part: float, whole: float) -> float:
    """Divide; nothing by nothing is 0, something by nothing infinite."""
    if whole:
        return float(part) / float(whole)
    return 0.0 if not part else math.copysign(math.inf, part)


def _share(rows: Any) -> float:
    return divide(rows.sum(), len(rows))


def ci(rows: Rows) -> float:
    """Class imbalance: (n_a - n_d) / (n_a + n_d) ("Class Imbalance (CI)")."""
    d = float(rows.in_d.sum())
    return divide(len(rows.in_d) - 2 * d, len(rows.in_d))


def dpl(rows: Rows) -> float:
    """q_a - q_d, the shares of positive labels ("Difference in Proportions of Labels (DPL)")."""
    return _share(rows.positive[~rows.in_d]) - _share(rows.positive[rows.in_d])


def _distributions(rows: Rows) -> tuple[Any, Any]:
    """The shares of every label in a and in d."""
    import numpy

    known = sorted(set(rows.labels))
    a, d = rows.labels[~rows.in_d], rows.labels[rows.in_d]
    shares = [[divide(float((part == each).sum()), len(part)) for each in known] for part in (a, d)]
    return numpy.array(shares[0]), numpy.array(shares[1])


def _divergence(one: Any, other: Any) -> float:
    return sum(p * math.log(p / q) if q else math.inf for p, q in zip(one, other, strict=True) if p)


def kl(rows: Rows) -> float:
    """Σ P_a·log(P_a / P_d) over the labels ("Kullback-Leibler Divergence (KL)")."""
    return _divergence(*_distributions(rows))


def js(rows: Rows) -> float:
    """½·(KL(P_a, P) + KL(P_d, P)), P = ½·(P_a + P_d) ("Jensen-Shannon Divergence (JS)")."""
    a, d = _distributions(rows)
    middle = (a + d) / 2
    return (_divergence(a, middle) + _divergence(d, middle)) / 2


def lp(rows: Rows) -> float:
    """The 2-norm of P_a - P_d ("Lp-norm (LP)")."""
    a, d = _distributions(rows)
    return float(((a - d) ** 2).sum() ** 0.5)


def tvd(rows: Rows) -> float:
    """Half the 1-norm of P_a - P_d ("Total Variation Distance (TVD)")."""
    a, d = _distributions(rows)
    return float(abs(a - d).sum() / 2)


def ks(rows: Rows) -> float:
    """The largest of the differences P_a - P_d ("Kolmogorov-Smirnov (KS)")."""
    a, d = _distributions(rows)
    return float(abs(a - d).max())


def _conditional(rows: Rows, positive: Any) -> float:
    """1/n · Σ n_i·DD_i over the groups, DD_i = n_d⁰/n⁰ - n_d¹/n¹ of the group."""
    if rows.groups is None:
        raise NotMeasured("Group variable is empty or not provided")
    total = 0.0
    for each in set(rows.groups):
        inside = rows.groups == each
        good, bad = positive & inside, ~positive & inside
        rejected = divide((bad & rows.in_d).sum(), bad.sum())
        accepted = divide((good & rows.in_d).sum(), good.sum())
        total += float(inside.sum()) * (rejected - accepted)
    return divide(total, len(positive))


def cddl(rows: Rows) -> float:
    """DD of the labels over groups ("Conditional Demographic Disparity (CDD)")."""
    return _conditional(rows, rows.positive)


def dppl(rows: Rows) -> float:
    """q'_a - q'_d of the answers ("Difference in Positive Proportions in Predicted Labels")."""
    return _share(rows.said[~rows.in_d]) - _share(rows.said[rows.in_d])


def di(rows: Rows) -> float:
    """q'_d / q'_a ("Disparate Impact (DI)")."""
    return divide(_share(rows.said[rows.in_d]), _share(rows.said[~rows.in_d]))


@dataclass(frozen=True)
class _Counts:
    tp: float
    fp: float
    fn: float
    tn: float


def _counts(rows: Rows, inside: Any) -> _Counts:
    true, said = rows.positive[inside], rows.said[inside]
    return _Counts(
        float((true & said).sum()),
        float((~true & said).sum()),
        float((true & ~said).sum()),
        float((~true & ~said).sum()),
    )


def _both(rows: Rows, rate: Callable[[_Counts], float]) -> tuple[float, float]:
    """A rate of a, and of d."""
    return rate(_counts(rows, ~rows.in_d)), rate(_counts(rows, rows.in_d))


def dca(rows: Rows) -> float:
    """c_a - c_d, c = n¹ / n'¹ ("Difference in Conditional Acceptance (DCAcc)")."""
    a, d = _both(rows, lambda n: divide(n.tp + n.fn, n.tp + n.fp))
    return a - d


def dcr(rows: Rows) -> float:
    """r_d - r_a, r = n⁰ / n'⁰ ("Difference in Conditional Rejection (DCR)")."""
    a, d = _both(rows, lambda n: divide(n.tn + n.fp, n.tn + n.fn))
    return d - a


def rd(rows: Rows) -> float:
    """TP/(TP+FN) of a less that of d ("Recall Difference (RD)")."""
    a, d = _both(rows, lambda n: divide(n.tp, n.tp + n.fn))
    return a - d


def dar(rows: Rows) -> float:
    """TP/(TP+FP) of a less that of d ("Difference in Acceptance Rates (DAR)")."""
    a, d = _both(rows, lambda n: divide(n.tp, n.tp + n.fp))
    return a - d


def drr(rows: Rows) -> float:
    """TN/(TN+FN) of d less that of a ("Difference in Rejection Rates (DRR)")."""
    a, d = _both(rows, lambda n: divide(n.tn, n.tn + n.fn))
    return d - a


def sd(rows: Rows) -> float:
    """TN/(TN+FP) of d less that of a ("Specificity difference (SD)")."""
    a, d = _both(rows, lambda n: divide(n.tn, n.tn + n.fp))
    return d - a


def ad(rows: Rows) -> float:
    """The accuracy of a less that of d ("Accuracy Difference (AD)")."""
    a, d = _both(rows, lambda n: divide(n.tp + n.tn, n.tp + n.fp + n.fn + n.tn))
    return a - d


def te(rows: Rows) -> float:
    """FN/FP of d less that of a ("Treatment Equality (TE)")."""
    a, d = _both(rows, lambda n: divide(n.fn, n.fp))
    return d - a


def cddpl(rows: Rows) -> float:
    """DD of the answers over groups ("Conditional Demographic Disparity in Predicted Labels")."""
    return _conditional(rows, rows.said)


def ge(rows: Rows) -> float:
    """1/(2n) · Σ ((b_i / μ)² - 1), b = answer - label + 1 ("Generalized entropy (GE)")."""
    benefit = rows.said.astype(float) - rows.positive.astype(float) + 1
    mean = float(benefit.mean())
    if not mean:
        raise NotMeasured("no row benefits from its answer")
    return float((((benefit / mean) ** 2) - 1).mean() / 2)


def ft(rows: Rows) -> float:
    """(F⁺ - F⁻) / n_d ("Counterfactual Fliptest (FT)").

    F⁺ are the rows of d with a negative answer whose nearest neighbours in a have a positive one,
    F⁻ those the other way round.
    """
    import numpy

    if rows.features is None or not rows.features.shape[1]:
        raise NotMeasured("the flip test needs features")
    favoured, others = rows.features[~rows.in_d], rows.features[rows.in_d]
    if not len(favoured) or not len(others):
        raise NotMeasured("one of the facets has no rows")
    answers, own = rows.said[~rows.in_d], rows.said[rows.in_d]
    count = min(NEIGHBOURS, len(favoured))
    flips = 0
    for row, said in zip(others, own, strict=True):
        distances = ((favoured - row) ** 2).sum(axis=1)
        nearest = numpy.argsort(distances, kind="stable")[:count]
        yes = answers[nearest].mean() > 0.5
        flips += int(yes and not said) - int(said and not yes)
    return divide(flips, len(others))


Metric = tuple[str, Callable[[Rows], float]]

PRE_TRAINING: Mapping[str, Metric] = {
    "CDDL": ("Conditional Demographic Disparity in Labels (CDDL)", cddl),
    "CI": ("Class Imbalance (CI)", ci),
    "DPL": ("Difference in Positive Proportions in Labels (DPL)", dpl),
    "JS": ("Jensen-Shannon Divergence (JS)", js),
    "KL": ("Kullback-Liebler Divergence (KL)", kl),
    "KS": ("Kolmogorov-Smirnov Distance (KS)", ks),
    "LP": ("L-p Norm (LP)", lp),
    "TVD": ("Total Variation Distance (TVD)", tvd),
}
POST_TRAINING: Mapping[str, Metric] = {
    "AD": ("Accuracy Difference (AD)", ad),
    "CDDPL": ("Conditional Demographic Disparity in Predicted Labels (CDDPL)", cddpl),
    "DAR": ("Difference in Acceptance Rates (DAR)", dar),
    "DCA": ("Difference in Conditional Acceptance (DCA)", dca),
    "DCR": ("Difference in Conditional Rejection (DCR)", dcr),
    "DI": ("Disparate Impact (DI)", di),
    "DPPL": ("Difference in Positive Proportions in Predicted Labels (DPPL)", dppl),
    "DRR": ("Difference in Rejection Rates (DRR)", drr),
    "FT": ("Flip Test (FT)", ft),
    "GE": ("Generalized Entropy (GE)", ge),
    "RD": ("Recall Difference (RD)", rd),
    "SD": ("Specificity Difference (SD)", sd),
    "TE": ("Treatment Equality (TE)", te),
}

IDEAL = {"DI": 1.0}
"""The value of a metric that is free of bias, where it is not 0."""


def measure(rows: Rows, metrics: Mapping[str, Metric], chosen: Any) -> list[dict[str, Any]]:
    """Return metrics as ``analysis.json`` lists them.

    Args:
        rows: what they look at.
        metrics: those that there are.
        chosen: ``all``, or a list of names.
    """
    names = sorted(metrics) if chosen in (None, "all") else [str(each) for each in chosen]
    made = []
    for name in names:
        if name not in metrics:
            made.append({"name": name, "value": None, "error": f"there is no metric {name}"})
            continue
        description, function = metrics[name]
        entry: dict[str, Any] = {"name": name, "description": description, "value": None}
        try:
            entry["value"] = function(rows)
        except NotMeasured as reason:
            entry["error"] = str(reason)
        made.append(entry)
    return made
