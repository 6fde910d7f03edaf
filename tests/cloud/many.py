"""A project of many definitions, to see what a plan of all of them takes."""

from __future__ import annotations

from pathlib import Path

from cloud_project import ENVIRONMENTS

DEFINITION = """\
pipeline: line-{number}
defaults:
  instance: ml.m5.large
  image: {{framework: sklearn, version: 1.4-2}}
  cache: 30d
steps:
  split:
    type: Processing
    code: split.py
    arguments: {{number: {number}}}
    outputs: [train]
  train:
    type: Training
    code: {{dir: code, entry: train.py}}
    hyperparameters: {{max_depth: 6}}
    inputs: {{train: "${{steps.split.outputs.train}}"}}
  good-enough:
    type: Condition
    if: execution.id != 'x'
    then:
      register: {{type: RegisterModel, model: "${{steps.train.model}}", group: lines}}
tags: {{team: lines}}
"""


def write_many(folder: Path, url: str, count: int) -> Path:
    """Write ``count`` definitions, each with code of its own; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "environments.yaml").write_text(ENVIRONMENTS.format(url=url))
    for number in range(count):
        place = folder / f"line-{number}"
        (place / "code").mkdir(parents=True)
        (place / "pipeline.yaml").write_text(DEFINITION.format(number=number))
        (place / "split.py").write_text(f"print('split {number}')\n")
        (place / "code" / "train.py").write_text(f"print('train {number}')\n")
    return folder
