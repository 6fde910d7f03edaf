"""Pipelines for other tools to deploy: CloudFormation, Terraform, and ACK on Kubernetes.

What is written names the assets that the definitions need; they must lie in S3 before a pipeline
starts (``sagedag export --publish``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.cloud.exports.ack import ack
from pipelines.cloud.exports.cloudformation import cloudformation
from pipelines.cloud.exports.exported import Exported
from pipelines.cloud.exports.terraform import terraform


@dataclass(frozen=True)
class Format:
    """A form of export.

    Attributes:
        write: makes the text of it.
        suffix: how such files are called.
    """

    write: Callable[[Sequence[Exported]], str]
    suffix: str


FORMATS: Mapping[str, Format] = {
    "cloudformation": Format(cloudformation, ".json"),
    "terraform": Format(terraform, ".tf.json"),
    "ack": Format(ack, ".yaml"),
}

__all__ = ["FORMATS", "Exported", "Format"]
