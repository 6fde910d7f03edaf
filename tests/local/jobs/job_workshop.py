"""A place to run real jobs in."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.local.isolation import choose
from pipelines.local.jobs import JobContext, run_processing, run_training
from pipelines.local.objects import ObjectStore

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/job"


@dataclass
class Workshop:
    """A project with a store in it, and the means to run jobs there."""

    project: Path
    mode: str
    lines: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    grace: float = 5.0
    count: int = 0

    @property
    def objects(self) -> ObjectStore:
        return ObjectStore(self.project / ".sagedag" / "s3", self.project)

    def context(self, kind: str = "processing-job") -> JobContext:
        self.count += 1
        name = f"job-{self.count}"
        return JobContext(
            name=name,
            arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}",
            folder=self.project / ".sagedag" / "work" / name,
            objects=self.objects,
            isolation=choose(self.mode),
            cancelled=self.cancelled,
            on_line=self.lines.append,
            log=self.project / ".sagedag" / "logs" / f"{name}.log",
            account=ACCOUNT,
            region=REGION,
            grace=self.grace,
        )

    def process(self, script: str, *arguments: str, **changes: Any) -> dict[str, Any]:
        """Run a Python script as a processing job whose output folder goes to s3://bucket/out."""
        self.objects.put("s3://bucket/code/script.py", script.encode())
        return run_processing(processing_request(*arguments, **changes), self.context())

    def train(self, request: dict[str, Any]) -> dict[str, Any]:
        return run_training(request, self.context("training-job"))

    def output(self, name: str) -> str:
        return self.objects.get(f"s3://bucket/out/{name}").decode()


def processing_request(*arguments: str, **changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "ProcessingJobName": "ignored",
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            }
        },
        "AppSpecification": {
            "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.2-1",
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/script.py"],
            "ContainerArguments": list(arguments) or ["--none"],
        },
        "ProcessingInputs": [
            {
                "InputName": "code",
                "S3Input": {
                    "S3Uri": "s3://bucket/code/script.py",
                    "LocalPath": "/opt/ml/processing/input/code",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://bucket/out",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }
    request.update(changes)
    return request


def running(marker: str) -> list[int]:
    """The processes of this machine with a word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if marker.encode() in words:
                found.append(int(entry.name))
    return found


def eventually(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())
