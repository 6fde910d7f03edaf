"""Searches over images that bring their own program: XGBoost by its driver, others by stand-ins."""

from __future__ import annotations

import random
import textwrap
from typing import Any

import pytest
from tuning_samples import categories, pipeline, request

from pipelines.language.handlers_file import read_handlers
from pipelines.local.objects import ObjectStore
from pipelines.local.stand_ins import StandIns

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LINEAR = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"


def rows(count: int, seed: int) -> bytes:
    """Label 0 or 1, then three numbers of which two tell it, with some noise."""
    source = random.Random(seed)
    made = []
    for _ in range(count):
        x = [source.uniform(-1, 1) for _ in range(3)]
        made.append([int(2 * x[0] - x[1] + source.gauss(0, 0.5) > 0), *x])
    return "".join(",".join(map(str, row)) + "\n" for row in made).encode()


def over(image: str, objective: dict[str, str], static: dict[str, str], **more: Any) -> Any:
    arguments = request(more.pop("ranges"), **more)
    arguments["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"] = objective
    arguments["TrainingJobDefinition"] |= {
        "StaticHyperParameters": static,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "InputDataConfig": [
            {
                "ChannelName": name,
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{name}"}
                },
            }
            for name in ("train", "validation")
        ],
    }
    return pipeline(arguments)


@pytest.mark.parametrize(
    ("metric", "kind", "words"),
    [
        ("validation:auc", "Maximize", "auc,logloss"),
        ("train:logloss", "Minimize", "logloss"),
        ("validation:ndcg", "Maximize", "ndcg@5"),
    ],
)
def test_the_xgboost_image_is_searched_by_the_metrics_of_its_log(
    run: Any, place: Any, monkeypatch: pytest.MonkeyPatch, metric: str, kind: str, words: str
) -> None:
    pytest.importorskip("xgboost")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    objects = ObjectStore(place.store / "s3", place.folder)
    objects.put("s3://bucket/train/part.csv", rows(120, 1))
    objects.put("s3://bucket/validation/part.csv", rows(60, 2))
    ranking = words.startswith("ndcg")
    static = {
        "objective": "rank:pairwise" if ranking else "binary:logistic",
        "eval_metric": words,
        "num_round": "4",
        "nthread": "1",
    }
    ranges = categories("max_depth", "1", "4")
    ran = run(
        over(XGBOOST, {"Type": kind, "MetricName": metric}, static,
             ranges=ranges, strategy="Grid", jobs=None, TrainingJobEarlyStoppingType="Auto")
    )  # fmt: skip
    assert ran.status == "Succeeded", ran.record.failure_reason
    found = ran.steps["tune"].properties
    final = [
        each["FinalHyperParameterTuningJobObjectiveMetric"]
        for each in found["TrainingJobSummaries"]
    ]
    assert {each["MetricName"] for each in final} == {metric}
    best = found["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == (min if kind == "Minimize" else max)(each["Value"] for each in final)
    log = (place.store / f"logs/{ran.record.id}/tune/001.log").read_text()
    part, _, name = metric.partition(":")
    last = [line for line in log.splitlines() if line.startswith("[")][-1]
    assert f"#011{part}-{words.split(',')[0] if ranking else name}:" in last
    assert any(f"{each['Value']:.5f}" in last for each in final)


TRAIN = """
import json
import pathlib


def train(event, context):
    depth = int(event["HyperParameters"]["depth"])
    print(f"score={10 - (depth - 5) ** 2};")
    pathlib.Path("/opt/ml/model/model.json").write_text(json.dumps(depth))
"""


def test_a_function_stands_in_for_the_image_of_each_training_job(run: Any, place: Any) -> None:
    (place.folder / "answers.py").write_text(textwrap.dedent(TRAIN))

    def ran(entry: str) -> Any:
        arguments = request(categories("depth", "3", "5"), strategy="Grid", jobs=None)
        definition = arguments["TrainingJobDefinition"]
        definition["StaticHyperParameters"] = {}
        definition["AlgorithmSpecification"]["TrainingImage"] = LINEAR
        (place.folder / "local.yaml").write_text(f"images: {{linear-learner: {entry}}}\n")
        found = read_handlers(place.folder)
        return run(pipeline(arguments), stand_ins=StandIns(found.entries, found.file))

    made = ran("answers:train")
    assert made.status == "Succeeded", made.record.failure_reason
    assert made.steps["tune"].properties["BestTrainingJob"]["TunedHyperParameters"] == {
        "depth": "5"
    }
    recorded = ran("{properties: {TrainingJobStatus: Completed}}")
    assert "the training jobs of a search need a `function`" in recorded.record.failure_reason
