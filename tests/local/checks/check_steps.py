"""Check steps as the definition JSON has them, on tables beside the definition."""

from __future__ import annotations

import json
from typing import Any

from local_samples import ROLE, get, join, register

MONITOR = "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = "131013547314.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-clarify-processing:1.0"
CSV = {"csv": {"header": True, "output_columns_position": "START"}}
DATASET = "/opt/ml/processing/input/baseline_dataset_input"


def read(name: str, uri: Any, folder: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": folder, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def job(image: str, name: str, output: str, inputs: Any, environment: Any) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    uri = join("s3://bucket/runs", get("Execution.PipelineExecutionId"), name, on="/")
    written = {
        "OutputName": output,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        },
    }
    return {
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": image},
        "RoleArn": ROLE,
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": [written]},
        "Environment": environment,
    }


def quality(
    name: str,
    data: Any,
    *,
    form: Any = CSV,
    check: str = "DATA_QUALITY",
    environment: Any = None,
    scripts: Any = None,
    image: str = MONITOR,
    **members: Any,
) -> dict[str, Any]:
    """Return a QualityCheck step; ``scripts`` are files by variable."""
    inputs = [read("baseline_dataset_input", data, DATASET)]
    variables = {
        "output_path": "/opt/ml/processing/output",
        "publish_cloudwatch_metrics": "Disabled",
        "dataset_format": json.dumps(form),
        "dataset_source": DATASET,
        **(environment or {}),
    }
    for variable, uri in (scripts or {}).items():
        folder = f"/opt/ml/processing/input/{variable}_input"
        inputs.append(read(f"{variable}_input", uri, folder))
        variables[variable] = f"{folder}/{uri.rpartition('/')[2]}"
    if check == "MODEL_QUALITY":
        variables["analysis_type"] = check
    arguments = job(image, name, "quality_check_output", inputs, variables)
    return _check("QualityCheck", name, arguments, check, members)


def clarify(name: str, data: Any, config: Any, check: str, **members: Any) -> dict[str, Any]:
    """Return a ClarifyCheck step; ``config`` is a file's URI."""
    inputs = [
        read("analysis_config", config, "/opt/ml/processing/input/config"),
        read("dataset", data, "/opt/ml/processing/input/data"),
    ]
    arguments = job(CLARIFY, name, "analysis_result", inputs, {})
    return _check("ClarifyCheck", name, arguments, check, members)


def _check(
    kind: str, name: str, arguments: dict[str, Any], check: str, members: dict[str, Any]
) -> dict[str, Any]:
    flags = {"SkipCheck": False, "FailOnViolation": True, "RegisterNewBaseline": False}
    more = {"CheckType": check, **flags, **members}
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


FIRST = {"SkipCheck": True, "RegisterNewBaseline": True}
"""Calculate a baseline, compare with none."""


def baseline_of(step: str, files: tuple[str, ...] = ("Statistics", "Constraints")) -> Any:
    """Return what DriftCheckBaselines of a version takes from a check."""
    return {
        file: {
            "ContentType": "application/json",
            "S3Uri": get(f"Steps.{step}.BaselineUsedForDriftCheck{file}"),
        }
        for file in files
    }


def approve(step: str, member: str, **more: Any) -> dict[str, Any]:
    """Return a step that registers an approved version with a check's baseline."""
    baselines = {member: baseline_of(step)}
    return register(
        "register", ModelApprovalStatus="Approved", DriftCheckBaselines=baselines, **more
    )
