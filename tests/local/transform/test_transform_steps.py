"""Transform steps, run: a model is really served and really asked."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_shapes import judge
from local_samples import IMAGE, document, get, model

from pipelines.local.objects import ObjectStore

Run = Callable[..., Any]

# Doubles numbers; counts the requests it is asked, and says in which strategy.
SCRIPT = textwrap.dedent(
    """
    import json, os

    def model_fn(model_dir):
        names = ("BATCH", "BATCH_STRATEGY", "MAX_PAYLOAD_IN_MB", "MAX_CONCURRENT_TRANSFORMS")
        said = [os.environ["SAGEMAKER_" + name] for name in names] + [os.environ.get("MINE", "")]
        os.write(1, (" ".join(said) + "\\n").encode())
        return json.load(open(os.path.join(model_dir, "factor.json")))

    def input_fn(body, content_type):
        if content_type == "application/json":
            return [json.loads(body)]
        return [[float(word) for word in line.split(",")] for line in body.splitlines()]

    def predict_fn(rows, factor):
        os.write(1, f"rows {len(rows)}\\n".encode())
        return [factor * sum(row) for row in rows]

    def output_fn(prediction, accept):
        if accept == "application/json":
            return json.dumps(prediction[0]), accept
        return "".join(f"{each}\\n" for each in prediction), "text/csv"
    """
)


@pytest.fixture
def objects(place: Any) -> ObjectStore:
    made = ObjectStore(place.store / "s3")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in (("factor.json", "2"), ("code/inference.py", SCRIPT)):
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    made.put("s3://bucket/model.tar.gz", stream.getvalue())
    made.put("s3://bucket/in/a.csv", b"1,2\n3,4\n5,6\n")
    made.put("s3://bucket/in/sub/b.csv", b"10,20\n")
    return made


def transform(**changes: Any) -> list[dict[str, Any]]:
    """The steps: a model and a transform with it."""
    container = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}
    request: dict[str, Any] = {
        "ModelName": get("Steps.model.ModelName"),
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
            **changes.pop("TransformInput", {}),
        },
        "TransformOutput": {
            "S3OutputPath": "s3://bucket/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
            **changes.pop("TransformOutput", {}),
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }
    step = {"Name": "predict", "Type": "Transform", "Arguments": request}
    return [model("model", PrimaryContainer=container), step]


def log_of(ran: Any) -> str:
    return Path(ran.steps["predict"].log).read_text()


def test_every_file_gets_its_predictions(run: Run, objects: ObjectStore) -> None:
    ran = run(document(*transform(Environment={"MINE": "set"}, MaxPayloadInMB=1)))
    log = log_of(ran)
    assert ran.status == "Succeeded", log
    assert objects.list("s3://bucket/out") == (
        "s3://bucket/out/a.csv.out",
        "s3://bucket/out/sub/b.csv.out",
    )
    assert objects.get("s3://bucket/out/a.csv.out") == b"6.0\n14.0\n22.0\n"
    assert objects.get("s3://bucket/out/sub/b.csv.out") == b"60.0\n"
    assert "true MULTI_RECORD 1 1 set" in log
    assert "rows 3" in log
    properties = ran.steps["predict"].properties
    judge("DescribeTransformJob", properties)
    assert properties["TransformJobStatus"] == "Completed"
    assert properties["ModelName"] == ran.steps["model"].properties["ModelName"]
    assert ran.steps["predict"].metadata["TransformJob"]["Arn"] == properties["TransformJobArn"]


def test_single_records_joined_and_filtered(run: Run, objects: ObjectStore) -> None:
    steps = transform(
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=3,
        DataProcessing={
            "InputFilter": "$[1:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,-1]",
        },
    )
    ran = run(document(*steps))
    log = log_of(ran)
    assert ran.status == "Succeeded", log
    assert objects.get("s3://bucket/out/a.csv.out") == b"1,4.0\n3,8.0\n5,12.0\n"
    assert "true SINGLE_RECORD 6 3" in log
    assert log.count("rows 1") == 4


def test_whole_packed_json_files(run: Run, objects: ObjectStore) -> None:
    objects.put("s3://bucket/json/x.gz", gzip.compress(b"[1, 2, 3]"))
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/json/"}
    steps = transform(
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "ContentType": "application/json",
            "SplitType": "None",
            "CompressionType": "Gzip",
        },
        TransformOutput={"Accept": "application/json", "AssembleWith": "None"},
        DataProcessing={"JoinSource": "Input"},
    )
    ran = run(document(*steps))
    assert ran.status == "Succeeded", log_of(ran)
    assert json.loads(objects.get("s3://bucket/out/x.gz.out")) == {
        "SageMakerInput": [1, 2, 3],
        "SageMakerOutput": 12,
    }


def test_a_bad_record_costs_its_file_alone(run: Run, objects: ObjectStore) -> None:
    objects.put("s3://bucket/in/bad.csv", b"1,2\nthree,4\n")
    ran = run(document(*transform()))
    assert ran.status == "Failed"
    reason = ran.steps["predict"].failure_reason
    assert "bad.csv: the model answered 400: input_fn: ValueError" in reason
    assert objects.get("s3://bucket/out/a.csv.out") == b"6.0\n14.0\n22.0\n"
    assert objects.find("s3://bucket/out/bad.csv.out") is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ModelName": "nobody"}, "nothing stands in for the model `nobody`"),
        ({"DataProcessing": {"InputFilter": "1"}}, "does not begin with"),
        ({"TransformInput": {"DataSource": {"S3DataSource": {
            "S3DataType": "S3Prefix", "S3Uri": "s3://bucket/none"}}}}, "nothing at s3://bucket/none"),
        ({"DataProcessing": {"OutputFilter": "$[9]"}}, "there is no place 9 among 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_transformed_is_told(
    run: Run, objects: ObjectStore, changes: dict[str, Any], told: str
) -> None:
    ran = run(document(*transform(**changes)))
    assert ran.status == "Failed"
    assert told in ran.steps["predict"].failure_reason
    assert objects.list("s3://bucket/out") == ()


def test_07_the_cache_goes_by_what_the_model_is_made_of(run: Run, objects: ObjectStore) -> None:
    """Its name is a new one each run; --service-cache compares it nonetheless."""

    def reused(**options: Any) -> bool:
        steps = transform()
        steps[1]["CacheConfig"] = {"Enabled": True, "ExpireAfter": "1d"}
        ran = run(document(*steps), **options)
        assert ran.status == "Succeeded", ran.record.failure_reason
        return ran.steps["predict"].cache_source is not None

    assert not reused()
    assert reused()
    assert not reused(service_cache=True)
    objects.put("s3://bucket/model.tar.gz", objects.get("s3://bucket/model.tar.gz") + b"\0")
    assert not reused()
