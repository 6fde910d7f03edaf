"""Training job: fit the chosen classifier to the training set and save it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from candidates import Candidates, find_only_file, read_candidates, split
from classifiers import CLASSIFIERS, Classifier, Settings, format_model
from job import finish, write_files
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from threadpoolctl import threadpool_limits


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the hyperparameters; the folders are those of script mode's environment."""
    base = Path("/opt/ml")
    get = os.environ.get
    default = Settings()
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--model", choices=sorted(CLASSIFIERS), default=default.model)
    parser.add_argument("--n-estimators", type=int, default=default.n_estimators)
    parser.add_argument("--max-depth", type=int, default=default.max_depth)
    parser.add_argument("--rounds", type=int, default=default.rounds)
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
    parser.add_argument("--regularisation", type=float, default=default.regularisation)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--validation-share", type=float, default=0.0)
    channel = Path(get("SM_CHANNEL_TRAIN", base / "input/data/train"))
    parser.add_argument("--train", type=Path, default=channel)
    parser.add_argument("--model-dir", type=Path, default=Path(get("SM_MODEL_DIR", base / "model")))
    output = Path(get("SM_OUTPUT_DIR", base / "output"))
    parser.add_argument("--message", type=Path, default=output / "failure")
    options = parser.parse_args(argv)
    for name in ("n_estimators", "rounds", "learning_rate", "regularisation"):
        if not getattr(options, name) > 0:
            parser.error(f"--{name.replace('_', '-')} must be greater than 0")
    if options.max_depth < 0:
        parser.error("--max-depth is a whole number, 0 for no limit")
    if not 0 <= options.validation_share <= 0.5:
        parser.error("--validation-share is a number from 0 to 0.5")
    if not 0 <= options.seed < 2**32:
        parser.error("--seed is a whole number from 0 to 4294967295")
    return options


def fit(settings: Settings, candidates: Candidates) -> Classifier:
    """Fit the classifier in one thread: sums then don't depend on the number of cores."""
    model = CLASSIFIERS[settings.model](settings)
    with threadpool_limits(limits=1):
        model.fit(candidates.features, candidates.labels)
    return model


def score(model: Classifier, candidates: Candidates) -> Mapping[str, float]:
    """Measure a model on a set; a metric without a value counts as 0."""
    predicted = model.predict(candidates.features)
    return {
        "accuracy": float(accuracy_score(candidates.labels, predicted)),
        "precision": float(precision_score(candidates.labels, predicted, zero_division=0)),
        "recall": float(recall_score(candidates.labels, predicted, zero_division=0)),
        "f1": float(f1_score(candidates.labels, predicted, zero_division=0)),
    }


def train(options: argparse.Namespace) -> None:
    """Train, save the model and print the metrics that the definition's regexes read.

    Where a share is held out, as in a search for settings, the model never sees it.
    """
    names = Settings.__dataclass_fields__
    settings = Settings(**{name: getattr(options, name) for name in names})
    candidates = read_candidates(find_only_file(options.train))
    held_out = None
    if options.validation_share:
        candidates, held_out = split(candidates, options.validation_share, settings.seed)
    model = fit(settings, candidates)
    files = format_model(model, settings)
    write_files({options.model_dir / name: content for name, content in files.items()})
    print(f"trained {settings.model} on {len(candidates)} rows")
    for part, rows in (("train", candidates), ("validation", held_out)):
        for name, value in score(model, rows).items() if rows is not None else ():
            print(f"{part}:{name}={value:.6f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the job; return its exit code."""
    options = parse_arguments(argv)
    return finish(lambda: train(options), options.message)


if __name__ == "__main__":
    sys.exit(main())
