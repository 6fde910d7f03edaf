"""Definitions with real jobs: small scripts of the standard library."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

ROLE = "arn:aws:iam::000000000000:role/any"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

# Writes its arguments and what it was given; `fail` ends it badly, `sleep=N` keeps it running.
SCRIPT = textwrap.dedent(
    """
    import json, os, sys, time
    from pathlib import Path

    out = Path("/opt/ml/processing/out")
    options = dict(item.split("=", 1) for item in sys.argv[1:] if "=" in item)
    print("arguments", *sys.argv[1:], flush=True)
    data = Path("/opt/ml/processing/data")
    seen = {p.name: p.read_text() for p in sorted(data.rglob("*")) if p.is_file()}
    started = time.time()
    time.sleep(float(options.get("sleep", 0)))
    if "fail" in sys.argv:
        sys.exit("this went wrong")
    report = {
        "score": float(options.get("score", 0.97)),
        "words": sys.argv[1:],
        "seen": seen,
        "span": [started, time.time()],
        "quality_metrics": {"accuracy": {"value": 0.97, "standard_deviation": "NaN"}},
        "confusion_matrix": {"0": {"0": 3}},
        "empty": None,
    }
    if out.exists():
        (out / "report.json").write_text(json.dumps(report))
        (out / "bad.json").write_text('{"score": NaN}' if "nan" in sys.argv else "{")
    """
)


def make_code(folder: Path) -> None:
    """Write the script where the definitions below expect it."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    (code / "job.py").write_text(SCRIPT)
    trainer = folder / "trainer"
    trainer.mkdir(exist_ok=True)
    (trainer / "train.py").write_text(TRAINER)


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def join(*values: Any, on: str = "") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, path: str, file: str = "report") -> dict[str, Any]:
    where = get(f"Steps.{step}.PropertyFiles.{file}")
    return {"Std:JsonGet": {"PropertyFile": where, "Path": path}}


def output_of(step: str) -> dict[str, str]:
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")


def processing(name: str, *arguments: Any, data: Any = None, **more: Any) -> dict[str, Any]:
    """Return a Processing step that runs the script; ``data`` is an input's URI."""
    inputs = [_input("code", "code")]
    if data is not None:
        inputs.append(_input("data", data))
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    uri = join("s3://bucket/runs", get("Execution.PipelineExecutionId"), name, on="/")
    output = {
        "OutputName": "out",
        "AppManaged": False,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": "/opt/ml/processing/out",
            "S3UploadMode": "EndOfJob",
        },
    }
    script = "/opt/ml/processing/input/code/job.py"
    application: dict[str, Any] = {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", script]}
    if arguments:
        application["ContainerArguments"] = list(arguments)
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": application,
            "RoleArn": ROLE,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": [output]},
        },
        "PropertyFiles": [
            {"PropertyFileName": "report", "OutputName": "out", "FilePath": "report.json"},
            {"PropertyFileName": "bad", "OutputName": "out", "FilePath": "bad.json"},
            {"PropertyFileName": "none", "OutputName": "out", "FilePath": "none.json"},
        ],
        **more,
    }


def _input(name: str, uri: Any) -> dict[str, Any]:
    folder = "/opt/ml/processing/" + ("input/code" if name == "code" else name)
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": folder,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def condition(name: str, *conditions: Any, then: Any = (), other: Any = (), **more: Any) -> Any:
    arguments = {"Conditions": list(conditions), "IfSteps": list(then), "ElseSteps": list(other)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def always(name: str, **more: Any) -> dict[str, Any]:
    """Return a step that does nothing and takes no time."""
    return condition(name, compare("Equals", 1, 1), **more)


def fail(name: str, message: Any = "no", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def register(name: str, group: str = "group", **arguments: Any) -> dict[str, Any]:
    containers = arguments.pop("Containers", [{"Image": IMAGE}])
    specification = {
        "Containers": containers,
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": specification,
        **arguments,
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments}


def model(name: str, **arguments: Any) -> dict[str, Any]:
    request = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}, **arguments}
    return {"Name": name, "Type": "Model", "Arguments": request}


def document(*steps: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, "Steps": list(steps), **more}


TRAINER = textwrap.dedent(
    """
    import json, os
    from pathlib import Path

    parameters = json.loads(Path("/opt/ml/input/config/hyperparameters.json").read_text())
    rows = [p.read_text() for p in sorted(Path("/opt/ml/input/data/train").iterdir())]
    print(f"loss={float(parameters['loss'])};")
    model = {"rows": rows, "depth": parameters["depth"]}
    Path("/opt/ml/model/model.json").write_text(json.dumps(model))
    """
)


def training(name: str, data: Any, *, loss: Any = "0.25", **more: Any) -> dict[str, Any]:
    """Return a Training step whose script comes in as a channel."""
    entry = ["python3", "/opt/ml/input/data/code/train.py"]
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": entry,
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
            },
            "HyperParameters": {"loss": loss, "depth": "3"},
            "InputDataConfig": [_channel("train", data), _channel("code", "trainer")],
            "OutputDataConfig": {
                "S3OutputPath": join(
                    "s3://bucket/models", get("Execution.PipelineExecutionId"), on="/"
                )
            },
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "RoleArn": ROLE,
        },
        **more,
    }


def _channel(name: str, uri: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
