"""What of a data set breaks the constraints of a baseline.

Sources: Amazon SageMaker Developer Guide, "Schema for Violations (constraint_violations.json file)"
and "Schema for Constraints"; for the distances, Deequ's ``Distance`` (the open library that the
image is made of). Where the words of a description are not documented they follow the image's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from .columns import inferred_type
from .problems import UserError

KS_COEFFICIENT = 1.8
"""How much of a distance Robust puts down to small samples: 1.8 √((n+m)/(n·m)) (Deequ)."""

_SHOWN = 10


def find_violations(
    table: Any, constraints: Mapping[str, Any], statistics: Mapping[str, Any] | None
) -> list[dict[str, str]]:
    """Compare a table with a baseline.

    Args:
        table: what is looked at.
        constraints: the content of the baseline's ``constraints.json``.
        statistics: that of its ``statistics.json``; without it no distributions are compared.

    Returns:
        The entries of ``constraint_violations.json``.

    Raises:
        UserError: the baseline is none.
    """
    features = _features(constraints, "constraints")
    config = constraints.get("monitoring_config") or {}
    if config.get("evaluate_constraints", "Enabled") != "Enabled":
        return []
    known = _features(statistics, "statistics") if statistics is not None else {}
    found = list(_compare_columns(table, features))
    for name, feature in features.items():
        if name in table.columns:
            own = merge(config, feature.get("monitoringConfigOverrides") or {})
            found += _check_column(name, table[name], feature, known.get(name), own)
    return found


def _features(document: Mapping[str, Any], what: str) -> dict[str, Mapping[str, Any]]:
    try:
        return {str(feature["name"]): feature for feature in document["features"]}
    except (KeyError, TypeError):
        raise UserError(f"the baseline's {what} have no `features` with names") from None


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay settings over others, maps in depth."""
    made = dict(base)
    for name, value in over.items():
        below = made.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            value = merge(below, value)
        made[name] = value
    return made


def _violation(name: str, check: str, description: str) -> dict[str, str]:
    return {"feature_name": name, "constraint_check_type": check, "description": description}


def _compare_columns(
    table: Any, features: Mapping[str, Any]
) -> Iterator[dict[str, str]]:  # fmt: skip
    here = [str(name) for name in table.columns]
    counted = (
        f"Number of columns in current dataset: {len(here)}, Number of columns in baseline "
        f"constraints: {len(features)}"
    )
    missing = [name for name in features if name not in here]
    extra = [name for name in here if name not in features]
    if missing:
        text = f"There are missing columns in current dataset. {counted} ({_some(missing)})"
        yield _violation("Missing columns", "missing_column_check", text)
    if extra:
        text = f"There are extra columns in current dataset. {counted} ({_some(extra)})"
        yield _violation("Extra columns", "extra_column_check", text)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _check_column(
    name: str,
    column: Any,
    feature: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
    config: Mapping[str, Any],
) -> Iterator[dict[str, str]]:
    expected = str(feature.get("inferred_type", "Unknown"))
    share = type_share(column, expected)
    threshold = float(config.get("datatype_check_threshold", 1.0))
    if share < threshold:
        text = (
            "Data type match requirement is not met. Expected data type: "
            f"{expected}, Expected match: {100 * threshold}%. Observed: Only {100 * share}% of "
            f"data is {expected}."
        )
        yield _violation(name, "data_type_check", text)
    wanted = float(feature.get("completeness", 0.0))
    complete = float(column.notna().mean())
    if complete < wanted:
        text = (
            f"Data completeness requirement is not met. Expected: {100 * wanted}%. Observed: "
            f"Only {100 * complete}% of data is complete."
        )
        yield _violation(name, "completeness_check", text)
    yield from _check_domain(name, column, feature, config)
    if baseline is not None:
        yield from _check_distribution(name, column, baseline, config)


def type_share(column: Any, expected: str) -> float:
    """Return which part of a column's values are of a type; a whole number is a fraction, too."""
    kind = inferred_type(column)
    if expected in ("String", "Unknown", kind) or kind == "Unknown":
        return 1.0
    present = column.dropna()
    if kind == "String":
        pattern = r"[+-]?\d+"
        if expected == "Fractional":
            pattern = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
        return float(present.str.strip().str.fullmatch(pattern).mean())
    # Fractions where whole numbers are expected, or the other way round.
    return float((present % 1 == 0).mean()) if expected == "Integral" else 1.0


