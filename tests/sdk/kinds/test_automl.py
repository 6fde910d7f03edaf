"""AutoML steps equal those of the SDK's AutoML class; no generated field is excepted.

SDK 3 has the step's class but not the class that makes its request (its ``AutoMLStep`` asks for
``Session.auto_ml``, which is gone), so what SDK 2 writes is kept beside this.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from side_by_side import differences, ours

pytestmark = pytest.mark.slow  # for importing the SDK

RECORDED = Path(__file__).with_name("automl-sdk2.json")
DEFINITION = """
parameters: {Table: s3://survey/train.csv}
steps:
  plain:
    type: AutoML
    inputs: {training: "${parameters.Table}"}
    target: is_pulsar
    output: s3://models/plain
  full:
    type: AutoML
    inputs:
      training: {source: s3://survey/train.csv.gz, content_type: text/csv;header=present,
                 compression: Gzip, data_type: S3Prefix}
      validation: {source: s3://survey/validation.csv.gz, content_type: text/csv;header=present,
                   compression: Gzip}
    target: is_pulsar
    sample_weight: weight
    problem_type: BinaryClassification
    objective: F1
    max_candidates: 20
    max_runtime: 2h
    max_runtime_per_training_job: 20m
    validation_fraction: 0.2
    feature_specification: s3://survey/features.json
    output: s3://models/full
    network: {subnets: [subnet-0a1b2c3d], security_groups: [sg-0a1b2c3d], encryption: true}
    kms_key: alias/outputs
    volume_kms_key: alias/volumes
    tags: {team: astro}
    cache: 7d
    depends_on: [plain]
  create-CreateModel:
    type: CreateModel
    model: "${steps.full.model}"
  register-RegisterModel:
    type: RegisterModel
    group: pulsar
    model: "${steps.full.model}"
    content_types: [text/csv]
    response_types: [text/csv]
    inference_instances: [ml.m5.large]
    skip_model_validation: None
"""


def test_the_steps_are_the_same(tmp_path: Path) -> None:
    recorded: dict[str, Any] = json.loads(RECORDED.read_text("utf-8"))["steps"]
    assert list(differences(ours(tmp_path, DEFINITION), recorded)) == []
