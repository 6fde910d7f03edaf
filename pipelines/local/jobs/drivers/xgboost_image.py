"""The XGBoost image without a script, over the library of that name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.local.jobs.context import JobContext
from pipelines.local.jobs.images import Image
from pipelines.local.jobs.process import Command

REPOSITORIES = ("sagemaker-xgboost", "xgboost")

PICKLED_BEFORE = (1, 3)
"""Images before this version pickle the booster. Source: Developer Guide, "XGBoost algorithm":
"SageMaker AI XGBoost version 1.3-1 or later saves the model in the XGBoost internal binary format"
"""

METRICS = (
    "accuracy", "auc", "aucpr", "error", "f1", "logloss", "mae", "map", "mape", "merror",
    "mlogloss", "mphe", "mse", "ndcg", "poisson-nloglik", "gamma-deviance", "gamma-nloglik",
    "rmse", "rmsle", "tweedie-nloglik",
)  # fmt: skip
"""What the service reads of the image's log (Developer Guide, "Tune an XGBoost model")."""


class XGBoostImage:
    """Trains by :mod:`xgboost_program`."""

    def accepts(self, image: Image, request: Mapping[str, Any]) -> bool:
        """Whether the image is XGBoost's; that there is no script was seen before."""
        del request
        return image.name.rpartition("/")[2] in REPOSITORIES

    def command(self, request: Mapping[str, Any], context: JobContext) -> Command:
        """The command of the job; its program is copied beside it."""
        source = Path(__file__).with_name("xgboost_program.py")
        program = context.folder / "bin" / source.name
        program.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, program)
        image = str(request.get("AlgorithmSpecification", {}).get("TrainingImage", ""))
        old = ("--pickle",) if _version(image) < PICKLED_BEFORE else ()
        given = {str(name): str(value) for name, value in request.get("Environment", {}).items()}
        limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        return Command(
            ("python3", str(program), *old),
            {"TRAINING_JOB_NAME": context.name, "TRAINING_JOB_ARN": context.arn, **given},
            "/opt/ml",
            float(limit) if limit is not None else None,
        )

    def metrics(self, request: Mapping[str, Any]) -> list[dict[str, str]]:
        """The MetricDefinitions that the service has for the image."""
        del request
        number = r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|inf|nan))"
        return [
            {
                "Name": f"{channel}:{metric}",
                "Regex": rf"^\[\d+\].*#011{channel}-{re.escape(metric)}(?:@[\w.-]+)?:{number}",
            }
            for channel in ("train", "validation")
            for metric in METRICS
        ]


def _version(image: str) -> tuple[int, int]:
    """The version in an image's tag; a tag without one (``latest``) counts as the newest."""
    found = re.match(r"(\d+)\.(\d+)", image.rpartition(":")[2])
    if image.endswith("xgboost:1"):
        return (0, 72)
    return (int(found[1]), int(found[2])) if found else (99, 0)
