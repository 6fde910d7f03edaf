"""The XGBoost image without a script: the same data in, the same names in the log, a model out."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from job_shapes import judge
from job_training import model_of, training_request
from job_workshop import Workshop

from pipelines.local.jobs import JobFailed
from pipelines.local.jobs.drivers import xgboost_program

xgboost = pytest.importorskip("xgboost")


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other take minutes on a busy machine."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:{}-cpu-py3"


def rows(count: int, seed: int) -> list[tuple[float, ...]]:
    """Label, then four numbers; the last one says nothing."""
    source = random.Random(seed)
    made = []
    for _ in range(count):
        x = [round(source.uniform(-1, 1), 3) for _ in range(4)]
        made.append((round(3 * x[0] - 2 * x[1] + x[2], 3), *x))
    return made


TRAIN, VALIDATION = rows(300, 1), rows(80, 2)


def csv(data: list[tuple[float, ...]]) -> bytes:
    return "".join(",".join(map(str, row)) + "\n" for row in data).encode()


def libsvm(data: list[tuple[float, ...]]) -> bytes:
    return "".join(
        f"{row[0]} " + " ".join(f"{n}:{value}" for n, value in enumerate(row[1:])) + "\n"
        for row in data
    ).encode()


def parquet(data: list[tuple[float, ...]]) -> bytes:
    import pandas

    stream = io.BytesIO()
    pandas.DataFrame(data, columns=list("yabcd")).to_parquet(stream)
    return stream.getvalue()


def request(workshop: Workshop, kind: str, write: Any, **changes: Any) -> dict[str, Any]:
    made = training_request(
        AlgorithmSpecification={
            "TrainingImage": IMAGE.format(changes.pop("version", "1.7-1")),
            "TrainingInputMode": "File",
        },
        HyperParameters={
            "num_round": "20",
            "objective": "reg:squarederror",
            "max_depth": "4",
            "eta": "0.3",
            **changes.pop("parameters", {}),
        },
        InputDataConfig=[],
    )
    for name, data in (("train", TRAIN), ("validation", VALIDATION)):
        workshop.objects.put(
            f"s3://bucket/{name}/part", data if isinstance(data, bytes) else write(data)
        )
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{name}"}
        channel = {"ChannelName": name, "DataSource": {"S3DataSource": source}}
        if kind:
            channel["ContentType"] = kind
        made["InputDataConfig"].append(channel)
    return made


def errors(model: Path) -> float:
    import numpy

    booster = xgboost.Booster()
    booster.load_model(bytearray(model.read_bytes()))
    data = numpy.array(VALIDATION)
    found = booster.predict(xgboost.DMatrix(data[:, 1:]))
    return float(abs(found - data[:, 0]).mean())


def test_a_job_of_the_image(workshop: Workshop, tmp_path: Path, one_thread: None) -> None:
    answer = workshop.train(request(workshop, "text/csv; label_size=1", csv))
    judge("DescribeTrainingJob", answer)
    assert errors(model_of(workshop, answer, tmp_path) / "xgboost-model") < 0.5
    first = next(line for line in workshop.lines if line.startswith("[0]"))
    assert first.startswith("[0]#011train-rmse:")
    assert "#011validation-rmse:" in first
    metrics = {each["MetricName"]: each["Value"] for each in answer["FinalMetricDataList"]}
    assert set(metrics) == {"train:rmse", "validation:rmse"}
    last = next(line for line in workshop.lines if line.startswith("[19]"))
    assert last.endswith(f"#011validation-rmse:{metrics['validation:rmse']:.5f}")


def test_metrics_of_the_image_stopping_early_and_the_old_format(
    workshop: Workshop, tmp_path: Path, one_thread: None
) -> None:
    import pickle

    def binary(data: list[tuple[float, ...]]) -> bytes:
        return csv([(float(row[0] > 0), *row[1:]) for row in data])

    given = request(
        workshop,
        "text/csv",
        binary,
        version="1.0-1",
        parameters={
            "objective": "binary:logistic",
            "eval_metric": "accuracy,auc",
            "num_round": "500",
            "early_stopping_rounds": "3",
            "silent": "0",
        },
    )
    answer = workshop.train(given)
    metrics = {each["MetricName"]: each["Value"] for each in answer["FinalMetricDataList"]}
    assert set(metrics) == {
        f"{n}:{m}" for n in ("train", "validation") for m in ("accuracy", "auc")
    }
    assert metrics["validation:accuracy"] > 0.85
    assert not any(line.startswith("[499]") for line in workshop.lines)
    model = model_of(workshop, answer, tmp_path) / "xgboost-model"
    assert isinstance(pickle.loads(model.read_bytes()), xgboost.Booster)


class Here:
    """The image's program, run in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setattr(xgboost_program, "ML", folder)
        monkeypatch.setattr("sys.argv", ["xgboost_program.py"])

    def train(self, kind: str, data: bytes, parameters: dict[str, str] | None = None) -> str:
        """Why training failed; empty where it did not."""
        for name in ("input/config", "input/data/train", "model", "output"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        config = self.folder / "input/config"
        given = {"num_round": "20", "max_depth": "4", "nthread": "1", **(parameters or {})}
        (config / "hyperparameters.json").write_text(json.dumps(given))
        channel = {"ContentType": kind} if kind else {}
        (config / "inputdataconfig.json").write_text(json.dumps({"train": channel}))
        (self.folder / "input/data/train/part").write_bytes(data)
        if xgboost_program.main() == 0:
            return ""
        return (self.folder / "output/failure").read_text()

    @property
    def errors(self) -> float:
        return errors(self.folder / "model/xgboost-model")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(tmp_path / "ml", monkeypatch)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("", libsvm(TRAIN)),
        ("application/x-parquet", parquet(TRAIN)),
        ("text/csv", csv(TRAIN) + b"1,,0.5,,0\n"),
        ("csv", csv(TRAIN).replace(b",", b";")),
    ],
    ids=["libsvm", "parquet", "csv with gaps", "csv with semicolons"],
)
def test_every_content_type(here: Here, kind: str, data: bytes) -> None:
    assert here.train(kind, data) == ""
    assert here.errors < 0.5


