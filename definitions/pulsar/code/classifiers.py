"""The classifiers to choose from, and a trained one as files."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import joblib
import numpy as np
import sklearn
from candidates import FEATURES
from job import BadInputError
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODEL_FILE = "model.joblib"
METADATA_FILE = "metadata.json"
MAX_BYTES = 256 * 1024 * 1024  # of an unpacked model archive
# What a damaged pickle raises, as far as the standard library documents and numpy adds.
DAMAGED = (pickle.UnpicklingError, EOFError, AttributeError, ImportError, LookupError, ValueError)


class Classifier(Protocol):
    """What scikit-learn's classifiers have in common, as far as these jobs use it."""

    def fit(self, features: NDArray[np.float64], labels: NDArray[np.int64]) -> Any:
        """Learn from rows with known classes."""

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the class of each row."""

    def predict_proba(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each row's probabilities of class 0 and class 1."""


class BadModelError(BadInputError):
    """A model archive or folder that can't be used; the message says why."""


@dataclass(frozen=True)
class Settings:
    """What decides the outcome of a training, besides the data."""

    model: str = "random-forest"
    n_estimators: int = 10
    max_depth: int = 0
    learning_rate: float = 0.1
    rounds: int = 100
    regularisation: float = 1.0
    seed: int = 7


def build_random_forest(settings: Settings) -> Classifier:
    """Build a forest of ``n_estimators`` trees; one thread, so that nothing depends on timing.

    Trees grow to ``max_depth``; 0: as deep as they like.
    """
    forest: Classifier = RandomForestClassifier(
        n_estimators=settings.n_estimators,
        max_depth=settings.max_depth or None,
        random_state=settings.seed,
        n_jobs=1,
    )
    return forest


def build_logistic_balanced(settings: Settings) -> Classifier:
    """Build a logistic regression on scaled features, its classes weighted to equal shares."""
    regression: Classifier = make_pipeline(
        StandardScaler(),
        LogisticRegression(
            C=settings.regularisation,
            class_weight="balanced",
            max_iter=1000,
            random_state=settings.seed,
        ),
    )
    return regression


def build_gradient_boosting(settings: Settings) -> Classifier:
    """Build ``rounds`` boosted trees over binned features."""
    boosting: Classifier = HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_iter=settings.rounds,
        early_stopping=False,
        random_state=settings.seed,
    )
    return boosting


CLASSIFIERS = {
    "random-forest": build_random_forest,
    "logistic-balanced": build_logistic_balanced,
    "gradient-boosting": build_gradient_boosting,
}


def format_model(model: Classifier, settings: Settings) -> Mapping[str, bytes]:
    """Return the files of a trained model by name: the model, and what it was made from."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer, protocol=4)
    metadata = {
        "features": list(FEATURES),
        "scikit_learn": sklearn.__version__,
        "settings": asdict(settings),
    }
    text = json.dumps(metadata, indent=2, sort_keys=True) + "\n"
    return {MODEL_FILE: buffer.getvalue(), METADATA_FILE: text.encode()}


def read_model_archive(path: Path) -> Classifier:
    """Read the trained model out of a ``model.tar.gz``; raise BadModelError.

    Nothing is extracted to disk, so no member's name, link or mode can do harm; a member that
    tries is refused all the same. Loading a model runs code from it: it must come from a
    training job you trust.
    """
    if not path.is_file():
        raise BadModelError(f"{path}: no such model archive")
    files: dict[str, bytes] = {}
    try:
        with gzip.open(path) as stream:
            unpacked = stream.read(MAX_BYTES + 1)
        if len(unpacked) > MAX_BYTES:
            raise BadModelError(f"{path.name}: unpacks to more than {MAX_BYTES >> 20} MiB")
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for member in archive:
                name = check_member(member, path.name)
                content = archive.extractfile(member)
                if name in (MODEL_FILE, METADATA_FILE) and content is not None:
                    files[name] = content.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise BadModelError(f"{path.name}: not a readable tar.gz archive: {error}") from error
    return load_model(files, path.name)


def check_member(member: tarfile.TarInfo, archive: str) -> str:
    """Return a member's plain name; raise BadModelError for links, devices and ways out."""
    name = member.name.removeprefix("./")
    parts = name.split("/")
    if not (member.isfile() or member.isdir()) or name.startswith("/") or ".." in parts:
        raise BadModelError(f"{archive}: {member.name[:80]!a} has no place in a model archive")
    return name


def read_model_folder(folder: Path) -> Classifier:
    """Read the trained model from an unpacked folder; raise BadModelError."""
    names = (MODEL_FILE, METADATA_FILE)
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    return load_model(files, str(folder))


def load_model(files: Mapping[str, bytes], source: str) -> Classifier:
    """Load a model from its files' contents after a look at what it expects."""
    for name in (METADATA_FILE, MODEL_FILE):
        if name not in files:
            raise BadModelError(f"{source}: {name} is missing")
    try:
        metadata = json.loads(files[METADATA_FILE])
    except ValueError as error:
        raise BadModelError(f"{source}: {METADATA_FILE} is not JSON: {error}") from error
    if not isinstance(metadata, dict) or metadata.get("features") != list(FEATURES):
        raise BadModelError(f"{source}: the model was trained on other features")
    with warnings.catch_warnings():
        # scikit-learn promises nothing for a model of another version: no warning but a stop.
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            model: Classifier = joblib.load(io.BytesIO(files[MODEL_FILE]))
        except InconsistentVersionWarning as error:
            raise BadModelError(
                f"{source}: trained with scikit-learn {metadata.get('scikit_learn')}, "
                f"this is {sklearn.__version__}; train and use a model with one version"
            ) from error
        except DAMAGED as error:
            raise BadModelError(f"{source}: {MODEL_FILE} can't be loaded: {error}") from error
    if not hasattr(model, "predict_proba"):
        raise BadModelError(f"{source}: {MODEL_FILE} holds no classifier")
    return model
