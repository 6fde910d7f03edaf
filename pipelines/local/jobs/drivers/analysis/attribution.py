"""Explanations of a model, as Clarify writes them: SHAP values and partial dependence.

Source: Amazon SageMaker Developer Guide, "Analysis Configuration Files" and "Analysis Results".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .endpoint import Endpoint
from .problems import UserError
from .shapley import AGGREGATIONS, aggregate, explain

DEFAULT_SAMPLES = 2048
"""[U] Coalitions beyond twice the features, where `num_samples` says nothing (the shap package)."""

DEFAULT_GRID = 15
"""Buckets of a partial dependence plot (``grid_resolution``)."""


def shap_values(
    features: Any, settings: Mapping[str, Any], labels: list[str], endpoint: Endpoint, output: Path
) -> dict[str, Any]:
    """Return the ``kernel_shap`` part of ``analysis.json``; local values become a CSV file.

    Args:
        features: a table of what the model is asked.
        settings: ``methods.shap``.
        labels: names of the model's answers, where they are told.
        endpoint: the model.
        output: where ``explanations_shap`` goes.

    Raises:
        UserError: the settings or the model's answers are wrong.
    """
    how = str(settings.get("agg_method", "mean_abs"))
    if how not in AGGREGATIONS:
        raise UserError(f"agg_method is {how!r}; it is one of {', '.join(AGGREGATIONS)}")
    baseline = _baseline(features, settings.get("baseline"))
    samples = int(settings.get("num_samples") or 2 * features.shape[1] + DEFAULT_SAMPLES)
    values, expected = explain(
        features.to_numpy(dtype=object),
        baseline,
        endpoint.scores,
        samples=samples,
        seed=int(settings.get("seed") or 0),
        logit=bool(settings.get("use_logit")),
    )
    names = _labels(labels, values.shape[2])
    print(f"shap: {len(features)} rows, {endpoint.asked} questions to the model", flush=True)
    folder = output / "explanations_shap"
    folder.mkdir(parents=True, exist_ok=True)
    _table(baseline, list(features.columns)).to_csv(folder / "baseline.csv", index=False)
    if settings.get("save_local_shap_values", True):
        columns = {
            f"{feature}_{label}": values[:, n, m]
            for m, label in enumerate(names)
            for n, feature in enumerate(features.columns)
        }
        _table(columns, None).to_csv(folder / "out.csv", index=False)
    whole = aggregate(values, how)
    return {
        label: {
            "global_shap_values": {
                str(feature): float(whole[n, m]) for n, feature in enumerate(features.columns)
            },
            "expected_value": float(expected[m]),
        }
        for m, label in enumerate(names)
    }


def _table(values: Any, columns: list[str] | None) -> Any:
    import pandas

    return pandas.DataFrame(values, columns=columns)


def _labels(told: list[str], count: int) -> list[str]:
    return told if len(told) == count else [f"label{n}" for n in range(count)]


def _baseline(features: Any, given: Any) -> Any:
    """Return what absent features are replaced by.

    [U] Without a baseline the service clusters the data; here it is one row of medians, and of the
    most frequent texts.
    """
    import numpy
    import pandas

    if isinstance(given, list) and given:
        rows = given if isinstance(given[0], list) else [given]
        if any(len(row) != features.shape[1] for row in rows):
            raise UserError(
                f"a row of the SHAP baseline has another length than the {features.shape[1]} "
                "features"
            )
        return numpy.array(rows, dtype=object)
    if given:
        raise UserError("the SHAP baseline must be written as a list of rows here")
    kinds = pandas.api.types
    row = [
        features[name].median()
        if kinds.is_numeric_dtype(features[name].dtype)
        else features[name].mode().iloc[0]
        for name in features.columns
    ]
    return numpy.array([row], dtype=object)


def partial_dependence(
    features: Any, settings: Mapping[str, Any], endpoint: Endpoint
) -> list[dict[str, Any]]:
    """Return the ``pdp`` part of ``analysis.json``: mean answers along a feature's values."""
    import pandas

    wanted = settings.get("features") or list(features.columns)
    made = []
    for name in wanted:
        if name not in features.columns:
            raise UserError(f"pdp: there is no feature {name!r}")
        column = features[name]
        numeric = pandas.api.types.is_numeric_dtype(column.dtype)
        values, counts = _grid(
            column, int(settings.get("grid_resolution") or DEFAULT_GRID), numeric
        )
        means = []
        for value in values:
            changed = features.copy()
            changed[name] = value
            means.append(endpoint.scores(changed.to_numpy(dtype=object)).mean(axis=0))
        made.append({
            "feature_name": name,
            "data_type": "numerical" if numeric else "categorical",
            "feature_values": values,
            "data_distribution": counts,
            "model_predictions": [[float(mean[n]) for mean in means]
                                  for n in range(len(means[0]))],
        })  # fmt: skip
    return made


def _grid(column: Any, buckets: int, numeric: bool) -> tuple[list[Any], list[float]]:
    """Return the values at which a feature is looked at, and the part of the rows near each."""
    import numpy

    present = column.dropna()
    if not numeric or present.nunique() <= buckets:
        counts = present.value_counts(normalize=True).sort_index()
        values = [value.item() if hasattr(value, "item") else value for value in counts.index]
        return values, [float(share) for share in counts]
    numbers = present.to_numpy(dtype="float64")
    found, edges = numpy.histogram(numbers, buckets)
    middles = (edges[:-1] + edges[1:]) / 2
    return middles.tolist(), (found / len(numbers)).tolist()
