"""The address of the image that a definition writes as a framework with its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.service.images import UnknownImage
from pipelines.service.images import resolve as resolve_image

ONE_IMAGE = ("sklearn", "xgboost")
"""Frameworks with one image for training and serving. The SDK's table for serving lacks some of
their versions that its table for training has; the address is the same."""

ANY_INSTANCE = "ml.m5.large"
"""The instance type that an image is chosen for where none is known."""


def image_address(
    image: Mapping[str, Any], scope: str, instance: str | None, region: str
) -> str | UnknownImage:
    """Return the address of a framework's image, or why there is none.

    Args:
        image: the map under ``image``.
        scope: what the step needs it for; the map's own ``scope`` wins.
        instance: the instance type that the step runs on, where it is known.
    """
    scopes = [str(image.get("scope") or scope)]
    if "scope" not in image and image.get("framework") in ONE_IMAGE:
        scopes.append("training")
    found = [_address(image, each, instance, region) for each in scopes]
    return next((each for each in found if isinstance(each, str)), found[0])


def _address(
    image: Mapping[str, Any], scope: str, instance: str | None, region: str
) -> str | UnknownImage:
    try:
        return resolve_image(
            str(image.get("framework")),
            region=region,
            version=image.get("version"),
            py_version=image.get("py_version"),
            scope=scope,
            instance_type=image.get("instance") or instance or ANY_INSTANCE,
            base_framework_version=image.get("base_framework"),
        )
    except UnknownImage as refusal:
        return refusal
