"""Statistics of a table's columns, and the constraints that they suggest.

Sources: Amazon SageMaker Developer Guide, "Schema for Statistics (statistics.json file)" and
"Schema for Constraints (constraints.json file)".
"""

from __future__ import annotations

from typing import Any

BUCKETS = 10
"""Buckets of a distribution, as the image writes them."""

SKETCH_SIZE = 2048
"""``k`` of the KLL sketch (Developer Guide, "Schema for Statistics")."""

MAX_CATEGORIES = 120
"""[U] How many different texts a column may have to be listed."""

MAX_SINGLE = 0.1
"""[U] At most this part of the texts may stand in one row only; else they are no categories."""

MONITORING = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    },
}
"""What the image suggests. Its schema's page gives 0.1 for the first two thresholds; the image's
own files and words ("Expected match: 100.0%") have 1.0 [U]."""


def inferred_type(column: Any) -> str:
    """Return Integral, Fractional, String, or Unknown where a column has no values."""
    import pandas

    if not column.notna().any():
        return "Unknown"
    if pandas.api.types.is_integer_dtype(column.dtype):
        return "Integral"
    return "Fractional" if pandas.api.types.is_numeric_dtype(column.dtype) else "String"


def describe(table: Any) -> dict[str, Any]:
    """Return the content of ``statistics.json``."""
    features = [_describe_column(str(name), table[name]) for name in table.columns]
    return {"version": 0.0, "dataset": {"item_count": len(table)}, "features": features}


def suggest(table: Any) -> dict[str, Any]:
    """Return the content of ``constraints.json``."""
    features = [_suggest_for_column(str(name), table[name]) for name in table.columns]
    return {"version": 0.0, "features": features, "monitoring_config": MONITORING}


def _describe_column(name: str, column: Any) -> dict[str, Any]:
    kind = inferred_type(column)
    present = column.dropna()
    common = {"num_present": len(present), "num_missing": len(column) - len(present)}
    if kind in ("Integral", "Fractional"):
        numbers = present.to_numpy(dtype="float64")
        return {
            "name": name,
            "inferred_type": kind,
            "numerical_statistics": {"common": common, **_describe_numbers(numbers)},
        }
    counts = present.value_counts(sort=False)
    described: dict[str, Any] = {"common": common, "distinct_count": float(len(counts))}
    if 0 < len(counts) <= MAX_CATEGORIES:
        ordered = sorted((-int(count), str(value)) for value, count in counts.items())
        buckets = [{"value": value, "count": -count} for count, value in ordered]
        described["distribution"] = {"categorical": {"buckets": buckets}}
    return {"name": name, "inferred_type": kind, "string_statistics": described}


def _describe_numbers(numbers: Any) -> dict[str, Any]:
    """The statistics of numbers; the standard deviation is that of a whole population."""
    import numpy

    low, high = float(numbers.min()), float(numbers.max())
    counts, edges = numpy.histogram(numbers, BUCKETS, (low, high if high > low else low + 1))
    if high == low:
        counts, edges = numpy.array([len(numbers)]), numpy.array([low, high])
    buckets = [
        {"lower_bound": float(edges[n]), "upper_bound": float(edges[n + 1]), "count": float(count)}
        for n, count in enumerate(counts)
    ]
    sketch = {"parameters": {"c": 0.64, "k": float(SKETCH_SIZE)}, "data": sketch_of(numbers)}
    return {
        "mean": float(numbers.mean()),
        "sum": float(numbers.sum()),
        "std_dev": float(numbers.std()),
        "min": low,
        "max": high,
        "distribution": {"kll": {"buckets": buckets, "sketch": sketch}},
    }


def sketch_of(numbers: Any) -> list[list[float]]:
    """Return numbers as a KLL sketch: an item of level n stands for 2**n of them.

    Up to its size a sketch holds all numbers. Beyond, every 2**n-th in order is kept, so that no
    rank is off by more than 2**n; what is left over stands at the lower levels.
    """
    import numpy

    ordered = numpy.sort(numbers)
    level = 0
    while len(ordered) >> level > SKETCH_SIZE:
        level += 1
    whole = (len(ordered) >> level) << level
    data: list[list[float]] = [[] for _ in range(level + 1)]
    step = 1 << level
    data[level] = ordered[step // 2 : whole : step].tolist() if whole else []
    rest = ordered[whole:]
    for lower in reversed(range(level)):
        if len(rest) >> lower & 1:
            data[lower] = [float(rest[0])]
            rest = rest[1 << lower :]
    return data


def _suggest_for_column(name: str, column: Any) -> dict[str, Any]:
    kind = inferred_type(column)
    present = column.dropna()
    made: dict[str, Any] = {
        "name": name,
        "inferred_type": kind,
        "completeness": len(present) / len(column) if len(column) else 0.0,
    }
    if kind in ("Integral", "Fractional"):
        made["num_constraints"] = {"is_non_negative": bool((present >= 0).all())}
    elif kind == "String":
        counts = present.value_counts()
        single = int((counts == 1).sum())
        if len(counts) <= MAX_CATEGORIES and single <= MAX_SINGLE * len(counts):
            made["string_constraints"] = {"domains": sorted(map(str, counts.index))}
    return made
