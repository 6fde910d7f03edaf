"""How good a model's answers are: Model Monitor's metrics of model quality.

Source: Amazon SageMaker Developer Guide, "Model quality metrics and Amazon CloudWatch monitoring";
the formulas of the metrics are the usual ones, that of F-beta (1+β²)·p·r / (β²·p + r).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .problems import UserError

ENOUGH_FOR_DEVIATION = 200
SAMPLES, PART = 5, 0.8
"""Metrics have a standard deviation from 200 rows on: that of five samples of 80 % of the rows
(Developer Guide, as above)."""

BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
_NAN = float("nan")

_LESS, _GREATER = "LessThanThreshold", "GreaterThanThreshold"
OPERATORS: Mapping[str, Mapping[str, str]] = {
    "binary_classification": {
        **dict.fromkeys(("recall", "precision", "accuracy", "true_positive_rate",
                         "true_negative_rate", "auc", *BETAS), _LESS),
        **dict.fromkeys(("false_positive_rate", "false_negative_rate"), _GREATER),
    },
    "multiclass_classification": dict.fromkeys(
        ("accuracy", "weighted_recall", "weighted_precision", *(f"weighted_{f}" for f in BETAS)),
        _LESS,
    ),
    "regression": {**dict.fromkeys(("mae", "mse", "rmse"), _GREATER), "r2": _LESS},
}  # fmt: skip
"""When a metric breaks its constraint, by problem type."""

PROBLEMS = {
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
    "Regression": "regression",
}

Metrics = dict[str, float]


@dataclass(frozen=True)
class Answers:
    """The model's answers beside the truth, as numpy arrays.

    Attributes:
        truth: numbers, or classes as text.
        found: what the model said, likewise.
        scores: the probability of the positive class; None where it was not told.
        positive: the positive class of two.
    """

    truth: Any
    found: Any
    scores: Any = None
    positive: str = "1"

    def part(self, rows: Any) -> Answers:
        """Return some of the rows."""
        scores = None if self.scores is None else self.scores[rows]
        return Answers(self.truth[rows], self.found[rows], scores, self.positive)


def judge(table: Any, variables: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the contents of ``statistics.json`` and ``constraints.json``.

    Raises:
        UserError: the variables name no problem or no column.
    """
    problem = PROBLEMS.get(variables.get("problem_type", ""))
    if problem is None:
        raise UserError(
            f"problem_type is {variables.get('problem_type')!r}; it is one of {', '.join(PROBLEMS)}"
        )
    answers = _answers(table, variables, problem)
    measure = _MEASURES[problem]
    values, deviations = measure(answers), _deviations(answers, measure)
    described: dict[str, Any] = {}
    if problem != "regression":
        described["confusion_matrix"] = confusion(answers)
    for name, value in values.items():
        described[name] = {"value": value, "standard_deviation": deviations.get(name, _NAN)}
    if problem != "regression":
        constant = _constant(answers)
        for name, value in measure(constant).items():
            if name.endswith("_rate"):
                continue
            described[f"{name}_best_constant_classifier"] = {
                "value": value,
                "standard_deviation": _deviations(constant, measure).get(name, _NAN),
            }
    if answers.scores is not None and problem == "binary_classification":
        described.update(_curves(answers))
    statistics = {
        "version": 0.0,
        "dataset": {"item_count": len(answers.truth)},
        f"{problem}_metrics": described,
    }
    thresholds = {
        name: {"threshold": values[name], "comparison_operator": operator}
        for name, operator in OPERATORS[problem].items()
        if name in values and values[name] == values[name]
    }
    return statistics, {"version": 0.0, f"{problem}_constraints": thresholds}


def compare(
    statistics: Mapping[str, Any], constraints: Mapping[str, Any]
) -> list[dict[str, str]]:  # fmt: skip
    """Return the metrics that break a baseline's constraints, as violations.

    Raises:
        UserError: the baseline is of another problem.
    """
    found = []
    for problem in OPERATORS:
        metrics = statistics.get(f"{problem}_metrics")
        if metrics is None:
            continue
        limits = constraints.get(f"{problem}_constraints")
        if not isinstance(limits, Mapping):
            raise UserError(f"the baseline's constraints have no `{problem}_constraints`")
        for name, limit in limits.items():
            if name not in metrics:
                raise UserError(f"the baseline limits `{name}`, which was not calculated")
            value, bound = float(metrics[name]["value"]), float(limit["threshold"])
            operator = str(limit["comparison_operator"])
            broken = value < bound if operator == _LESS else value > bound
            if broken or value != value:
                deviation = metrics[name]["standard_deviation"]
                found.append({
                    "constraint_check_type": operator,
                    "description": f"Metric {name} with {value} +/- {deviation} was {operator} "
                    f"'{bound}'",
                    "metric_name": name,
                })  # fmt: skip
    return found


