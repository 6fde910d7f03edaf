"""A definition that SDK 2's producers emitted, run as it is; tests/sdk2/runs records and compares.

SKLearnProcessor, the SKLearn estimator in script mode, JsonGet, RegisterModel.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.local.objects import ObjectStore

RECORDED = Path(__file__).with_name("sdk2_definition.json")
CODE = Path(__file__).parents[2] / "sdk2" / "runs" / "code"
BUCKET = "s3://sagemaker-us-east-1-123456789012"


def code_archive() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for path in sorted(CODE.glob("*.py")):
            archive.add(path, path.name)
    return stream.getvalue()


def fill(objects: ObjectStore, text: str) -> None:
    """Put the data and the code where the definition says they are."""
    rows = "\n".join(f"{x / 10},{3 * x / 10}" for x in range(1, 41))
    objects.put(f"{BUCKET}/data/rows.csv", rows.encode())
    for uri in set(re.findall(rf"{BUCKET}/[\w./-]+/code/[\w./-]+", text)):
        name = uri.rpartition("/")[2]
        content = code_archive() if name == "sourcedir.tar.gz" else (CODE / name).read_bytes()
        objects.put(uri, content)


def test_it_runs_as_it_is(run: Callable[..., Any], place: Any) -> None:
    text = RECORDED.read_text(encoding="utf-8")
    objects = ObjectStore(place.store / "s3")
    fill(objects, text)
    ran = run(json.loads(text))
    assert ran.status == "Succeeded", [step.failure_reason for step in ran.steps.values()]
    (metric,) = ran.steps["Train"].properties["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"] < 0.01) == ("loss", True)
    assert ran.steps["CheckError"].properties == {"Outcome": "True"}
    (package,) = ran.packages
    assert (package.group, package.approval) == ("factors", "Approved")
    assert package.metrics["max_error"] < 0.001
    uri = package.description["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    assert uri == ran.steps["Train"].properties["ModelArtifacts"]["S3ModelArtifacts"]
    with tarfile.open(fileobj=io.BytesIO(objects.get(uri))) as archive:
        content = archive.extractfile("model.json")
        assert content is not None
        model = json.load(content)
    assert abs(model["factor"] - 3) < 0.001
    assert model["name"] == "a factor"


def test_the_other_branch(run: Callable[..., Any], place: Any) -> None:
    text = RECORDED.read_text(encoding="utf-8")
    fill(ObjectStore(place.store / "s3"), text)
    ran = run(json.loads(text), parameters={"Rounds": "1", "MostError": "0.05"})
    assert ran.status == "Failed"
    assert ran.record.failure_reason == "error above 0.05"
    assert ran.packages == []
