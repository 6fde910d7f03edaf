"""A training request and what comes of it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

from job_workshop import ROLE, Workshop

from pipelines.local.jobs.archive import unpack


def sourcedir(files: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return stream.getvalue()


def training_request(**changes: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"},
                {"Name": "loss", "Regex": r"loss=(\S+)"},
                {"Name": "absent", "Regex": r"absent=(\S+)"},
            ],
        },
        "HyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"',
            "sagemaker_container_log_level": "20",
            "n-estimators": "10",
            "model": '"random-forest"',
            "plain": "not json",
            "c": "0.5",
            "deep": "true",
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": "s3://bucket/data/train.csv",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    request.update(changes)
    return request


def model_of(workshop: Workshop, answer: dict[str, Any], tmp_path: Path) -> Path:
    workshop.objects.download(answer["ModelArtifacts"]["S3ModelArtifacts"], tmp_path / "fetched")
    unpack(tmp_path / "fetched" / "model.tar.gz", tmp_path / "model")
    return tmp_path / "model"
