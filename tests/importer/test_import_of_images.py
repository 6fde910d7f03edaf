"""Images of AWS's frameworks come back as `{framework, version}`, where that gives them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from imported_samples import Json, complaints, definition, imported

from pipelines.cli.import_definition import command
from pipelines.compiler import compile as compile_definition
from pipelines.definition.normal import differences
from pipelines.importer.images import Images
from pipelines.service import image_origins
from pipelines.service.images import UnknownImage, resolve

ROLE = "arn:aws:iam::111122223333:role/pipelines"
DLC = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
OWN = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST_1_7 = {"framework": "xgboost", "version": "1.7-1"}


def training(image: Any, instance: Any = "ml.m5.xlarge", name: str = "Train") -> Json:
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {
                "InstanceCount": 1, "InstanceType": instance, "VolumeSizeInGB": 30
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "RoleArn": ROLE,
        },
    }  # fmt: skip


def model(image: Any, name: str = "Model") -> Json:
    container = {"Image": image, "ModelDataUrl": "s3://bucket/model.tar.gz", "Environment": {}}
    return {
        "Name": name,
        "Type": "Model",
        "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": container},
    }


def step_of(step: Json, **more: Any) -> Any:
    made = imported(definition(step, **more))
    assert complaints(made) == []
    return yaml.safe_load(made.text)["steps"][step["Name"]]


@pytest.mark.parametrize(
    ("address", "instance", "short"),
    [
        (f"{OWN}/sagemaker-xgboost:1.7-1", "ml.m5.xlarge", XGBOOST_1_7),
        (f"{OWN}/sagemaker-scikit-learn:1.2-1-cpu-py3", "ml.m5.xlarge",
         {"framework": "sklearn", "version": "1.2-1"}),
        ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1", "ml.m5.xlarge",
         {"framework": "linear-learner"}),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1", "ml.m5.xlarge",
         {"framework": "xgboost", "version": "1"}),
        (f"{DLC}/pytorch-training:2.0.0-gpu-py310", "ml.p3.2xlarge",
         {"framework": "pytorch", "version": "2.0.0"}),
        (f"{DLC}/pytorch-training:2.0.0-gpu-py310", "ml.m5.xlarge",
         {"framework": "pytorch", "version": "2.0.0", "instance": "ml.g5.xlarge"}),
        (f"{DLC}/pytorch-training:2.0.0-cpu-py310", "ml.p3.2xlarge",
         {"framework": "pytorch", "version": "2.0.0", "instance": "ml.m5.large"}),
        (f"{DLC}/pytorch-training:1.8.1-cpu-py36", "ml.m5.xlarge",
         {"framework": "pytorch", "version": "1.8.1", "py_version": "py36"}),
        (f"{DLC}/pytorch-inference:2.0.0-cpu-py310", "ml.m5.xlarge",
         {"framework": "pytorch", "version": "2.0.0", "scope": "inference"}),
        (f"{DLC}/huggingface-pytorch-training:1.13.1-transformers4.26.0-gpu-py39-cu117-ubuntu20.04",
         "ml.p3.2xlarge",
         {"framework": "huggingface", "version": "4.26.0", "base_framework": "pytorch1.13.1"}),
    ],
)  # fmt: skip
def test_the_image_of_a_job_comes_back(address: str, instance: str, short: Json) -> None:
    assert step_of(training(address, instance))["image"] == short


def test_the_image_that_serves_comes_back() -> None:
    address = f"{DLC}/pytorch-inference:2.0.0-cpu-py310"
    assert step_of(model(address))["image"] == {"framework": "pytorch", "version": "2.0.0"}


def test_every_container_of_a_model_has_its_own() -> None:
    step = model("")
    del step["Arguments"]["PrimaryContainer"]
    step["Arguments"]["Containers"] = [
        {"Image": f"{OWN}/sagemaker-scikit-learn:1.2-1-cpu-py3", "ModelDataUrl": "s3://b/1.tar.gz"},
        {"Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1", "Environment": {"A": "b"}},
    ]
    first, second = step_of(step)["containers"]
    assert first["image"] == {"framework": "sklearn", "version": "1.2-1"}
    assert second["image"] == "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1"


def test_a_parameter_for_the_instance_tells_by_its_default() -> None:
    step = training(f"{DLC}/pytorch-training:2.0.0-gpu-py310", {"Get": "Parameters.Machine"})
    machine = {"Name": "Machine", "Type": "String", "DefaultValue": "ml.p3.2xlarge"}
    assert step_of(step, parameters=[machine])["image"] == {
        "framework": "pytorch",
        "version": "2.0.0",
    }


@pytest.mark.parametrize(
    "address",
    [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",  # no account of AWS
        f"{OWN}/sagemaker-xgboost:1.7-1-patched",
        f"{OWN}/sagemaker-xgboost@sha256:{'0' * 64}",
        "public.ecr.aws/xgboost:1.7-1",
    ],
)
def test_an_image_that_no_short_form_gives_stays(address: str) -> None:
    assert step_of(training(address))["image"] == address


def test_every_image_of_the_tables_comes_back() -> None:
    images, tried = Images("eu-west-1"), 0
    for repository, entries in image_origins._by_repository().items():
        for origin, _ in entries:
            if repository == "sagemaker-base-python":
                continue  # the end of its name is in no table
            scope = origin.scope or "training"
            try:
                address = resolve(
                    origin.framework,
                    region="eu-west-1",
                    version=origin.version,
                    py_version=origin.py_version or None,
                    scope=scope,
                    instance_type="ml.g5.xlarge",
                    base_framework_version=origin.base or None,
                )
            except UnknownImage:
                continue
            short = images.short(address, scope, None)
            assert short is not None, address
            assert images.address(short, scope, None) == address
            tried += 1
    assert tried > 500


TWO_REGIONS = definition(
    training("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1", name="Here"),
    training("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.5-1", name="Too"),
    training(f"{OWN}/sagemaker-xgboost:1.7-1", name="There"),
)


def test_images_of_the_region_that_the_text_tells_come_back_and_the_others_stay() -> None:
    made = imported(TWO_REGIONS)
    steps = yaml.safe_load(made.text)["steps"]
    assert steps["Here"]["image"] == XGBOOST_1_7
    assert steps["Too"]["image"] == {**XGBOOST_1_7, "version": "1.5-1"}
    assert steps["There"]["image"] == f"{OWN}/sagemaker-xgboost:1.7-1"
    assert made.differences == []
    (note,) = made.notes
    assert "in us-east-1 are written as addresses, since the result is for eu-west-1" in (
        note.message
    )


def run(*arguments: str) -> Any:
    return CliRunner().invoke(
        command, list(arguments), input=json.dumps(TWO_REGIONS), standalone_mode=False
    )


def test_a_folder_gets_the_environment_for_which_it_is_the_same(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("-", "-o", str(out)).exception is None
    written = yaml.safe_load((out / "environments.yaml").read_text())["environments"]["aws"]
    assert written["region"] == "eu-west-1"
    text = (out / "pipeline.yaml").read_text()
    assert ROLE not in text  # the environment has it
    compiled = compile_definition(out / "pipeline.yaml", environment="aws")
    assert differences(TWO_REGIONS, compiled.definition) == []


def test_standard_output_tells_the_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = run("-").stdout
    assert "# It is for the region eu-west-1" in told
    assert ROLE in told


def test_an_environment_of_the_project_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = {"account": "111122223333", "region": "eu-west-1", "role": ROLE, "bucket": "bucket"}
    test = {**place, "role": f"{ROLE}-test"}
    both = {"environments": {"prod": place, "test": test}}
    (tmp_path / "environments.yaml").write_text(json.dumps(both))
    assert "for `prod` gives what was imported" in run("-").stderr  # the role tells
    without = run("-", "--env", "local")
    assert yaml.safe_load(without.stdout)["steps"]["There"]["image"] == XGBOOST_1_7
    assert "note: /Steps: images of AWS's frameworks in eu-west-1" in without.stderr
    assert "--env with an environment of their region" in without.stderr
    within = run("-", "--env", "prod", "--check")
    assert within.return_value == 0
    assert yaml.safe_load(run("-", "--env", "prod").stdout)["steps"]["Here"]["image"] == XGBOOST_1_7
    assert "no environment `dev`" in str(run("-", "--env", "dev").exception)
