from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from local_samples import (
    IMAGE,
    compare,
    condition,
    document,
    fail,
    get,
    join,
    model,
    output_of,
    processing,
    register,
    training,
)

from pipelines.local.objects import ObjectStore

Run = Callable[..., Any]
ARTEFACTS = get("Steps.train.ModelArtifacts.S3ModelArtifacts")


def pipeline(loss: Any = "0.25", most: float = 0.5) -> dict[str, Any]:
    value = get("Steps.train.FinalMetricDataList['loss'].Value")
    gate = condition(
        "gate",
        compare("LessThan", value, most),
        then=[
            register("register", Containers=[{"Image": IMAGE, "ModelDataUrl": ARTEFACTS}]),
            model("model", PrimaryContainer={"Image": IMAGE, "ModelDataUrl": ARTEFACTS}),
        ],
        other=[fail("reject", join("the loss is ", value))],
    )
    return document(
        processing("prepare", CacheConfig={"Enabled": True}),
        training("train", output_of("prepare"), loss=loss, CacheConfig={"Enabled": True}),
        gate,
    )


def test_prepare_train_decide_and_register(run: Run, place: Any) -> None:
    ran = run(pipeline())
    assert ran.status == "Succeeded", ran.record.failure_reason
    train = ran.steps["train"]
    arn = train.metadata["TrainingJob"]["Arn"]
    assert arn.endswith(f":training-job/{train.properties['TrainingJobName']}")
    uri = train.properties["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri.startswith(f"s3://bucket/models/{ran.record.id}/pipelines-{ran.record.id}-train-")
    container = ran.packages[0].description["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == uri
    data = ObjectStore(place.store / "s3").get(uri)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.extractfile("model.json")
        assert member is not None
        found = json.loads(member.read())
    assert found["depth"] == "3"
    assert any('"score": 0.97' in row for row in found["rows"])


def test_a_metric_takes_the_other_branch(run: Run) -> None:
    ran = run(pipeline(loss="0.75"))
    assert ran.record.failure_reason == "the loss is 0.75"
    assert ran.packages == []


@pytest.mark.parametrize("same", [True, False])
def test_training_is_reused_where_its_data_and_hyperparameters_are_the_same(
    run: Run, same: bool
) -> None:
    first = run(pipeline())
    second = run(pipeline() if same else pipeline("0.3"))
    assert second.status == "Succeeded"
    assert (second.steps["train"].cache_source == first.record.arn) == same
    if same:
        # What follows sees the first run's artefacts and metrics.
        assert second.steps["train"].properties == first.steps["train"].properties
        assert second.packages[0].version == 2
