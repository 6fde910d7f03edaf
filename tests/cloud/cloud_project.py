"""A small project to deploy."""

from __future__ import annotations

from pathlib import Path

ENVIRONMENTS = """\
environments:
  local: {{}}
  dev:
    account: "123456789012"
    region: us-east-1
    role: arn:aws:iam::123456789012:role/pipelines
    bucket: dev-bucket
    prefix: team
    endpoint_url: {url}
  prod:
    account: "123456789012"
    region: us-east-1
    role: arn:aws:iam::123456789012:role/pipelines-prod
    bucket: dev-bucket
    prefix: prod
    endpoint_url: {url}
    tags: {{stage: production}}
"""

LINE = """\
pipeline: line
description: Fits a line
parameters:
  Rows: 100
  Mode: {type: String, default: fast, enum: [fast, exact]}
defaults:
  instance: ml.m5.large
  image: {framework: sklearn, version: 1.4-2}
  cache: 30d
steps:
  split:
    type: Processing
    code: code/split.py
    arguments: {rows: "${parameters.Rows}", seed: 7}
    outputs: [train]
  train:
    type: Training
    code: {dir: code, entry: train.py}
    hyperparameters: {max_depth: 6, mode: "${parameters.Mode}"}
    inputs: {train: "${steps.split.outputs.train}"}
tags: {team: lines}
schedules:
  nightly: {cron: "0 3 * * ? *"}
"""

SPLIT = "print('split')\n"
TRAIN = "print('train')\n"


def write_project(folder: Path, url: str, *, definition: str = LINE) -> Path:
    """Write environments.yaml, ``line/pipeline.yaml`` and its code; return the folder."""
    code = folder / "line" / "code"
    code.mkdir(parents=True, exist_ok=True)
    (folder / "environments.yaml").write_text(ENVIRONMENTS.format(url=url))
    (folder / "line" / "pipeline.yaml").write_text(definition)
    (code / "split.py").write_text(SPLIT)
    (code / "train.py").write_text(TRAIN)
    return folder
