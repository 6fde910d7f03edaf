"""Code in the shapes that SDK 2 leaves in S3: serving, several containers, repacking, tuning."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from imported_samples import Published, complaints

from pipelines.importer import Imported, Surroundings, import_definition
from pipelines.importer.environment import suggest_environment
from pipelines.importer.fetching import fetch

Json = dict[str, Any]
BUCKET = "s3://sagemaker-us-east-1-111122223333"
ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{ECR}/sagemaker-scikit-learn:1.4-2-cpu-py3"
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.1-cpu-py310"
ROLE = "arn:aws:iam::111122223333:role/pipelines"
MODEL = f"{BUCKET}/model.tar.gz"
MACHINE = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30}


def packed(*names: str) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as tar:
        for name in names:
            header = tarfile.TarInfo(name)
            header.size = len(name)
            tar.addfile(header, io.BytesIO(name.encode()))
    return body.getvalue()


OBJECTS = {
    f"{BUCKET}/first/sourcedir.tar.gz": packed("inference.py"),
    f"{BUCKET}/second/sourcedir.tar.gz": packed("serve.py", "lib/a.py"),
    f"{BUCKET}/train/sourcedir.tar.gz": packed("train.py"),
    f"{BUCKET}/repack/sourcedir.tar.gz": packed("_repack_script_launcher.sh", "inference.py"),
}


def container(where: str, program: str, image: str = SKLEARN) -> Json:
    return {
        "Image": image,
        "ModelDataUrl": MODEL,
        "Environment": {
            "OWNER": "astro",
            "SAGEMAKER_PROGRAM": program,
            "SAGEMAKER_SUBMIT_DIRECTORY": where,
            "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
            "SAGEMAKER_REGION": "us-east-1",
        },
    }


def hyperparameters(where: str, program: str, **more: str) -> Json:
    submitted = {
        "sagemaker_submit_directory": json.dumps(where),
        "sagemaker_program": json.dumps(program),
        "sagemaker_container_log_level": "20",
        "sagemaker_region": '"us-east-1"',
    }
    return {**more, **submitted}


def job() -> Json:
    return {
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": SKLEARN},
        "OutputDataConfig": {"S3OutputPath": f"{BUCKET}/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "RoleArn": ROLE,
    }


def back(folder: Path, kind: str, arguments: Json, objects: Any = OBJECTS) -> tuple[Json, Imported]:
    """Import one step with its code; return it as it is written."""
    step = {"Name": "a", "Type": kind, "Arguments": arguments}
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}
    fetched = fetch(definition, Published(objects), folder)  # type: ignore[arg-type]  # its stand-in
    made = import_definition(
        definition,
        Surroundings("p"),
        path=folder / "pipeline.yaml",
        origin="a test",
        environment=suggest_environment(definition).environment(kept=True),
        fetched=fetched,
    )
    return yaml.safe_load(made.text)["steps"]["a"], made


def test_the_serving_code_of_a_model(tmp_path: Path) -> None:
    given = container(f"{BUCKET}/first/sourcedir.tar.gz", "inference.py")
    written, made = back(tmp_path, "Model", {"ExecutionRoleArn": ROLE, "PrimaryContainer": given})
    assert written == {
        "type": "CreateModel",
        "model": MODEL,
        "image": {"framework": "sklearn", "version": "1.4-2"},
        "code": {"dir": "code/a", "entry": "inference.py"},
        "environment": {"OWNER": "astro"},
    }
    assert complaints(made) == []
    assert len(made.moved) == 1


def test_the_serving_code_of_several_containers(tmp_path: Path) -> None:
    given = [
        container(f"{BUCKET}/first/sourcedir.tar.gz", "inference.py"),
        container(f"{BUCKET}/second/sourcedir.tar.gz", "serve.py"),
        container("/opt/ml/model/code", "inside.py", PYTORCH),
    ]
    written, made = back(tmp_path, "Model", {"ExecutionRoleArn": ROLE, "Containers": given})
    first, second, inside = written["containers"]
    assert first["code"]["entry"] == "inference.py"
    assert second["code"]["entry"] == "serve.py"
    assert (tmp_path / second["code"]["dir"] / "lib/a.py").is_file()
    assert first["environment"] == second["environment"] == {"OWNER": "astro"}
    assert "code" not in inside
    assert inside["environment"]["SAGEMAKER_SUBMIT_DIRECTORY"] == "/opt/ml/model/code"
    assert complaints(made) == []
    assert len(made.moved) == 2


def test_the_sdk_s_repacking_keeps_its_nulls(tmp_path: Path) -> None:
    table = hyperparameters(
        f"{BUCKET}/repack/sourcedir.tar.gz",
        "_repack_script_launcher.sh",
        inference_script='"inference.py"',
        dependencies="null",
    )
    written, made = back(
        tmp_path, "Training", {**job(), "ResourceConfig": MACHINE, "HyperParameters": table}
    )
    assert written["type"] == "Training"
    assert written["hyperparameters"] == {"inference_script": "inference.py"}
    assert written["request"] == {"HyperParameters": {"dependencies": "null"}}
    assert complaints(made) == []
    assert "# The SDK's own repacking of a model: `code` at the step that uses it" in made.text


def test_a_search_on_the_machine_where_sdk_2_writes_it(tmp_path: Path) -> None:
    search = {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "loss"},
            "ParameterRanges": {
                "ContinuousParameterRanges": [
                    {"Name": "lr", "MinValue": "0.1", "MaxValue": "1", "ScalingType": "Auto"}
                ]
            },
        },
        "TrainingJobDefinition": {
            **job(),
            "AlgorithmSpecification": {
                **job()["AlgorithmSpecification"],
                "MetricDefinitions": [{"Name": "loss", "Regex": "l=(.*)"}],
            },
            "HyperParameterTuningResourceConfig": {**MACHINE, "InstanceType": "ml.c5.xlarge"},
            "StaticHyperParameters": hyperparameters(
                f"{BUCKET}/train/sourcedir.tar.gz", "train.py", opt='"adam"'
            ),
        },
    }
    written, made = back(tmp_path, "Tuning", search)
    assert written["type"] == "Tuning"
    assert written["instance"] == "ml.c5.xlarge"
    assert written["code"] == {"dir": "code/a", "entry": "train.py"}
    assert written["hyperparameters"] == {"opt": "adam"}
    assert "ResourceConfig" not in str(written)
    assert complaints(made) == []


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_FILES", 2), ("MAX_BYTES", 5)], ids=["files", "bytes"]
)
def test_a_folder_that_is_too_large_in_all_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(f"pipelines.importer.fetching.{limit}", value)
    place = f"{BUCKET}/sources"
    source = {
        "S3Uri": f"{place}/", "LocalPath": "/opt/ml/processing/input/code",
        "S3DataType": "S3Prefix", "S3InputMode": "File",
    }  # fmt: skip
    arguments = {
        "ProcessingResources": {"ClusterConfig": MACHINE},
        "AppSpecification": {
            "ImageUri": SKLEARN,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/a.py"],
        },
        "RoleArn": ROLE,
        "ProcessingInputs": [{"InputName": "code", "S3Input": source}],
    }
    objects = {f"{place}/{name}.py": b"pass" for name in "abc"}
    _, made = back(tmp_path, "Processing", arguments, objects)
    (note,) = made.notes
    assert note.message.startswith(f"{place}/ stays on S3: it holds more than ")
    assert not (tmp_path / "code").exists()
