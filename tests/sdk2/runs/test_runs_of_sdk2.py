"""What SDK 2's producers emit runs here as it is, code and all; a recording of it is up to date."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import surroundings

HERE = Path(__file__).parent
# The pipeline's producers are those of the tests one folder up.
sys.path.insert(0, str(HERE.parent))

from sdk2_run_pipeline import produce_runnable  # noqa: E402 - after the path

from pipelines.definition import read_definition  # noqa: E402
from pipelines.local.execute import execute  # noqa: E402
from pipelines.local.isolation import choose  # noqa: E402
from pipelines.local.objects import ObjectStore  # noqa: E402
from pipelines.local.store import open_store  # noqa: E402

RECORDED = HERE.parents[1] / "local" / "recorded" / "sdk2_definition.json"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with surroundings.aws_server() as endpoint_url:
        yield endpoint_url


def without_keys(definition: dict[str, Any]) -> Any:
    """The definition with the digests of its code's bytes taken out."""
    return json.loads(re.sub(r"/code/[0-9a-f]{64}/", "/code/DIGEST/", json.dumps(definition)))


def test_the_recording_is_what_the_sdk_emits(aws: str) -> None:
    made = produce_runnable(aws, repacked=False)
    assert without_keys(made) == without_keys(json.loads(RECORDED.read_text(encoding="utf-8")))


def test_it_runs_with_the_sdk_s_own_repacking(aws: str, tmp_path: Path) -> None:
    definition = produce_runnable(aws, repacked=True)
    objects = ObjectStore(tmp_path / ".sagedag" / "s3")
    client = boto3.client(
        "s3",
        endpoint_url=aws,
        region_name=surroundings.REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    for each in client.list_objects_v2(Bucket=surroundings.BUCKET)["Contents"]:
        answer = client.get_object(Bucket=surroundings.BUCKET, Key=each["Key"])
        objects.put(f"s3://{surroundings.BUCKET}/{each['Key']}", answer["Body"].read())
    rows = "\n".join(f"{x / 10},{3 * x / 10}" for x in range(1, 41))
    objects.put(f"s3://{surroundings.BUCKET}/data/rows.csv", rows.encode())
    with open_store(tmp_path / ".sagedag") as store:
        record = execute(
            read_definition(definition),
            name="runs",
            base=tmp_path,
            store=store,
            isolation=choose("auto"),
        )
        assert record.status == "Succeeded", record.failure_reason
        assert _served(store, tmp_path) == [3.0, 30.0]


def _served(store: Any, folder: Path) -> list[float]:
    """What the registered package answers to 1 and 10, rounded."""
    import threading

    from pipelines.local.jobs import JobContext
    from pipelines.local.serving import Host, HostSettings
    from pipelines.local.serving.targets import find_target

    target = find_target(store, "factors")
    context = JobContext(
        name="host",
        arn="arn:aws:sagemaker:us-east-1:123456789012:endpoint/host",
        folder=folder / "host",
        objects=ObjectStore(store.objects),
        isolation=choose("auto"),
        cancelled=threading.Event(),
        on_line=None,
        log=folder / "host.log",
        account="123456789012",
        region="us-east-1",
    )
    host = Host(target.served.containers[0], context, HostSettings())
    try:
        host.start(60)
        answer = host.invoke(b"1\n10\n", "text/csv", "application/json")
    finally:
        host.stop()
    return [round(value, 3) for value in json.loads(answer.body)]
