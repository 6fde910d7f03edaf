"""What the image of Clarify does with its configuration.

Source: Amazon SageMaker Developer Guide, "Analysis Configuration Files" and "Analysis Results".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import bias_drift
from .attribution import partial_dependence, shap_values
from .bias import POST_TRAINING, PRE_TRAINING, Rows, measure
from .endpoint import Endpoint, pick
from .facets import as_numbers, as_texts, chosen_rows, column_of, is_continuous, text_of
from .files import read_json, run, write_json
from .problems import UserError
from .tables import Format, Record, open_text, read_table

CONFIG = Path("/opt/ml/processing/input/config/analysis_config.json")
DATA = Path("/opt/ml/processing/input/data")
OUTPUT = Path("/opt/ml/processing/output")
EXTRA = 'pip install "sagedag[checks]"'
KINDS = {
    "text/csv": "csv",
    "application/json": "json",
    "application/jsonlines": "json",
    "application/x-parquet": "parquet",
}
DEFAULT_THRESHOLD = 0.5
"""From above which probability an answer is positive (``probability_threshold``)."""


def main() -> int:
    """Analyse the data set that the configuration describes."""
    return run(analyse, EXTRA)


@dataclass(frozen=True)
class Data:
    """A data set, and the names of its columns that mean something.

    Attributes:
        table: all columns.
        label: the column of the label; empty where there is none.
        features: the columns that a model is asked.
    """

    table: Any
    label: str
    features: list[str]

    @property
    def asked(self) -> Any:
        """What a model is asked: the table of features."""
        return self.table[self.features]


def analyse(variables: Mapping[str, str]) -> None:
    """Write ``analysis.json`` and, where there is a baseline, violations.

    Raises:
        UserError: the configuration, the data or the model's answers are wrong.
    """
    config = read_json(CONFIG, "the analysis configuration")
    methods = config.get("methods")
    if not isinstance(methods, Mapping):
        raise UserError("the analysis configuration has no `methods`")
    data = read_data(config)
    print(f"{len(data.table)} rows, {len(data.table.columns)} columns", flush=True)
    made: dict[str, Any] = {"version": "1.0"}
    predictor = config.get("predictor") or {}
    if "pre_training_bias" in methods:
        made["pre_training_bias_metrics"] = _bias(config, data, methods["pre_training_bias"], None)
    if "post_training_bias" in methods:
        said = _predicted(config, data, predictor, variables)
        made["post_training_bias_metrics"] = _bias(
            config, data, methods["post_training_bias"], said
        )
    explanations = _explain(methods, data, predictor, variables)
    if explanations:
        made["explanations"] = explanations
    if len(made) == 1:
        raise UserError(f"`methods` asks for nothing that is known here: {', '.join(methods)}")
    write_json(OUTPUT, "analysis.json", made)
    baseline = variables.get("baseline_constraints")
    if baseline:
        found = bias_drift.find_violations(made, read_json(baseline, "the baseline's constraints"))
        write_json(OUTPUT, "constraint_violations.json", {"version": "1.0", "violations": found})


def read_data(config: Mapping[str, Any]) -> Data:
    """Read the data set as the configuration describes it."""
    kind = str(config.get("dataset_type", "text/csv"))
    if kind not in KINDS:
        raise UserError(f"dataset_type {kind} cannot be analysed here: {', '.join(KINDS)} can")
    headers = tuple(str(name) for name in config.get("headers") or ())
    if "features" in config and KINDS[kind] == "json":
        form = Format("json", lines=kind == "application/jsonlines")
        table = read_table(DATA, form, lambda record: _dense(record, config, headers))
    else:
        form = Format(
            KINDS[kind],
            header=_has_header(headers),
            lines=kind == "application/jsonlines",
            names=headers,
        )
        table = read_table(DATA, form)
    label = column_of(table, config["label"], "label") if config.get("label") is not None else ""
    if "features" in config and config.get("label") is not None:
        label = str(table.columns[-1])
    left_out = {label}
    for name in ("predicted_label", "joinsource_name_or_index"):
        if config.get(name) is not None:
            left_out.add(column_of(table, config[name], name))
    left_out |= {column_of(table, each, "excluded_columns")
                 for each in config.get("excluded_columns") or ()}  # fmt: skip
    features = [str(name) for name in table.columns if name not in left_out]
    return Data(table, label, features)


def _has_header(headers: tuple[str, ...]) -> bool:
    """Whether the first line of CSV has names.

    [U] The guide says that names are told by `headers` or by the file: a file whose first line is
    just the headers has them twice.
    """
    if not headers:
        return True
    for path in sorted(DATA.rglob("*")):
        if path.is_file():
            with open_text(path) as stream:
                first = stream.readline()
            return [each.strip().strip('"') for each in first.split(",")] == list(headers)
    return False


def _dense(
    record: Record, config: Mapping[str, Any], headers: tuple[str, ...]
) -> Iterable[Mapping[str, Any]]:
    """Make a row of JSON whose features stand in a list."""
    item = json.loads(record.endpoint_input.data)
    features = pick([item], config["features"])
    if not isinstance(features, list):
        raise UserError(f"`features` ({config['features']}) leads to no list")
    values = list(features)
    if config.get("label") is not None:
        values.append(pick([item], config["label"]))
    names = headers if len(headers) == len(values) else ()
    return [dict(zip(names or [f"feature{n}" for n in range(len(values))], values, strict=True))]


def _explain(
    methods: Mapping[str, Any],
    data: Data,
    predictor: Mapping[str, Any],
    variables: Mapping[str, str],
) -> dict[str, Any]:
    if "asymmetric_shapley_value" in methods:
        raise UserError("asymmetric_shapley_value, of time series, is not calculated here")
    made: dict[str, Any] = {}
    labels = [str(name) for name in predictor.get("label_headers") or ()]
    if "shap" in methods:
        endpoint = Endpoint(variables, predictor, data.features)
        settings = methods["shap"] or {}
        made["kernel_shap"] = shap_values(data.asked, settings, labels, endpoint, OUTPUT)
    if "pdp" in methods:
        endpoint = Endpoint(variables, predictor, data.features)
        made["pdp"] = partial_dependence(data.asked, methods["pdp"] or {}, endpoint)
    return made


def _positives(config: Mapping[str, Any]) -> list[Any]:
    values = config.get("label_values_or_threshold")
    if not isinstance(values, list) or not values:
        raise UserError("label_values_or_threshold says which labels are positive; it is missing")
    return values


def _predicted(
    config: Mapping[str, Any],
    data: Data,
    predictor: Mapping[str, Any],
    variables: Mapping[str, str],
) -> Any:
    """Return whether the model's answer to each row is a positive outcome."""
    import numpy

    if config.get("predicted_label") is not None:
        column = data.table[column_of(data.table, config["predicted_label"], "predicted_label")]
        return chosen_rows(column, _positives(config))[0]
    endpoint = Endpoint(variables, predictor, data.features)
    answers = endpoint.answers(data.asked.to_numpy(dtype=object))
    threshold = config.get("probability_threshold", predictor.get("probability_threshold"))
    names = [str(name) for name in predictor.get("label_headers") or ()]
    positive = {text_of(each) for each in _positives(config)}
    place = predictor.get("probability")
    if place is not None or (threshold is not None and predictor.get("label") is None):
        found = [pick(answer, place) for answer in answers]
        if names and isinstance(found[0], list):
            best = [names[max(range(len(each)), key=lambda n: float(each[n]))] for each in found]
            return numpy.array([each in positive for each in best])
        limit = float(threshold if threshold is not None else DEFAULT_THRESHOLD)
        return numpy.array([_first(each) > limit for each in found])
    found = [pick(answer, predictor.get("label")) for answer in answers]
    column = data.table[data.label]
    if is_continuous(column, _positives(config)):
        return numpy.array([_first(each) > float(_positives(config)[0]) for each in found])
    return numpy.array([_label_text(each) in positive for each in found])