def _check_domain(
    name: str, column: Any, feature: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[dict[str, str]]:
    domains = (feature.get("string_constraints") or {}).get("domains")
    present = column.dropna()
    if not isinstance(domains, list) or not len(present):
        return
    share = float(present.astype("string").isin([str(each) for each in domains]).mean())
    threshold = float(config.get("domain_content_threshold", 1.0))
    if share < threshold:
        text = (
            f"Categorical values requirement is not met. Expected match: {100 * threshold}%. "
            f"Observed: Only {100 * share}% of values are known from the baseline."
        )
        yield _violation(name, "categorical_values_check", text)


def _check_distribution(
    name: str, column: Any, baseline: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[dict[str, str]]:
    rules = config.get("distribution_constraints") or {}
    if rules.get("perform_comparison", "Enabled") != "Enabled":
        return
    present = column.dropna()
    robust = str(rules.get("comparison_method", "Robust")) == "Robust"
    threshold = float(rules.get("comparison_threshold", 0.1))
    numeric = inferred_type(column) in ("Integral", "Fractional")
    if numeric and "numerical_statistics" in baseline:
        known = _weighted(baseline["numerical_statistics"])
        if known is None:
            return
        distance = numeric_distance(present.to_numpy(dtype="float64"), *known, robust=robust)
    elif not numeric and "string_statistics" in baseline:
        counts = _counts(baseline["string_statistics"])
        if not counts or not len(present):
            return
        current = {str(value): int(count) for value, count in present.value_counts().items()}
        threshold = float(rules.get("categorical_comparison_threshold", threshold))
        if str(rules.get("categorical_drift_method", "LInfinity")) == "ChiSquared":
            yield from _check_chi_squared(name, current, counts, threshold)
            return
        distance = categorical_distance(current, counts, robust=robust)
    else:
        return
    if distance > threshold:
        text = f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
        yield _violation(name, "baseline_drift_check", text)


def _weighted(statistics: Mapping[str, Any]) -> tuple[list[float], list[float]] | None:
    """Return the baseline's numbers with what each stands for: of its sketch, else its buckets."""
    kll = (statistics.get("distribution") or {}).get("kll") or {}
    levels = (kll.get("sketch") or {}).get("data")
    if isinstance(levels, list) and any(levels):
        pairs = [(float(item), float(1 << n)) for n, part in enumerate(levels) for item in part]
    else:
        pairs = [
            (float(bucket["upper_bound"]), float(bucket["count"]))
            for bucket in kll.get("buckets") or ()
        ]
    return ([item for item, _ in pairs], [weight for _, weight in pairs]) if pairs else None


def _counts(statistics: Mapping[str, Any]) -> dict[str, int]:
    categorical = (statistics.get("distribution") or {}).get("categorical") or {}
    return {str(each["value"]): int(each["count"]) for each in categorical.get("buckets") or ()}


def numeric_distance(current: Any, known: Any, weights: Any, *, robust: bool) -> float:
    """Return the largest difference between two cumulative distributions.

    Source: Developer Guide, "Schema for Constraints": ``comparison_method``. Simple is that
    difference (L-infinity); Robust makes allowance for small samples by the two-sample
    Kolmogorov-Smirnov test, as Deequ's ``Distance.numericalDistance`` does.
    """
    import numpy

    known, weights = numpy.asarray(known, dtype=float), numpy.asarray(weights, dtype=float)
    order = numpy.argsort(known)
    known, heights = known[order], numpy.cumsum(weights[order])
    total = float(heights[-1])
    current = numpy.sort(current)
    points = numpy.concatenate([known, current])
    here = numpy.searchsorted(current, points, side="right") / len(current)
    places = numpy.searchsorted(known, points, side="right")
    there = numpy.concatenate([[0.0], heights])[places] / total
    return _allowed_for(float(numpy.abs(here - there).max()), len(current), total, robust)


def categorical_distance(
    current: Mapping[str, int], known: Mapping[str, int], *, robust: bool
) -> float:
    """Return the largest difference between the shares of a category (LInfinity)."""
    n, m = sum(current.values()), sum(known.values())
    distance = max(
        abs(current.get(each, 0) / n - known.get(each, 0) / m) for each in {*current, *known}
    )
    return _allowed_for(distance, n, m, robust)


def _allowed_for(distance: float, n: float, m: float, robust: bool) -> float:
    if not robust:
        return distance
    return max(0.0, distance - KS_COEFFICIENT * math.sqrt((n + m) / (n * m)))


def _check_chi_squared(
    name: str, current: Mapping[str, int], known: Mapping[str, int], threshold: float
) -> Iterator[dict[str, str]]:
    """Compare categories by Pearson's test.

    [U] What the image compares with the threshold is not documented: the p-value here.
    """
    try:
        from scipy import stats
    except ImportError:
        raise UserError(
            "categorical_drift_method ChiSquared needs the package scipy: pip install scipy"
        ) from None
    names = sorted({*current, *known})
    table = [[counts.get(each, 0) for each in names] for counts in (current, known)]
    p_value = float(stats.chi2_contingency(table, correction=False).pvalue) if names[1:] else 1.0
    if p_value < threshold:
        text = f"Baseline drift p-value: {p_value} is below threshold: {threshold}"
        yield _violation(name, "baseline_drift_check", text)
