"""Scripts of pipelines that call boto3 themselves, unmodified."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_samples import document, processing

from pipelines.local.objects import ObjectStore

Run = Callable[..., Any]

SCRIPT = textwrap.dedent(
    """
    import os
    import boto3

    s3 = boto3.resource("s3")
    bucket = s3.Bucket("data-of-the-team")
    bucket.download_file("raw/points.csv", "/opt/ml/processing/points.csv")
    rows = open("/opt/ml/processing/points.csv").read().splitlines()
    s3.Object("data-of-the-team", "made/count.txt").put(Body=str(len(rows)))
    print("keys", sorted(each.key for each in bucket.objects.all()))
    print("account", os.environ["AWS_ACCESS_KEY_ID"][:7])
    """
)


def test_a_script_downloads_and_uploads_with_boto3(run: Run, place: Any) -> None:
    (place.folder / "code" / "job.py").write_text(SCRIPT)
    objects = ObjectStore(place.store / "s3")
    objects.put("s3://data-of-the-team/raw/points.csv", b"1,2\n3,4\n5,6\n")
    ran = run(document(processing("count", "here")))
    log = Path(ran.steps["count"].log).read_text()
    assert ran.status == "Succeeded", log
    assert objects.get("s3://data-of-the-team/made/count.txt") == b"3"
    assert "keys ['made/count.txt', 'raw/points.csv']" in log
    assert "account SAGEDAG" in log
