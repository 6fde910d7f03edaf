"""Processing job: measure the trained model on the test set, as JSON and as a picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from candidates import FEATURES, Candidates, find_only_file, read_candidates
from classifiers import Classifier, read_model_archive
from job import finish, write_files
from quality import report
from sklearn.inspection import permutation_importance
from threadpoolctl import threadpool_limits

SHOWN = ("accuracy", "precision", "recall", "f1", "g_mean", "auc")
REPEATS = 5  # of each feature's permutation


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the job's arguments; the folders are the service's unless given."""
    base = Path("/opt/ml/processing")
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model", type=Path, default=base / "model")
    parser.add_argument("--test", type=Path, default=base / "test")
    parser.add_argument("--report", type=Path, default=base / "report")
    parser.add_argument("--message", type=Path, default=Path("/opt/ml/output/message"))
    options = parser.parse_args(argv)
    if not 0 <= options.seed < 2**32:
        parser.error("--seed is a whole number from 0 to 4294967295")
    return options


def weigh(model: Classifier, test: Candidates, seed: int) -> tuple[Mapping[str, float], str]:
    """Return each feature's importance, and what the numbers are.

    The model's own where it has one, else how much F1 the test set loses without the feature.
    """
    own = getattr(model, "feature_importances_", None)
    if own is not None:
        values, measure = own, "mean decrease in impurity"
    else:
        found = permutation_importance(
            model,
            test.features,
            test.labels,
            scoring="f1",
            n_repeats=REPEATS,
            random_state=seed,
            n_jobs=1,
        )
        values, measure = found.importances_mean, "F1 lost when the feature is permuted"
    return dict(zip(FEATURES, map(float, values), strict=True)), measure


def draw_picture(
    model: Classifier, test: Candidates, metrics: Mapping[str, Any], seed: int
) -> dict[str, bytes]:
    """Return the picture by its name, or nothing where matplotlib is not installed.

    The numbers decide about a model; an image without matplotlib is no reason to lose them.
    """
    try:
        from picture import draw
    except ModuleNotFoundError as error:
        print(f"note: no picture, {error.name} is not installed", file=sys.stderr)
        return {}
    importance, measure = weigh(model, test, seed)
    pulsars = int(test.labels.sum())
    title = f"Pulsar classifier on {len(test):,} test candidates, {pulsars:,} of them pulsars"
    return {"evaluation.png": draw(title, metrics, importance, measure)}


def evaluate(options: argparse.Namespace) -> None:
    """Measure the model, write the report and print the main numbers."""
    model = read_model_archive(options.model / "model.tar.gz")
    test = read_candidates(find_only_file(options.test))
    with threadpool_limits(limits=1):
        predicted = model.predict(test.features)
        scores = model.predict_proba(test.features)[:, 1]
        statistics: dict[str, Any] = report(test.labels, predicted, scores, options.seed)
        metrics = statistics["binary_classification_metrics"]
        files = draw_picture(model, test, metrics, options.seed)
    text = json.dumps(statistics, indent=2, allow_nan=False) + "\n"
    files["metrics.json"] = text.encode()
    write_files({options.report / name: content for name, content in files.items()})
    for name in SHOWN:
        print(f"test:{name}={metrics[name]['value']:.6f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; return its exit code."""
    options = parse_arguments(argv)
    return finish(lambda: evaluate(options), options.message)


if __name__ == "__main__":
    sys.exit(main())
