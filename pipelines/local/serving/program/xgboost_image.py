"""What the XGBoost image serves when it was given no script.

Source: Amazon SageMaker Developer Guide, "XGBoost algorithm": CSV or libsvm without the label in,
predictions out.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

from . import formats
from .refusals import Refused

MODEL = "xgboost-model"
LIBSVM = ("text/libsvm", "text/x-libsvm")


class XGBoostImage:
    """Predictions of a booster.

    Args:
        model_folder: the unpacked model.
        batch: whether a batch transform asks, which wants a prediction a line.
    """

    def __init__(self, model_folder: str, batch: bool) -> None:
        self._batch = batch
        self._booster = load_booster(Path(model_folder))

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Make the prediction for one request; return it and its type.

        Raises:
            Refused: the request gets none.
        """
        import numpy as np
        import xgboost

        kind = formats.media_type(content_type)
        if kind == formats.CSV:
            rows = np.array(formats.parse_rows(formats.text_of(body)), dtype=np.float32)
            matrix = xgboost.DMatrix(rows)
        elif kind in LIBSVM:
            matrix = xgboost.DMatrix(parse_libsvm(formats.text_of(body), self._features()))
        else:
            raise Refused(415, f"content type {content_type!r} is neither text/csv nor text/libsvm")
        if self._features() and matrix.num_col() != self._features():
            raise Refused(
                400,
                f"the rows have {matrix.num_col()} columns, the model takes "
                f"{self._features()}, without the label",
            )
        try:
            predictions = self._booster.predict(matrix, validate_features=False).tolist()
        except (ValueError, xgboost.core.XGBoostError) as error:
            raise Refused(400, str(error).splitlines()[0]) from None
        return self._written(predictions, accept)

    def _features(self) -> int:
        return int(self._booster.num_features())

    def _written(self, predictions: list[Any], accept: str) -> tuple[bytes, str]:
        wanted = [formats.media_type(each) for each in accept.split(",")]
        for kind in wanted:
            if kind in (formats.CSV, "*/*", "text/*", ""):
                shown = [
                    ",".join(map(str, each)) if isinstance(each, list) else str(each)
                    for each in predictions
                ]
                text = "".join(f"{each}\n" for each in shown) if self._batch else ",".join(shown)
                return text.encode(), formats.CSV
            scores = [{"score": each} for each in predictions]
            if kind == formats.JSON:
                return json.dumps({"predictions": scores}).encode(), formats.JSON
            if kind in formats.JSON_LINES:
                return "".join(json.dumps(each) + "\n" for each in scores).encode(), kind
        offered = "text/csv, application/json and application/jsonlines"
        raise Refused(406, f"accept {accept!r}: only {offered} are offered")


def load_booster(folder: Path) -> Any:
    """Load the model of a training job: XGBoost's own format, or the older images' pickle.

    Raises:
        SystemExit: the folder holds no model.
    """
    try:
        import xgboost
    except ImportError:
        sys.exit("the XGBoost image's stand-in needs the package xgboost: pip install xgboost")
    files = [each for each in sorted(folder.iterdir()) if each.is_file()]
    named = [each for each in files if each.name == MODEL] or files
    if not named:
        sys.exit(f"the model's archive holds no {MODEL}")
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(named[0].read_bytes()))
    except xgboost.core.XGBoostError:
        # Images before 1.3 pickle the booster. It runs where the model's own code would, too.
        with named[0].open("rb") as stream:
            booster = pickle.load(stream)  # noqa: S301 - see above
    # Workers are what runs side by side; threads of one prediction would wait for each other.
    booster.set_param({"nthread": 1})
    return booster


def parse_libsvm(text: str, features: int) -> Any:
    """Read ``[LABEL] INDEX:VALUE …`` lines, counted from 0, as a sparse matrix.

    Raises:
        Refused: 400, naming the line.
    """
    from scipy.sparse import csr_matrix

    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for number, line in enumerate(text.splitlines(), 1):
        for place, word in enumerate(line.split()):
            index, sign, value = word.partition(":")
            if not sign and place == 0:
                continue
            try:
                columns.append(int(index))
                values.append(float(value))
            except ValueError:
                raise Refused(400, f"line {number}: {word[:40]!r} is no INDEX:VALUE") from None
            if not 0 <= columns[-1] < max(features, 1 << 20):
                raise Refused(400, f"line {number}: there is no column {index}")
        ends.append(len(columns))
    width = max(features, max(columns, default=-1) + 1)
    return csr_matrix((values, columns, ends), shape=(len(ends) - 1, width))
