"""Tuning steps whose training jobs compute a hill in a few lines of the standard library."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

from local_samples import IMAGE, ROLE, document, get, join, processing

from pipelines.local.objects import ObjectStore

CODE = "s3://bucket/code/sourcedir.tar.gz"

# The score's top is at depth 5 and rate 0.25. `slow` reports three times, `broken` ends some badly.
TRAINER = """
import argparse, json, os, sys, time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int, default=5)
parser.add_argument("--rate", type=float, default=0.25)
parser.add_argument("--kind", default="a")
parser.add_argument("--mode", default="plain")
options = parser.parse_args()
if options.mode == "broken" and options.depth % 2:
    sys.exit("an odd depth")
score = 10 - (options.depth - 5) ** 2 - abs(options.rate - 0.25) + (options.kind == "b")
reports = 4 if options.mode == "slow" else 1
for epoch in range(reports):
    if options.mode != "silent":
        print(f"score={score:.6f};", flush=True)
    time.sleep(0.3 if options.mode == "slow" else 0)
Path("/opt/ml/model/model.json").write_text(json.dumps(vars(options)))
"""

INTEGERS = {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]}


def put_code(folder: Path) -> None:
    """Put the trainer where the requests below expect it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(TRAINER.encode())
        archive.addfile(member, io.BytesIO(TRAINER.encode()))
    ObjectStore(folder / "s3", folder).put(CODE, packed.getvalue())


def categories(name: str, *values: str) -> dict[str, Any]:
    return {"CategoricalParameterRanges": [{"Name": name, "Values": list(values)}]}


def request(
    ranges: dict[str, Any],
    *,
    strategy: str = "Random",
    jobs: int | None = 4,
    parallel: int = 2,
    mode: str = "plain",
    output: Any = "s3://bucket/models",
    **config: Any,
) -> dict[str, Any]:
    """Return CreateHyperParameterTuningJob arguments."""
    limits: dict[str, Any] = {"MaxParallelTrainingJobs": parallel}
    if jobs is not None:
        limits["MaxNumberOfTrainingJobs"] = jobs
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": limits,
            "ParameterRanges": ranges,
            "RandomSeed": 7,
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": f'"{CODE}"',
                "mode": f'"{mode}"',
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=([-0-9.]+);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": output},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    }


def pipeline(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a definition that tunes and then looks at the best model."""
    tune = {
        "Name": "tune",
        "Type": "Tuning",
        "Arguments": arguments,
        "CacheConfig": {"Enabled": True, "ExpireAfter": "30d"},
    }
    best = join(
        get("Steps.tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"),
        get("Steps.tune.TrainingJobSummaries[0].TrainingJobName"),
        "output/model.tar.gz",
        on="/",
    )
    look = processing("look", get("Steps.tune.BestTrainingJob.TrainingJobName"), best)
    return document(tune, look)