def _answers(table: Any, variables: Mapping[str, str], problem: str) -> Answers:
    truth = _column(table, variables, "ground_truth_attribute")
    if truth is None:
        raise UserError("ground_truth_attribute is missing: where the truth stands")
    found = _column(table, variables, "inference_attribute")
    scores = _column(table, variables, "probability_attribute")
    if found is None and scores is None:
        raise UserError("neither inference_attribute nor probability_attribute says where the "
                        "model's answers stand")  # fmt: skip
    used = [each for each in (truth, found, scores) if each is not None]
    whole = used[0].notna()
    for each in used[1:]:
        whole &= each.notna()
    if not whole.any():
        raise UserError("no row has both the truth and the model's answer")
    if problem == "regression":
        return Answers(_numbers(truth[whole], "the truth"), _numbers(found[whole], "the answer"))
    classes = _classes(truth[whole])
    if scores is None or problem != "binary_classification":
        return Answers(classes, _classes(found[whole]), positive=_positive(classes))
    positive = _positive(classes)
    chances = _numbers(scores[whole], "the probability")
    if found is not None:
        return Answers(classes, _classes(found[whole]), chances, positive)
    threshold = float(variables.get("probability_threshold_attribute") or 0.5)
    negative = next((each for each in classes if each != positive), "0")
    import numpy

    # [U] Whether a probability that equals the threshold is a yes is not documented.
    return Answers(
        classes, numpy.where(chances >= threshold, positive, negative), chances, positive
    )


def _column(table: Any, variables: Mapping[str, str], name: str) -> Any:
    """Return the column that a variable names: by its name, its index, or a JSONPath."""
    given = variables.get(name)
    if not given:
        return None
    path = given.removeprefix("$.").replace("[", ".").replace("]", "").strip(".")
    for each in (given, path, path.replace("'", "").replace('"', "")):
        if each in table.columns:
            return table[each]
    if given.isdigit() and int(given) < len(table.columns):
        return table.iloc[:, int(given)]
    raise UserError(
        f"{name} is {given!r}; the data have the columns {', '.join(map(str, table.columns[:20]))}"
    )


def _numbers(column: Any, what: str) -> Any:
    try:
        return column.to_numpy(dtype="float64")
    except (ValueError, TypeError):
        raise UserError(f"{what} holds what is no number") from None


def _classes(column: Any) -> Any:
    """Return classes as text; 1 and 1.0 are the same class."""
    import numpy
    import pandas

    if pandas.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype="float64")
        return numpy.array([f"{value:g}" for value in numbers], dtype=object)
    return column.astype("string").to_numpy(dtype=object)


def _positive(classes: Any) -> str:
    """Return the positive class. [U] 1 where there is one, else the last by name."""
    known = sorted(set(classes))
    return "1" if "1" in known else str(known[-1])


def confusion(answers: Answers) -> dict[str, dict[str, int]]:
    """Return how often each class was found for each true one."""
    classes = sorted({*answers.truth, *answers.found})
    return {
        true: {
            said: int(((answers.truth == true) & (answers.found == said)).sum()) for said in classes
        }
        for true in classes
    }


def _constant(answers: Answers) -> Answers:
    """Return the answers of the best classifier that always says the same."""
    import numpy

    classes, counts = numpy.unique(answers.truth.astype(str), return_counts=True)
    best = str(classes[counts.argmax()])
    said = numpy.full(len(answers.truth), best, dtype=object)
    return Answers(answers.truth, said, None, answers.positive)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def f_beta(precision: float, recall: float, beta: float) -> float:
    """Return the weighted harmonic mean of precision and recall."""
    square = beta * beta
    return _ratio((1 + square) * precision * recall, square * precision + recall)


