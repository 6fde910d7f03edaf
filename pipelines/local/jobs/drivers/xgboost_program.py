"""What the XGBoost image trains when it was given no script; runs inside a job.

The runner copies this file beside the job: it imports the standard library and the libraries of the
model alone. Source of the contract: Amazon SageMaker Developer Guide, "XGBoost algorithm with
Amazon SageMaker AI": "Input/Output Interface", "XGBoost hyperparameters", "How to use"; the log
lines are those of its tuning metrics.
"""

from __future__ import annotations

import difflib
import itertools
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ML = Path("/opt/ml")
MODEL = "xgboost-model"

CSV = ("text/csv", "csv")
LIBSVM = ("text/libsvm", "libsvm", "text/x-libsvm")
PARQUET = ("application/x-parquet", "parquet")

BOOSTER = frozenset({
    "alpha", "aft_loss_distribution", "aft_loss_distribution_scale", "base_score", "booster",
    "colsample_bylevel", "colsample_bynode", "colsample_bytree", "eta", "gamma", "grow_policy",
    "huber_slope", "interaction_constraints", "lambda", "learning_rate", "max_bin",
    "max_cat_threshold", "max_cat_to_onehot", "max_delta_step", "max_depth", "max_leaves",
    "min_child_weight", "monotone_constraints", "multi_strategy", "normalize_type", "nthread",
    "num_class", "num_parallel_tree", "objective", "one_drop", "process_type", "rate_drop",
    "refresh_leaf", "sample_type", "sampling_method", "scale_pos_weight", "seed", "skip_drop",
    "subsample", "top_k", "tree_method", "tweedie_variance_power", "updater", "verbosity",
    "feature_selector", "min_split_loss", "reg_alpha", "reg_lambda",
})  # fmt: skip
"""Hyperparameters that the library takes as they are."""

OWN = frozenset({"num_round", "csv_weights", "early_stopping_rounds", "eval_metric"})

WITHOUT_EFFECT = frozenset({
    "silent", "dsplit", "sketch_eps", "predictor", "lambda_bias", "single_precision_histogram",
    "deterministic_histogram", "use_dask_gpu_training", "save_model_on_termination",
    "_tuning_objective_metric", "prob_buffer_row",
})  # fmt: skip
"""Hyperparameters of some image that this library no longer has, or that steer the service."""

MAXIMISED = ("auc", "aucpr", "map", "ndcg", "pre", "accuracy", "f1")


class UserError(Exception):
    """A mistake in the request or the data."""


def main() -> int:
    """Train, save the model; a mistake of the user's becomes the job's failure reason."""
    try:
        train(old_format=sys.argv[1:] == ["--pickle"])
    except UserError as error:
        (ML / "output" / "failure").write_text(str(error), encoding="utf-8")
        print(f"ERROR: {error}", flush=True)
        return 1
    return 0


def train(old_format: bool) -> None:
    """Train on the channels ``train`` and ``validation``.

    Args:
        old_format: save the model as images before version 1.3 do, pickled.
    """
    try:
        import xgboost
    except ImportError:
        raise UserError(
            "the stand-in for the XGBoost image needs the package xgboost; install it where jobs "
            "run: pip install xgboost"
        ) from None
    given = json.loads((ML / "input/config/hyperparameters.json").read_text(encoding="utf-8"))
    rounds, parameters, own = read_parameters(given)
    channels = json.loads((ML / "input/config/inputdataconfig.json").read_text(encoding="utf-8"))
    if "train" not in channels:
        raise UserError("there is no channel `train`")
    weights = own.get("csv_weights") == "1"
    data = {
        name: load_channel(name, channels[name].get("ContentType", LIBSVM[0]), weights)
        for name in ("train", "validation")
        if name in channels
    }
    for name, matrix in data.items():
        print(f"{name}: {matrix.num_row()} rows, {matrix.num_col()} columns", flush=True)
    metrics, custom = read_metrics(own.get("eval_metric", ""))
    if metrics:
        parameters["eval_metric"] = metrics
    try:
        booster = xgboost.train(
            parameters,
            data["train"],
            rounds,
            evals=[(matrix, name) for name, matrix in data.items()],
            custom_metric=custom,
            verbose_eval=False,
            callbacks=callbacks(own, "validation" in data),
        )
    except (xgboost.core.XGBoostError, ValueError, TypeError) as error:
        raise UserError(_reason(str(error))) from None
    save(booster, old_format)


