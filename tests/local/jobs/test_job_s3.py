"""The local S3 is reached from jobs of every mode."""

from __future__ import annotations

from dataclasses import replace

from job_workshop import Workshop, processing_request

from pipelines.local.jobs import run_processing
from pipelines.local.s3 import LocalS3

SCRIPT = """
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen
url = os.environ["AWS_ENDPOINT_URL_S3"] + "/bucket/in"
try:
    urlopen(url)
except HTTPError as error:
    assert error.code == 403
key = {"Authorization": "AWS " + os.environ["AWS_ACCESS_KEY_ID"] + ":"}
text = urlopen(Request(url, headers=key)).read()
urlopen(Request(url[:-2] + "made", text + b" seen", key, method="PUT"))
"""


def test_a_job_s_own_calls(every_mode: Workshop) -> None:
    every_mode.objects.put("s3://bucket/in", b"here")
    every_mode.objects.put("s3://bucket/code/script.py", SCRIPT.encode())
    local = LocalS3(every_mode.objects)
    try:
        context = replace(every_mode.context(), environment=local.environment())
        run_processing(processing_request(), context)
    finally:
        local.close()
    assert every_mode.objects.get("s3://bucket/made") == b"here seen"