def measure_binary(answers: Answers) -> Metrics:
    """Return the metrics of two classes."""
    true, said = answers.truth == answers.positive, answers.found == answers.positive
    tp, fp = float((true & said).sum()), float((~true & said).sum())
    fn, tn = float((true & ~said).sum()), float((~true & ~said).sum())
    recall, precision = _ratio(tp, tp + fn), _ratio(tp, tp + fp)
    made = {
        "recall": recall,
        "precision": precision,
        "accuracy": _ratio(tp + tn, tp + tn + fp + fn),
        "true_positive_rate": recall,
        "true_negative_rate": _ratio(tn, tn + fp),
        "false_positive_rate": _ratio(fp, fp + tn),
        "false_negative_rate": _ratio(fn, fn + tp),
        **{name: f_beta(precision, recall, beta) for name, beta in BETAS.items()},
    }
    if answers.scores is not None:
        made["auc"] = area(true, answers.scores)
    return made


def area(true: Any, scores: Any) -> float:
    """Return the area under the ROC curve: how often a positive row outscores a negative one."""
    import pandas

    positives, negatives = int(true.sum()), int((~true).sum())
    if not positives or not negatives:
        return _NAN
    ranks = pandas.Series(scores).rank().to_numpy()
    wins = float(ranks[true].sum()) - positives * (positives + 1) / 2
    return wins / (positives * negatives)


def _curves(answers: Answers) -> dict[str, Any]:
    """Return the ROC and the precision-recall curve, a point for each score."""
    import numpy

    true = answers.truth == answers.positive
    order = numpy.argsort(-answers.scores, kind="stable")
    hits, scores = true[order], answers.scores[order]
    ends = numpy.append(numpy.nonzero(numpy.diff(scores))[0], len(scores) - 1)
    tp = numpy.cumsum(hits)[ends].astype(float)
    fp = ends + 1.0 - tp
    positives, negatives = max(1.0, float(hits.sum())), max(1.0, float((~hits).sum()))
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0.0, *(fp / negatives).tolist()],
            "true_positive_rates": [0.0, *(tp / positives).tolist()],
        },
        "precision_recall_curve": {
            "precisions": [1.0, *(tp / (tp + fp)).tolist()],
            "recalls": [0.0, *(tp / positives).tolist()],
        },
    }


def measure_classes(answers: Answers) -> Metrics:
    """Return the metrics of several classes, weighted by how often each is true."""
    sums = dict.fromkeys(("weighted_recall", "weighted_precision"), 0.0)
    sums.update({f"weighted_{name}": 0.0 for name in BETAS})
    for each in set(answers.truth):
        true, said = answers.truth == each, answers.found == each
        tp, weight = float((true & said).sum()), float(true.mean())
        recall, precision = _ratio(tp, float(true.sum())), _ratio(tp, float(said.sum()))
        sums["weighted_recall"] += weight * recall
        sums["weighted_precision"] += weight * precision
        for name, beta in BETAS.items():
            sums[f"weighted_{name}"] += weight * f_beta(precision, recall, beta)
    return {"accuracy": float((answers.truth == answers.found).mean()), **sums}


def measure_regression(answers: Answers) -> Metrics:
    """Return the metrics of numbers."""
    import numpy

    errors = answers.truth - answers.found
    mse = float((errors**2).mean())
    spread = float(((answers.truth - answers.truth.mean()) ** 2).mean())
    return {
        "mae": float(numpy.abs(errors).mean()),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": 1 - mse / spread if spread else _NAN,
    }


_MEASURES: Mapping[str, Callable[[Answers], Metrics]] = {
    "binary_classification": measure_binary,
    "multiclass_classification": measure_classes,
    "regression": measure_regression,
}


def _deviations(answers: Answers, measure: Callable[[Answers], Metrics]) -> Metrics:
    """Return the metrics' standard deviations over samples; nothing for a few rows."""
    import numpy

    count = len(answers.truth)
    if count < ENOUGH_FOR_DEVIATION:
        return {}
    chance = numpy.random.default_rng(0)  # the same data give the same file
    made = [
        measure(answers.part(chance.choice(count, int(count * PART), replace=False)))
        for _ in range(SAMPLES)
    ]
    return {name: float(numpy.std([each[name] for each in made])) for name in made[0]}
