"""Tuning steps equal those of the SDK's HyperparameterTuner.

For scripts the tuner of SDK 3 uploads a driver while it compiles; here it gets the image and the
hyperparameters of script mode instead, JSON as SDK 2's framework estimators write them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours, theirs
from surroundings import BUCKET, REGION, ROLE

pytestmark = pytest.mark.slow  # for importing the SDK
DEFINITION = """
parameters: {Depth: 12, Kind: gini}
steps:
  builtin:
    type: Tuning
    image: {framework: xgboost, version: 1.7-1}
    instance: ml.m5.xlarge
    hyperparameters: {num_round: 100, eta: 0.2, silent: 0}
    inputs: {train: {source: s3://survey/train, content_type: text/csv}}
    output: s3://survey/models
    objective: {metric: "validation:auc"}
    ranges:
      max_depth: {min: 2, max: "${parameters.Depth}"}
      eta: {min: 0.01, max: 0.5, scale: Logarithmic}
      booster: [gbtree, dart]
    max_jobs: 20
    max_parallel_jobs: 4
    max_runtime: 1h
  script:
    type: Tuning
    image: {framework: xgboost, version: 1.7-1}
    instance: {type: ml.m5.large, volume_gb: 50}
    code: {dir: code, entry: train.py}
    hyperparameters: {deep: true, kind: forest}
    inputs: {train: s3://survey/train}
    output: s3://survey/models
    metrics: {loss: "loss=([0-9.]+)"}
    spot: {max_wait: 2h}
    checkpoints: {destination: s3://survey/checkpoints, path: /opt/ml/checkpoints}
    environment: {LEVEL: info}
    network: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d]}
    tags: {team: astro}
    max_runtime: 1h
    objective: {metric: loss, goal: Minimize}
    ranges: {trees: {min: 10, max: 100}, criterion: [gini, 3]}
    strategy: Random
    max_jobs: 10
    early_stopping: Auto
    warm_start: {type: TransferLearning, parents: [pulsar-tuning-1]}
    cache: true
  best:
    type: CreateModel
    model: "${steps.builtin.models[2]}"
"""


def trainer(session: Any, **more: Any) -> Any:
    from sagemaker.core import image_uris
    from sagemaker.core.shapes import OutputDataConfig
    from sagemaker.train import ModelTrainer

    return ModelTrainer(
        training_image=image_uris.retrieve("xgboost", REGION, version="1.7-1"),
        output_data_config=OutputDataConfig(s3_output_path="s3://survey/models"),
        sagemaker_session=session,
        role=ROLE,
        **more,
    )


def build(session: Any) -> tuple[list[Any], list[Any]]:
    from sagemaker.core.parameter import (
        CategoricalParameter,
        ContinuousParameter,
        IntegerParameter,
    )
    from sagemaker.core.shapes import StoppingCondition
    from sagemaker.core.workflow.parameters import ParameterInteger, ParameterString
    from sagemaker.mlops.workflow.steps import TuningStep
    from sagemaker.train.configs import Compute, InputData
    from sagemaker.train.tuner import HyperparameterTuner

    depth = ParameterInteger(name="Depth", default_value=12)
    kind = ParameterString(name="Kind", default_value="gini")
    tuner = HyperparameterTuner(
        model_trainer=trainer(
            session,
            hyperparameters={"num_round": 100, "eta": 0.2, "silent": 0},
            compute=Compute(instance_type="ml.m5.xlarge", instance_count=1, volume_size_in_gb=30),
            stopping_condition=StoppingCondition(max_runtime_in_seconds=3600),
        ),
        objective_metric_name="validation:auc",
        hyperparameter_ranges={
            "max_depth": IntegerParameter(2, depth),
            "eta": ContinuousParameter(0.01, 0.5, "Logarithmic"),
            "booster": CategoricalParameter(["gbtree", "dart"]),
        },
        max_jobs=20,
        max_parallel_jobs=4,
    )
    data = InputData(channel_name="train", data_source="s3://survey/train", content_type="text/csv")
    builtin = TuningStep("builtin", step_args=tuner.tune([data]))
    return [depth, kind], [builtin, script(session)]


def script(session: Any) -> Any:
    from sagemaker.core.parameter import CategoricalParameter, IntegerParameter
    from sagemaker.core.shapes import (
        CheckpointConfig,
        HyperParameterTuningJobWarmStartConfig,
        ParentHyperParameterTuningJob,
        StoppingCondition,
    )
    from sagemaker.mlops.workflow.steps import CacheConfig, TuningStep
    from sagemaker.train.configs import Compute, InputData, Networking
    from sagemaker.train.tuner import HyperparameterTuner

    settings = {
        "deep": True,
        "kind": "forest",
        "sagemaker_submit_directory": "CODE",
        "sagemaker_program": "train.py",
        "sagemaker_container_log_level": 20,
        "sagemaker_region": REGION,
    }
    categorical = CategoricalParameter(["gini", 3])
    categorical.values = categorical.as_json_range("criterion")["Values"]
    tuner = HyperparameterTuner(
        model_trainer=trainer(
            session,
            hyperparameters={name: json.dumps(value) for name, value in settings.items()},
            compute=Compute(
                instance_type="ml.m5.large",
                instance_count=1,
                volume_size_in_gb=50,
                enable_managed_spot_training=True,
            ),
            stopping_condition=StoppingCondition(
                max_runtime_in_seconds=3600, max_wait_time_in_seconds=7200
            ),
            checkpoint_config=CheckpointConfig(
                s3_uri="s3://survey/checkpoints", local_path="/opt/ml/checkpoints"
            ),
            environment={"LEVEL": "info"},
            networking=Networking(subnets=["subnet-0a1b2c3d"], security_group_ids=["sg-0a1b2c3d"]),
        ),
        objective_metric_name="loss",
        objective_type="Minimize",
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        hyperparameter_ranges={"trees": IntegerParameter(10, 100), "criterion": categorical},
        strategy="Random",
        max_jobs=10,
        early_stopping_type="Auto",
        tags=[{"Key": "team", "Value": "astro"}],
        warm_start_config=HyperParameterTuningJobWarmStartConfig(
            warm_start_type="TransferLearning",
            parent_hyper_parameter_tuning_jobs=[
                ParentHyperParameterTuningJob(hyper_parameter_tuning_job_name="pulsar-tuning-1")
            ],
        ),
    )
    data = InputData(channel_name="train", data_source="s3://survey/train")
    return TuningStep(
        "script",
        step_args=tuner.tune([data]),
        cache_config=CacheConfig(enable_caching=True, expire_after="30d"),
    )


@pytest.fixture(scope="module")
def built(aws: str) -> dict[str, Any]:
    return theirs(aws, build)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("tuning")
    (folder / "code").mkdir()
    (folder / "code" / "train.py").write_text("print('loss=1')\n", "utf-8")
    return ours(folder, DEFINITION)


def test_the_steps_are_the_same(built: dict[str, Any], compiled: dict[str, Any]) -> None:
    for step in compiled.values():
        parameters = step["Arguments"].get("TrainingJobDefinition", {}).get("StaticHyperParameters")
        if parameters and "sagemaker_submit_directory" in parameters:
            # The key of an asset: ours is the digest of the code.
            assert f"s3://{BUCKET}/" in parameters["sagemaker_submit_directory"]
            parameters["sagemaker_submit_directory"] = '"CODE"'
    jobs = {name: step for name, step in compiled.items() if name != "best"}
    assert list(differences(jobs, built)) == []


def test_the_best_models_are_those_of_the_sdk(
    built: dict[str, Any], compiled: dict[str, Any]
) -> None:
    from sagemaker.core.workflow.properties import Properties
    from sagemaker.mlops.workflow.steps import TuningStep

    step = TuningStep.__new__(TuningStep)
    shape = "ListTrainingJobsForHyperParameterTuningJobResponse"
    step._properties = Properties("builtin", shape_name=shape)
    wanted = step.get_top_model_s3_uri(2, "survey", "models").expr["Std:Join"]
    model = compiled["best"]["Arguments"]["PrimaryContainer"]["ModelDataUrl"]["Std:Join"]
    output = {"Get": "Steps.builtin.TrainingJobDefinition.OutputDataConfig.S3OutputPath"}
    # The SDK writes the place once more; ours takes it from the job, which holds after a cache hit.
    assert wanted["Values"][:3] == ["s3:/", "survey", "models"]
    written = compiled["builtin"]["Arguments"]["TrainingJobDefinition"]["OutputDataConfig"]
    assert written["S3OutputPath"] == "s3://survey/models"
    assert model == {"On": wanted["On"], "Values": [output, *wanted["Values"][3:]]}
