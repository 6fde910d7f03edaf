"""Every image that the SDK's tables have, as arguments of ``resolve``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.service import image_configs
from pipelines.service.images import frameworks, versions

REGIONS = (
    "us-east-1",
    "eu-west-1",
    "cn-north-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "eusc-de-east-1",
    "il-central-1",
    "me-west-1",
    "mars-1",
)
INSTANCES = (
    None,
    "ml.m5.xlarge",
    "ml.c5.large",
    "ml.p3.2xlarge",
    "ml.p4d.24xlarge",
    "ml.p2.xlarge",
    "ml.g5.xlarge",
    "ml.inf1.xlarge",
    "ml.inf2.xlarge",
    "ml.trn1.2xlarge",
    "ml.c6g.large",
    "local",
    "local_gpu",
    "rubbish",
)
APART = "sagemaker-base-python"
"""The SDK has another function for this framework."""


def every_image() -> Iterator[dict[str, Any]]:
    """Yields framework, scope, version, base and Python version of every image there is, and of
    some that there are not."""
    for framework in frameworks():
        if framework == APART:
            continue
        config = image_configs.load_config(framework)
        for scope in image_configs.scopes(config):
            part = config if "scope" in config else config[scope]
            aliases = part.get("version_aliases", {})
            for version in (*versions(framework), None, "0.0.77"):
                images = part["versions"].get(aliases.get(version, version), {})
                nested = images.get("version_aliases", {})
                bases: list[str | None] = [None]
                if framework == "huggingface":
                    bases += [one for one in (*images, *nested) if one != "version_aliases"]
                for base in bases:
                    image = images.get(nested.get(base, base), images)
                    pythons = image.get("py_versions") or [k for k in image if k[:2] == "py"]
                    for python in (None, *(one for one in pythons if len(one) < 6)):
                        yield {
                            "framework": framework,
                            "scope": scope,
                            "version": version,
                            "base_framework_version": base,
                            "py_version": python,
                        }