def test_weights_in_the_second_column(here: Here) -> None:
    # Rows without weight say the opposite: they must not count.
    wrong = [(-row[0], 0.0, *row[1:]) for row in TRAIN]
    right = [(row[0], 1.0, *row[1:]) for row in TRAIN]
    assert here.train("text/csv", csv(right + wrong), {"csv_weights": "1"}) == ""
    assert here.errors < 0.5


@pytest.mark.parametrize(
    ("kind", "data", "parameters", "told"),
    [
        ("text/csv", b"y,a\n1,2\n", {}, "part: 'y' in the first line is no number"),
        ("text/csv", b"1,2\n1,2,3\n,x\n", {}, "part, line 2: 3 columns, the first has 2"),
        ("text/csv", b"1\n2\n", {}, "the data have 1 columns; the label comes first"),
        ("text/csv", b"", {}, "the data have no rows"),
        ("text/libsvm", b"1 a:2\n", {}, "part, line 1: invalid literal"),
        ("application/x-parquet", b"PAR1", {}, "part: "),
        ("application/x-recordio-protobuf", b"x", {}, "cannot be read here: text/csv"),
        ("text/csv", b"1,2\n", {"max_dept": "3"}, "did you mean `max_depth`?"),
        ("text/csv", b"1,2\n", {"num_round": "many"}, "num_round must be a whole number"),
        ("text/csv", b"1,2\n", {"objective": "reg:cubic"}, "Unknown objective"),
    ],
)
def test_mistakes_are_the_failure_reason(
    here: Here, kind: str, data: bytes, parameters: dict[str, str], told: str
) -> None:
    assert told in here.train(kind, data, parameters)


def test_an_image_without_a_driver_names_the_ways_out(workshop: Workshop) -> None:
    given = request(workshop, "text/csv", csv)
    image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
    given["AlgorithmSpecification"]["TrainingImage"] = image
    with pytest.raises(JobFailed) as failed:
        workshop.train(given)
    assert "'linear-learner' runs by itself is not known" in failed.value.reason
    assert "--job-env docker" in failed.value.hint
    assert "images: {linear-learner: 'module:function'}" in failed.value.hint