def read_parameters(
    given: dict[str, str],
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Return the number of rounds, the library's parameters, and the image's own ones."""
    unknown = sorted(set(given) - BOOSTER - OWN - WITHOUT_EFFECT)
    if unknown:
        near = difflib.get_close_matches(unknown[0], BOOSTER | OWN, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise UserError(f"the XGBoost image knows no hyperparameter `{unknown[0]}`{hint}")
    rounds = given.get("num_round", "")
    if not rounds.isdigit() or int(rounds) < 1:
        found = f"it is {rounds!r}" if rounds else "it is missing"
        raise UserError(f"num_round must be a whole number of at least 1; {found}")
    parameters: dict[str, Any] = {key: value for key, value in given.items() if key in BOOSTER}
    if parameters.get("objective") == "reg:linear":
        # What newer releases call it.
        parameters["objective"] = "reg:squarederror"
    return int(rounds), parameters, {key: value for key, value in given.items() if key in OWN}


def read_metrics(text: str) -> tuple[list[str], Callable[..., Any] | None]:
    """Return the library's metrics, and a function for those that the image adds to them."""
    names = [name.strip() for name in text.strip("[]").replace("'", "").split(",") if name.strip()]
    added = [name for name in names if name in ADDED]

    def custom(predictions: Any, matrix: Any) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        return [(name, ADDED[name](labels, _classes(predictions))) for name in added]

    return [name for name in names if name not in ADDED], custom if added else None


def _classes(predictions: Any) -> Any:
    """Return the class of each row: of probabilities, of scores per class, or of numbers."""
    import numpy as np

    if predictions.ndim > 1:
        return predictions.argmax(axis=1)
    inside = predictions.size and predictions.min() >= 0 and predictions.max() <= 1
    return np.round(predictions) if inside else predictions


def _accuracy(labels: Any, found: Any) -> float:
    return float((labels == found).mean())


def _f1(labels: Any, found: Any) -> float:
    """The mean of F1 over the classes, as the image's ``f1`` (macro)."""
    import numpy as np

    scores = []
    for each in np.unique(labels):
        hits = float(((labels == each) & (found == each)).sum())
        total = float((labels == each).sum() + (found == each).sum())
        scores.append(2 * hits / total if total else 0.0)
    return sum(scores) / len(scores)


def _mse(labels: Any, found: Any) -> float:
    return float(((labels - found) ** 2).mean())


ADDED: dict[str, Callable[[Any, Any], float]] = {"accuracy": _accuracy, "f1": _f1, "mse": _mse}
"""Metrics that the image has and the library has not."""


def callbacks(own: dict[str, str], validated: bool) -> list[Any]:
    """Return what happens after each round: a log line, and stopping early."""
    import xgboost

    class Lines(xgboost.callback.TrainingCallback):
        """Prints the round's metrics as the image's log shows them."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            del model
            shown = [
                f"{name}-{metric}:{values[-1]:.5f}"
                for name, found in evals_log.items()
                for metric, values in found.items()
            ]
            print("#011".join([f"[{epoch}]", *shown]), flush=True)
            return False

    made: list[Any] = [Lines()]
    rounds = own.get("early_stopping_rounds")
    if rounds is not None and validated:
        if not rounds.isdigit() or int(rounds) < 1:
            raise UserError(f"early_stopping_rounds is {rounds!r}, no whole number of at least 1")
        metric = own.get("eval_metric", "").rpartition(",")[2].strip() or None
        stop = xgboost.callback.EarlyStopping(
            int(rounds),
            metric_name=metric,
            data_name="validation",
            maximize=metric.partition("@")[0] in MAXIMISED if metric else None,
            save_best=True,
        )
        made.append(stop)
    return made


def load_channel(name: str, content_type: str, weights: bool) -> Any:
    """Read a channel's files as one matrix.

    Args:
        name: the channel.
        content_type: text/csv, text/libsvm or application/x-parquet, parameters allowed.
        weights: the second column of CSV holds the rows' weights.
    """
    folder = ML / "input/data" / name
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith((".", "_"))
    ]
    if not files:
        raise UserError(f"the channel `{name}` holds no files")
    kind = content_type.partition(";")[0].strip().lower()
    if kind in CSV:
        return _matrix_of_rows(_csv(files), 2 if weights else 1)
    if kind in LIBSVM:
        return _libsvm(files)
    if kind in PARQUET:
        return _matrix_of_rows(_parquet(files), 1)
    raise UserError(
        f"the content type {content_type!r} of channel `{name}` cannot be read here: text/csv, "
        "text/libsvm and application/x-parquet can"
    )


def _matrix_of_rows(rows: Any, first: int) -> Any:
    import xgboost

    if rows.shape[1] <= first:
        raise UserError(f"the data have {rows.shape[1]} columns; the label comes first")
    weight = rows[:, 1] if first == 2 else None
    return xgboost.DMatrix(rows[:, first:], label=rows[:, 0], weight=weight)


def _csv(files: list[Path]) -> Any:
    """Read CSV files without a header, the label first; an empty field is a missing value."""
    import numpy as np

    parts = []
    for path in files:
        with path.open("rb") as stream:
            line = stream.readline(1 << 16).decode("utf-8-sig", "replace").strip()
        if not line:
            continue
        delimiter = next((each for each in ",;\t| " if each in line), ",")
        _refuse_header(line, delimiter, path)
        try:
            rows = np.loadtxt(path, delimiter=delimiter, dtype=np.float32, ndmin=2)
        except ValueError:
            # Slower, but it takes empty fields.
            rows = _with_gaps(path, delimiter)
        parts.append(rows)
    if not parts:
        raise UserError("the data have no rows")
    _refuse_unequal(parts, files)
    return np.concatenate(parts)


def _refuse_header(line: str, delimiter: str, path: Path) -> None:
    for field in line.split(delimiter):
        try:
            float(field.strip().strip('"') or 0)
        except ValueError:  # noqa: PERF203 - one line of a file
            raise UserError(
                f"{path.name}: {field.strip()[:40]!r} in the first line is no number; the image "
                "takes CSV of numbers without a header"
            ) from None


def _with_gaps(path: Path, delimiter: str) -> Any:
    import csv

    import numpy as np

    rows: list[list[float]] = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for number, fields in enumerate(csv.reader(stream, delimiter=delimiter), 1):
            if not fields:
                continue
            try:
                rows.append([float(each) if each.strip() else np.nan for each in fields])
            except ValueError as error:
                raise UserError(f"{path.name}, line {number}: {error}") from None
            if len(fields) != len(rows[0]):
                raise UserError(
                    f"{path.name}, line {number}: {len(fields)} columns, the first has "
                    f"{len(rows[0])}"
                )
    return np.array(rows, dtype=np.float32)


def _refuse_unequal(parts: list[Any], files: list[Path]) -> None:
    widths = {part.shape[1] for part in parts}
    if len(widths) > 1:
        names = ", ".join(path.name for path in files[:5])
        raise UserError(f"the files have different numbers of columns: {sorted(widths)} ({names})")


def _parquet(files: list[Path]) -> Any:
    """Read Parquet files, the label in the first column."""
    import numpy as np

    try:
        from pyarrow import parquet
    except ImportError:
        raise UserError("reading Parquet needs the package pyarrow: pip install pyarrow") from None
    parts = []
    for path in files:
        try:
            table = parquet.read_table(path)
            columns = [table.column(n).to_numpy() for n in range(table.num_columns)]
            parts.append(np.column_stack(columns).astype(np.float32))
        except (ValueError, TypeError, OSError) as error:  # noqa: PERF203 - few files
            raise UserError(f"{path.name}: {error}") from None
    _refuse_unequal(parts, files)
    return np.concatenate(parts)


def _libsvm(files: list[Path]) -> Any:
    """Read ``LABEL[:WEIGHT] [qid:N] INDEX:VALUE …`` lines as a sparse matrix."""
    import numpy as np
    import xgboost
    from scipy.sparse import csr_matrix

    labels: list[float] = []
    weights: list[float] = []
    groups: list[int] = []
    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for where, words in _words(files):
        try:
            label, _, weight = words[0].partition(":")
            labels.append(float(label))
            weights.append(float(weight or 1))
            for word in words[1:]:
                index, _, value = word.partition(":")
                if index == "qid":
                    groups.append(int(value))
                else:
                    columns.append(int(index))
                    values.append(float(value))
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None
        ends.append(len(columns))
    if not labels or min(columns, default=0) < 0:
        raise UserError("the data have no rows, or a column below 0")
    width = max(columns, default=0) + 1
    shape = (len(labels), width)
    rows = csr_matrix((np.array(values, dtype=np.float32), columns, ends), shape=shape)
    matrix = xgboost.DMatrix(rows, label=labels, weight=weights)
    if groups:
        matrix.set_group([len(list(same)) for _, same in itertools.groupby(groups)])
    return matrix


def _words(files: list[Path]) -> Iterator[tuple[str, list[str]]]:
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, 1):
                words = line.partition("#")[0].split()
                if words:
                    yield f"{path.name}, line {number}", words


def save(booster: Any, old_format: bool) -> None:
    """Write the model: the library's own format, or pickled as images before 1.3 do."""
    path = ML / "model" / MODEL
    if old_format:
        with path.open("wb") as stream:
            pickle.dump(booster, stream)
    else:
        path.write_bytes(booster.save_raw("ubj"))
    print(f"saved {path.name}", flush=True)


def _reason(text: str) -> str:
    """Return what the library says without its stack trace."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.rpartition("Check failed: ")[2].strip() or first.strip()


if __name__ == "__main__":
    sys.exit(main())
