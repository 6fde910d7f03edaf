"""ACK: the AWS controllers for Kubernetes, kind Pipeline of sagemaker.services.k8s.aws/v1alpha1.

Source: the ACK SageMaker controller's reference of its Pipeline resource. It has no schedules.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import yaml

from pipelines.cloud.exports.exported import Exported, parallelism

_LONGEST_NAME = 253
"""Kubernetes, "Object Names and IDs": a DNS subdomain name."""


def ack(pipelines: Sequence[Exported]) -> str:
    """Return one manifest for each pipeline, as YAML documents."""
    return "---\n".join(
        yaml.dump(_manifest(each), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
        for each in pipelines
    )


def _manifest(each: Exported) -> dict[str, Any]:
    wanted, settings = each.wanted, each.wanted.settings
    most = parallelism(settings)
    optional = {
        "pipelineDisplayName": settings.get("PipelineDisplayName"),
        "pipelineDescription": settings.get("PipelineDescription"),
        "roleARN": settings.get("RoleArn"),
        "parallelismConfiguration": most and {"maxParallelExecutionSteps": most},
        "tags": [{"key": key, "value": value} for key, value in wanted.tags.items()],
    }
    metadata: dict[str, Any] = {
        "name": object_name(wanted.name),
        "annotations": {"services.k8s.aws/region": each.region},
    }
    assets = sorted({asset.uri for asset in wanted.assets})
    if assets:
        metadata["annotations"]["sagedag/assets"] = " ".join(assets)
    return {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "Pipeline",
        "metadata": metadata,
        "spec": {
            "pipelineName": wanted.name,
            **{name: value for name, value in optional.items() if value},
            "pipelineDefinition": wanted.text,
        },
    }


def object_name(name: str) -> str:
    """Return a pipeline's name as Kubernetes takes it: lower-case, letters, digits and ``-``."""
    made = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:_LONGEST_NAME].rstrip("-")
    if made == name:
        return made
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{made[: _LONGEST_NAME - 9]}-{mark}".lstrip("-")


class _Dumper(yaml.SafeDumper):
    """Writes YAML without anchors: every value stands where it is read."""

    def ignore_aliases(self, data: Any) -> bool:
        """Say that nothing is shared."""
        del data
        return True