def _first(value: Any) -> float:
    try:
        return float(value[0] if isinstance(value, list) else value)
    except (TypeError, ValueError, IndexError):
        raise UserError(f"the model's answer {str(value)[:40]!r} is no number") from None


def _label_text(value: Any) -> str:
    """Write a label of an answer; of CSV it is text, where 1.0 is 1."""
    value = value[0] if isinstance(value, list) and value else value
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value).strip()


def _bias(config: Mapping[str, Any], data: Data, method: Any, said: Any) -> dict[str, Any]:
    """Return a section of ``analysis.json``: metrics by facet and value."""
    if not data.label:
        raise UserError("`label` says which column is the label; it is missing")
    values = _positives(config)
    column = data.table[data.label]
    positive, words = chosen_rows(column, values)
    labels = as_texts(column)
    if is_continuous(column, values):
        labels = positive.astype(int).astype(str).astype(object)
    groups = None
    if config.get("group_variable") is not None:
        name = column_of(data.table, config["group_variable"], "group_variable")
        groups = as_texts(data.table[name])
    chosen = method.get("methods", "all") if isinstance(method, Mapping) else "all"
    metrics = PRE_TRAINING if said is None else POST_TRAINING
    features = None if said is None else as_numbers(data.asked)
    facets: dict[str, list[dict[str, Any]]] = {}
    for facet in config.get("facet") or ():
        name = column_of(data.table, facet.get("name_or_index"), "facet")
        for in_d, value in _facet_rows(data.table[name], facet):
            rows = Rows(in_d, positive, labels, said, groups, features)
            measured = measure(rows, metrics, chosen)
            facets.setdefault(name, []).append({"value_or_threshold": value, "metrics": measured})
    if not facets:
        raise UserError("`facet` says whose treatment is looked at; it is missing")
    made: dict[str, Any] = {"label": data.label, "facets": facets}
    return {**made, "label_value_or_threshold": words}


def _facet_rows(column: Any, facet: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Return the rows of each value of a facet; those together that the configuration names."""
    values = facet.get("value_or_threshold")
    if isinstance(values, list) and values:
        if is_continuous(column, values):
            return [chosen_rows(column, values)]
        return [chosen_rows(column, [value]) for value in values]
    return [chosen_rows(column, [value]) for value in sorted(set(as_texts(column)))]
